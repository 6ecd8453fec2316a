/* SPDX-License-Identifier: Apache-2.0
 * For tests that compare every level of vector instructions with a plain definition: random
 * recordings, and buffers that notice who writes beside them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cpu.h"
#include "common/event.h"

enum { RECORDING_MAX = 700, GUARD = 64 };

/* Run `check` with each level that this machine has, every time with the same random numbers. */
void for_each_level(void (*check)(void));

/* 0 … n - 1 */
uint32_t random_below(uint32_t n);

/* `size` bytes with GUARD bytes before and behind them that must stay as they are. */
struct buffer {
    uint8_t *bytes;
    size_t size;
};
struct buffer buffer_new(size_t size);
void buffer_check_and_free(struct buffer buffer);

/* Events in order of time, a few just outside the sensor, in an allocation of exactly their size,
 * so that a sanitizer sees who reads beside them. Lengths around every vector width and up to
 * RECORDING_MAX; times from all equal to all different; many repeats, or few. The caller frees
 * .bytes with recording_free(). */
struct event_span recording_any(void);

/* n × EVENT_BYTES random bytes, in the same way. */
struct event_span recording_noise(size_t n);
void recording_free(struct event_span recording);
