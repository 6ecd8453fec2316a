/* SPDX-License-Identifier: Apache-2.0
 * Which vector instructions this machine has, in the few steps the project makes use of. */
#pragma once

#if defined(__x86_64__)
#define CPU_X86 1
#else
#define CPU_X86 0
#endif

enum cpu_level {
    CPU_PORTABLE, /* plain C: what the others are tested against, and all there is elsewhere */
    CPU_AVX2,     /* x86-64 since 2013 */
    CPU_AVX512,   /* with VBMI and VBMI2, which move any byte anywhere, or together: since 2019 */
    CPU_LEVELS,
};

/* The level in use: the best that the machine has. Any thread. */
enum cpu_level cpu_level(void);

/* For tests and benchmarks: use no more than `most` from now on. */
void cpu_limit(enum cpu_level most);
