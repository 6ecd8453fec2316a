/* SPDX-License-Identifier: Apache-2.0
 * Whole numbers in text. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* Decimal digits alone, no sign, no space. Errors: -EINVAL not a number in min..max; why names it.
 */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct error *why);
