/* SPDX-License-Identifier: Apache-2.0
 * The plan: which recordings go into which sample of a 2NMNIST split. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum { PLAN_PUBLISHED_SEED = 42 };

struct plan_row {
    int32_t a, b; /* positions in the name-ordered source split; b is -1 in a sample of one digit */
};

/* Plan the samples over `n` recordings whose digits are `digits[n]`.
 *
 * With PLAN_PUBLISHED_SEED this is the plan of the published archive. The caller frees *ret, which
 * holds *ret_n_rows ≤ n rows. Errors: -ERANGE n is 0 or above INT32_MAX; -ENOMEM.
 * Source: 10.5281/zenodo.7847750; RandomState(seed), shuffle, then randint(1, 3) a step. */
int plan_make(const uint8_t *digits, size_t n, uint32_t seed, struct plan_row **ret,
              size_t *ret_n_rows, struct error *why);

/* The sample's name in the published archive, "<i>_<first>[-<second>].bin". */
enum { PLAN_NAME_SIZE = 32 };
void plan_name(char ret[PLAN_NAME_SIZE], size_t i, const struct plan_row *row,
               const uint8_t *digits);
