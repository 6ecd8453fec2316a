/* SPDX-License-Identifier: Apache-2.0
 * Merges two ascending lists of keys into one: the cut into independent parts, and the plain loop.
 *
 * Source: the cut is "merge path" (Odeh, Green, Mwassi, Shmueli, Birk: Merge Path - Parallel
 * Merging Made Simple, 2012). */
#include "common/merge.h"

#include "common/key.h"
#include "common/merge_chain.h"

/* How many of the first `n` merged keys come from a. Without a branch on what is compared: the
 * processor could only guess it. */
static size_t count_from_a(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, size_t n)
{
    size_t low = n > n_b ? n - n_b : 0, high = n < n_a ? n : n_a;
    for (size_t left = high - low; left > 0;) {
        size_t half = left / 2;
        size_t step = a[low + half] < b[n - 1 - low - half] ? half + 1 : 0;
        low += step;
        left = step ? left - half - 1 : half;
    }
    return low;
}

/* One key of each chain in turn. */
static void merge_chains_portable(const struct merge_chain chains[MERGE_CHAINS], size_t length,
                                  uint64_t *out)
{
    struct merge_chain c0 = chains[0], c1 = chains[1], c2 = chains[2], c3 = chains[3];
    for (size_t i = 0; i < length; i++) {
        out[i] = *merge_chain_next(&c0, 1);
        out[length + i] = *merge_chain_next(&c1, 1);
        out[2 * length + i] = *merge_chain_next(&c2, 1);
        out[3 * length + i] = *merge_chain_next(&c3, 1);
    }
}

static void merge_chains(const struct merge_chain chains[MERGE_CHAINS], size_t length,
                         uint64_t *out)
{
#if CPU_X86
    switch (cpu_level()) {
    case CPU_AVX512:
        merge_chains_avx512(chains, length, out);
        return;
    case CPU_AVX2:
        merge_chains_avx2(chains, length, out);
        return;
    default:
        break;
    }
#endif
    merge_chains_portable(chains, length, out);
}

/* The last part may be shorter than the others: then it runs on into the ends. */
void merge_keys(uint64_t *a, size_t n_a, uint64_t *b, size_t n_b, uint64_t *out)
{
    for (size_t i = 0; i < MERGE_SLACK; i++)
        a[n_a + i] = b[n_b + i] = KEY_END;
    size_t n = n_a + n_b, length = (n + MERGE_CHAINS - 1) / MERGE_CHAINS;
    struct merge_chain chains[MERGE_CHAINS];
    for (size_t c = 0; c < MERGE_CHAINS; c++) {
        size_t begin = c * length < n ? c * length : n;
        size_t from_a = count_from_a(a, n_a, b, n_b, begin);
        chains[c] = (struct merge_chain){.a = a + from_a, .b = b + (begin - from_a)};
    }
    merge_chains(chains, length, out);
}
