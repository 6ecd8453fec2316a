/* SPDX-License-Identifier: Apache-2.0
 * Parts of one in text: real numbers from 0 to below 1, in one way for whoever reads or writes a
 * URL, whatever the locale is. */
#pragma once

#include <stddef.h>

#include "common/error.h"

enum {
    FRACTION_DECIMALS = 20,
    FRACTION_TEXT_SIZE = FRACTION_DECIMALS + sizeof "0.",
};

/* The `n` characters at `text`: "0", or "0." and up to FRACTION_DECIMALS digits; the double next to
 * it. `name` is for the reason. Errors: -EINVAL something else; -ERANGE 1 or more. */
int fraction_parse(const char *name, const char *text, size_t n, double *ret, struct error *why);

/* The shortest text that is read as this number; of one that no text is read as, the next to it. */
void fraction_text(double value, char ret[FRACTION_TEXT_SIZE]);
