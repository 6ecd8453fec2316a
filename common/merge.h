/* SPDX-License-Identifier: Apache-2.0
 * Merges two ascending lists of keys (common/key.h) into one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { MERGE_SLACK = 16 }; /* keys */

/* Merge `a` and `b` into `out`, which overlaps neither. All three have room for MERGE_SLACK keys
 * more than they hold, which this overwrites. The keys are below KEY_END and none equals another;
 * lists that are not ascending come out in no particular order, but nothing else happens. */
void merge_keys(uint64_t *a, size_t n_a, uint64_t *b, size_t n_b, uint64_t *out);
