/* SPDX-License-Identifier: Apache-2.0
 * Small recordings and source splits, for tests of what is made from them. */
#include "tests/small_splits.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/split.h"

const uint8_t small_digits[SMALL_N] = {0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9};

void small_recording(size_t i, uint8_t ret[SMALL_BYTES])
{
    for (size_t k = 0; k < SMALL_EVENTS; k++) {
        struct event event = {
            .t_us = (uint32_t)(1 + i + k * (1000 + 7 * i)),
            .x = (uint8_t)((k + i) % SENSOR_WIDTH),
            .y = (uint8_t)(k * i % SENSOR_HEIGHT),
            .p = (uint8_t)((k + i) % 2),
        };
        event_pack(event, ret + k * EVENT_BYTES);
    }
}

struct event_span small_span(size_t i)
{
    static uint8_t bytes[SMALL_N][SMALL_BYTES];
    small_recording(i, bytes[i]);
    return (struct event_span){.bytes = bytes[i], .n_events = SMALL_EVENTS};
}

struct split_writer *small_split_begin(const char *path, size_t n_samples)
{
    struct split_writer *writer;
    struct error why = {""};
    if (split_writer_create(path, n_samples, &writer, &why) < 0)
        fail_msg("%s", why.text);
    return writer;
}

void small_split_add(struct split_writer *writer, struct event_span events, int digit, int second,
                     int32_t source, int32_t second_source)
{
    uint8_t labels[N_DIGITS] = {0};
    if (digit >= 0)
        labels[digit] = 1;
    if (second >= 0)
        labels[second] = 1;
    const int32_t sources[2] = {source, second_source};
    assert_int_equal(split_writer_add(writer, events, labels, sources, NULL), 0);
}

void small_split_end(struct split_writer *writer, const char *kind)
{
    const struct meta metas[] = {
        {"kind", kind},
        {"sensor", SENSOR_NMNIST},
        {"time_unit", SPLIT_TIME_UNIT},
        {"origin", "synthetic"},
    };
    struct error why = {""};
    if (split_writer_finish(writer, metas, sizeof metas / sizeof *metas, &why) < 0)
        fail_msg("%s", why.text);
}

void small_source_write(const char *path)
{
    struct split_writer *writer = small_split_begin(path, SMALL_N);
    for (size_t i = 0; i < SMALL_N; i++)
        small_split_add(writer, small_span(i), small_digits[i], -1, (int32_t)i + 1, -1);
    small_split_end(writer, SPLIT_KIND_SOURCE);
}
