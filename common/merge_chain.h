/* SPDX-License-Identifier: Apache-2.0
 * What the merging code of each level of instructions shares. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cpu.h"

/* A merge is one long chain in which every step waits for the one before. Cutting the work into
 * this many parts that know nothing of each other gives the processor chains to run side by side,
 * in one loop that takes a step of each. */
enum { MERGE_CHAINS = 4 };

/* What one part has not merged yet. */
struct merge_chain {
    const uint64_t *a, *b;
};

/* Take `n` keys from the list whose next key is smaller, by arithmetic: which one it is, a branch
 * could only guess. The empty assembler statement hides from the compiler that the mask is the
 * result of a comparison; without it gcc or clang, in turns, make a branch of it again. */
static inline const uint64_t *merge_chain_next(struct merge_chain *chain, size_t n)
{
    const uint64_t *a = chain->a, *b = chain->b;
    size_t from_b = -(size_t)(*b < *a);
    __asm__("" : "+r"(from_b));
    chain->a = a + (n & ~from_b);
    chain->b = b + (n & from_b);
    return (const uint64_t *)((uintptr_t)a ^ (((uintptr_t)a ^ (uintptr_t)b) & from_b));
}

/* Write `length` keys for each chain c to out + c × length, and up to three more, the same ones
 * that the next chain begins with. Behind both lists stand MERGE_SLACK times KEY_END. */
#if CPU_X86
void merge_chains_avx2(const struct merge_chain chains[MERGE_CHAINS], size_t length, uint64_t *out);
void merge_chains_avx512(const struct merge_chain chains[MERGE_CHAINS], size_t length,
                         uint64_t *out);
#endif
