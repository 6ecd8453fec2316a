/* SPDX-License-Identifier: Apache-2.0
 * The reason behind a negative errno, in words that can be shown to a person. */
#include "common/error.h"

#include <stdio.h>
#include <string.h>

int error_set(struct error *why, int code, const char *format, ...)
{
    if (why) {
        va_list args;
        va_start(args, format);
        vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
    }
    return code;
}

int error_prefix(struct error *why, int code, const char *format, ...)
{
    if (why) {
        struct error before = *why;
        va_list args;
        va_start(args, format);
        vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
        size_t used = strlen(why->text);
        snprintf(why->text + used, sizeof why->text - used, ": %s", before.text);
    }
    return code;
}
