/* SPDX-License-Identifier: Apache-2.0
 * Whole numbers in text. */
#include "generator/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct error *why)
{
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (!*text || text[strspn(text, "0123456789")] || errno == ERANGE || number < min ||
        number > max)
        return error_set(why, -EINVAL, "\"%s\" is not a number from %" PRIu64 " to %" PRIu64, text,
                         min, max);
    *ret = number;
    return 0;
}
