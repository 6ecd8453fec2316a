/* SPDX-License-Identifier: Apache-2.0
 * Words of the command line that are numbers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/fault.h"

/* Decimal digits only, from min to max. `name` is for the reason. Errors: -EINVAL. */
int word_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                struct fault *why);

/* Numbers between commas; the caller frees *ret.
 * Errors: -EINVAL, -ENOMEM. */
int word_numbers(const char *name, const char *text, uint64_t **ret, size_t *ret_n,
                 struct fault *why);
