/* SPDX-License-Identifier: Apache-2.0
 * The vector code behind common/event_codec.h, one table for each level of instructions.
 *
 * A kernel does what its namesake there does, for as many whole blocks of events as it likes from
 * the start of the output, and returns how many events that was: the plain loop does the rest. So
 * no kernel needs code for the ends, and none touches a byte outside the caller's buffers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cpu.h"
#include "common/event.h"

struct event_kernels {
    size_t (*columns)(struct event_span events, uint32_t *t_us, uint8_t *x, uint8_t *y, uint8_t *p);
    size_t (*structured)(struct event_span events, uint8_t *ret);
    size_t (*keys)(struct event_span events, uint32_t seq, uint64_t *ret);
    size_t (*keys_reversed)(struct event_span events, uint32_t seq, uint64_t *ret);
    size_t (*pack)(const uint64_t *keys, size_t n, uint8_t *ret);
    size_t (*pack_distinct)(const uint64_t *keys, size_t n, uint8_t *ret);
};

#if CPU_X86
extern const struct event_kernels event_kernels_avx2, event_kernels_avx512;
#endif
