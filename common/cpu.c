/* SPDX-License-Identifier: Apache-2.0
 * Which vector instructions this machine has, in the few steps the project makes use of. */
#include "common/cpu.h"

#include <stdatomic.h>

static atomic_int limit = CPU_LEVELS - 1;

static enum cpu_level best(void)
{
#if CPU_X86
    if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx2"))
        return CPU_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return CPU_AVX2;
#endif
    return CPU_PORTABLE;
}

enum cpu_level cpu_level(void)
{
    enum cpu_level have = best();
    enum cpu_level most = (enum cpu_level)atomic_load_explicit(&limit, memory_order_relaxed);
    return have < most ? have : most;
}

void cpu_limit(enum cpu_level most)
{
    atomic_store_explicit(&limit, (int)most, memory_order_relaxed);
}
