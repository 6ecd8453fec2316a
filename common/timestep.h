/* SPDX-License-Identifier: Apache-2.0
 * Times in steps, exactly and without a division per event.
 *
 * t / us = 2t / 2us, and floor(n / d) = n · m >> s, with s = 25 + ceil(log2 d) and
 * m = floor(2^s / d) + 1, is exact for every n below 2^25 (Granlund, Montgomery: Division by
 * Invariant Integers using Multiplication, 1994). n · m stays below 2^52. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

enum { TIMESTEP_MAX_US = 1000000, TIMESTEP_NUMERATOR_BITS = 25 };

struct timestep {
    uint32_t us;
    uint32_t shift;
    uint64_t factor;
};

/* 1 ≤ us ≤ TIMESTEP_MAX_US. */
static inline struct timestep timestep_of(uint32_t us)
{
    uint32_t shift = TIMESTEP_NUMERATOR_BITS;
    while (UINT64_C(1) << (shift - TIMESTEP_NUMERATOR_BITS) < 2 * (uint64_t)us)
        shift++;
    return (struct timestep){
        .us = us, .shift = shift, .factor = (UINT64_C(1) << shift) / (2 * (uint64_t)us) + 1};
}

/* floor(t / us), t ≤ EVENT_T_MAX */
static inline uint32_t timestep_floor(struct timestep step, uint32_t t_us)
{
    return (uint32_t)((uint64_t)(2 * t_us) * step.factor >> step.shift);
}

/* t / us to the nearest, half to even: half up first; what that divides without rest was a half. */
static inline uint32_t timestep_round(struct timestep step, uint32_t t_us)
{
    uint32_t n = 2 * t_us + step.us;
    uint32_t up = (uint32_t)((uint64_t)n * step.factor >> step.shift);
    return up - (up & (up * (2 * step.us) == n));
}

/* timestep_round() the time of n keys (common/key.h), as many µs; those past EVENT_T_MAX wrap. */
void timestep_round_keys(struct timestep step, uint64_t *keys, size_t n);

/* Replace n times by their numbers of steps, rounded or floored. */
void timestep_count(struct timestep step, uint32_t *t_us, size_t n, bool round);
