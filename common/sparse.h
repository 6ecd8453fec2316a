/* SPDX-License-Identifier: Apache-2.0
 * The vector code behind sparse_fill(), one function for each level of instructions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cpu.h"
#include "common/slices.h"

enum { SPARSE_RUN_MAX = 64 };

/* Runs of at most SPARSE_RUN_MAX events, of which the places are known. */
struct sparse_runs {
    const struct slice_run *at;
    uint32_t n;
    const uint32_t
        *places; /* of event `first` on; SPARSE_RUN_MAX more than there are can be read */
    uint32_t first;
    bool repeats;
};

/* Write the places of each run, ascending, to `at`, all or each once, and how many there are to
 * counts[]. PLACE_NOWHERE is dropped. Nothing is written at `end` or behind. Returns where the next
 * one goes. */
typedef int16_t *sparse_write(const struct sparse_runs *runs, int16_t *at, const int16_t *end,
                              int32_t *counts);

#if CPU_X86
sparse_write sparse_write_avx2, sparse_write_avx512;
#endif
