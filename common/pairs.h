/* SPDX-License-Identifier: Apache-2.0
 * Fresh pairs: an endless set of two-digit mixtures, each a pure function of (seed, index). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/event.h"

/* Where each digit's recordings stand in a name-ordered source split. */
struct pairs {
    uint64_t n; /* recordings */
    uint64_t first[N_DIGITS], count[N_DIGITS];
};

/* Read the table from multi-hot labels [n][N_DIGITS].
 * Errors: -EINVAL a recording without exactly one digit, a digit that is not kept together, or
 * fewer than two digits. */
int pairs_init(struct pairs *ret, const uint8_t *labels, uint64_t n, struct error *why);

/* The positions of pair `index` of the set `seed`: two recordings of different digits. */
void pairs_draw(const struct pairs *pairs, uint64_t seed, uint64_t index, uint32_t ret[2]);
