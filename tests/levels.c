/* SPDX-License-Identifier: Apache-2.0
 * For tests that compare every level of vector instructions with a plain definition: random
 * recordings, and buffers that notice who writes beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mt19937.h"
#include "tests/levels.h"

enum { GUARD_BYTE = 0xa5 };

static struct mt19937 random_state;

uint32_t random_below(uint32_t n)
{
    return (uint32_t)mt19937_bounded(&random_state, n - 1);
}

void for_each_level(void (*check)(void))
{
    for (int level = CPU_PORTABLE; level < CPU_LEVELS; level++) {
        cpu_limit((enum cpu_level)level);
        mt19937_init_genrand(&random_state, 42);
        check();
    }
}

struct buffer buffer_new(size_t size)
{
    uint8_t *all = malloc(size + 2 * (size_t)GUARD);
    assert_non_null(all);
    memset(all, GUARD_BYTE, size + 2 * (size_t)GUARD);
    return (struct buffer){.bytes = all + GUARD, .size = size};
}

void buffer_check_and_free(struct buffer buffer)
{
    uint8_t want[GUARD];
    memset(want, GUARD_BYTE, sizeof want);
    assert_memory_equal(buffer.bytes - GUARD, want, GUARD);
    assert_memory_equal(buffer.bytes + buffer.size, want, GUARD);
    free(buffer.bytes - GUARD);
}

static uint8_t *allocate(size_t n_events)
{
    uint8_t *bytes = malloc(n_events ? n_events * EVENT_BYTES : 1);
    assert_non_null(bytes);
    return bytes;
}

/* Two events lie up to `gap_us` apart; 0 puts all of them at one time. */
static struct event_span recording_random(size_t n, uint32_t gap_us, uint32_t n_pixels)
{
    uint8_t *bytes = allocate(n);
    uint32_t t_us = random_below(1000);
    for (size_t i = 0; i < n; i++) {
        struct event event = {
            .t_us = t_us,
            .x = (uint8_t)random_below(n_pixels),
            .y = (uint8_t)random_below(n_pixels),
            .p = (uint8_t)random_below(2),
        };
        event_pack(event, bytes + i * EVENT_BYTES);
        t_us += random_below(gap_us + 1);
    }
    return (struct event_span){.bytes = bytes, .n_events = n};
}

struct event_span recording_any(void)
{
    static const uint32_t gaps_us[] = {0, 1, 2, 5, 40, 2000};
    size_t n = random_below(2) ? random_below(70) : random_below(RECORDING_MAX);
    return recording_random(n, gaps_us[random_below(6)], random_below(2) ? 3 : SENSOR_WIDTH + 1);
}

struct event_span recording_noise(size_t n)
{
    uint8_t *bytes = allocate(n);
    for (size_t i = 0; i < n * EVENT_BYTES; i++)
        bytes[i] = (uint8_t)random_below(256);
    return (struct event_span){.bytes = bytes, .n_events = n};
}

void recording_free(struct event_span recording)
{
    free((uint8_t *)recording.bytes);
}
