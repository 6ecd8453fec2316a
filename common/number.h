/* SPDX-License-Identifier: Apache-2.0
 * Whole numbers in text: one parser for options, URLs, settings and names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* The `n` characters at `text`: decimal digits only, no sign, no space, from min to max. `name` is
 * for the reason. Errors: -EINVAL something else than digits; -ERANGE. */
int number_parse(const char *name, const char *text, size_t n, uint64_t min, uint64_t max,
                 uint64_t *ret, struct error *why);

/* A list of numbers, from malloc(). */
struct numbers {
    uint64_t *items;
    size_t n;
};

/* Numbers from 0 to max between commas, `most` of them at the most; the caller frees ret->items.
 * Errors: as number_parse(); -E2BIG; -ENOMEM. */
int number_parse_list(const char *name, const char *text, size_t n, size_t most, uint64_t max,
                      struct numbers *ret, struct error *why);
