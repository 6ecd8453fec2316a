/* SPDX-License-Identifier: Apache-2.0
 * NumPy's legacy random stream (`numpy.random.RandomState`), bit for bit. */
#include "common/mt19937.h"

enum { MIDDLE = 397 };

static const uint32_t UPPER_MASK = 0x80000000u, LOWER_MASK = 0x7fffffffu, TWIST = 0x9908b0dfu;

void mt19937_init_genrand(struct mt19937 *mt, uint32_t seed)
{
    mt->words[0] = seed;
    for (uint32_t i = 1; i < MT19937_WORDS; i++)
        mt->words[i] = 1812433253u * (mt->words[i - 1] ^ mt->words[i - 1] >> 30) + i;
    mt->next = MT19937_WORDS;
}

void mt19937_init_by_array(struct mt19937 *mt, const uint32_t *key, size_t n_keys)
{
    mt19937_init_genrand(mt, 19650218u);
    uint32_t *words = mt->words;
    size_t i = 1, j = 0;
    for (size_t left = n_keys > MT19937_WORDS ? n_keys : MT19937_WORDS; left > 0; left--) {
        words[i] =
            (words[i] ^ (words[i - 1] ^ words[i - 1] >> 30) * 1664525u) + key[j] + (uint32_t)j;
        if (++i == MT19937_WORDS) {
            words[0] = words[MT19937_WORDS - 1];
            i = 1;
        }
        if (++j == n_keys)
            j = 0;
    }
    for (size_t left = MT19937_WORDS - 1; left > 0; left--) {
        words[i] = (words[i] ^ (words[i - 1] ^ words[i - 1] >> 30) * 1566083941u) - (uint32_t)i;
        if (++i == MT19937_WORDS) {
            words[0] = words[MT19937_WORDS - 1];
            i = 1;
        }
    }
    words[0] = UPPER_MASK;
}

static uint32_t twist(uint32_t high, uint32_t low)
{
    uint32_t y = (high & UPPER_MASK) | (low & LOWER_MASK);
    return y >> 1 ^ (-(y & 1) & TWIST);
}

static void regenerate(struct mt19937 *mt)
{
    uint32_t *words = mt->words;
    for (unsigned i = 0; i < MT19937_WORDS - MIDDLE; i++)
        words[i] = words[i + MIDDLE] ^ twist(words[i], words[i + 1]);
    for (unsigned i = MT19937_WORDS - MIDDLE; i < MT19937_WORDS - 1; i++)
        words[i] = words[i + MIDDLE - MT19937_WORDS] ^ twist(words[i], words[i + 1]);
    words[MT19937_WORDS - 1] = words[MIDDLE - 1] ^ twist(words[MT19937_WORDS - 1], words[0]);
    mt->next = 0;
}

uint32_t mt19937_u32(struct mt19937 *mt)
{
    if (mt->next == MT19937_WORDS)
        regenerate(mt);
    uint32_t y = mt->words[mt->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

uint64_t mt19937_u64(struct mt19937 *mt)
{
    uint64_t high = mt19937_u32(mt);
    return high << 32 | mt19937_u32(mt);
}

uint64_t mt19937_bounded(struct mt19937 *mt, uint64_t max)
{
    if (max == 0)
        return 0;
    uint64_t mask = UINT64_MAX >> __builtin_clzll(max);
    uint64_t value;
    do
        value = (max <= UINT32_MAX ? mt19937_u32(mt) : mt19937_u64(mt)) & mask;
    while (value > max);
    return value;
}

void mt19937_shuffle(struct mt19937 *mt, uint32_t *items, uint32_t n)
{
    for (uint32_t i = n; i-- > 1;) {
        uint32_t j = (uint32_t)mt19937_bounded(mt, i);
        uint32_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

void mt19937_permutation(struct mt19937 *mt, uint32_t n, uint32_t *ret)
{
    for (uint32_t i = 0; i < n; i++)
        ret[i] = i;
    mt19937_shuffle(mt, ret, n);
}
