/* SPDX-License-Identifier: Apache-2.0
 * NumPy's legacy random stream (`numpy.random.RandomState`), bit for bit.
 *
 * Source: Matsumoto, Nishimura, "Mersenne Twister", ACM TOMACS 8:1 (1998); the way NumPy bounds and
 * shuffles is frozen by NumPy's NEP 19. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { MT19937_WORDS = 624 };

struct mt19937 {
    uint32_t words[MT19937_WORDS];
    unsigned next;
};

/* RandomState(seed) */
void mt19937_init_genrand(struct mt19937 *mt, uint32_t seed);

/* RandomState([key[0], key[1], …]); n_keys ≥ 1 */
void mt19937_init_by_array(struct mt19937 *mt, const uint32_t *key, size_t n_keys);

uint32_t mt19937_u32(struct mt19937 *mt);
uint64_t mt19937_u64(struct mt19937 *mt);

/* Uniform in 0..max, both ends included, by masked rejection. */
uint64_t mt19937_bounded(struct mt19937 *mt, uint64_t max);

/* RandomState.shuffle of `n` items, in place. */
void mt19937_shuffle(struct mt19937 *mt, uint32_t *items, uint32_t n);

/* RandomState.permutation(n) into ret[n]. */
void mt19937_permutation(struct mt19937 *mt, uint32_t n, uint32_t *ret);
