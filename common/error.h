/* SPDX-License-Identifier: Apache-2.0
 * The reason behind a negative errno, in words that can be shown to a person. */
#pragma once

#include <stdarg.h>

struct error {
    char text[1024]; /* one line, no newline; "" while nothing went wrong */
};

/* Write the reason and return `code` (a negative errno), so that a caller can say
 * `return error_set(why, -EBADMSG, "…")`. `why` may be NULL. Longer texts are cut. Any thread. */
int error_set(struct error *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "<what>: " before the reason that is there; returns `code`. `why` may be NULL. */
int error_prefix(struct error *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
