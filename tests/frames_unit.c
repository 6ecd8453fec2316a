/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/frames, at every level of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/frames.h"
#include "tests/frame_values.h"
#include "tests/levels.h"

enum { ROUNDS = 400 };

/* The largest count. */
static uint16_t most_of(const struct frames_rule *rule)
{
    if (rule->overlap == FRAMES_OR)
        return 1;
    return rule->values == FRAMES_U16 ? UINT16_MAX : UINT8_MAX;
}

/* One sample, as u16. */
static void define_frames(const struct frames_rule *rule, struct event_span events, uint16_t *out)
{
    const size_t width = rule->geometry.width, height = rule->geometry.height;
    const size_t places = SENSOR_POLARITIES * height * width;
    memset(out, 0, rule->bins * places * sizeof *out);
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        uint32_t bin = event.t_us / rule->timestep_us, rest = event.t_us % rule->timestep_us;
        if (rule->binning == FRAMES_ROUND)
            bin += 2 * rest > rule->timestep_us || (2 * rest == rule->timestep_us && bin % 2);
        if (bin >= rule->bins || event.x >= width || event.y >= height)
            continue;
        size_t place = (event.p * height + event.y) * width + event.x;
        uint16_t *value =
            rule->axes == FRAMES_TCHW ? out + bin * places + place : out + place * rule->bins + bin;
        if (*value < most_of(rule))
            ++*value;
    }
}

/* Frees both. */
static void expect(const struct frames_rule *rule, struct buffer tensor, uint16_t *wanted, size_t n)
{
    assert_int_equal(tensor.size, n * frames_value_size(rule->values));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(frame_value(rule->values, tensor.bytes, i), wanted[i]);
    buffer_check_and_free(tensor);
    free(wanted);
}

static uint16_t *counts_new(size_t n)
{
    uint16_t *counts = malloc(n * sizeof *counts);
    assert_non_null(counts);
    return counts;
}

static struct frames_rule any_rule(void)
{
    static const uint32_t timesteps[] = {1, 2, 3, 10, 999, 1000, 1000000};
    static const enum frames_values values[] = {FRAMES_U8, FRAMES_U16, FRAMES_F32};
    static const struct geometry geometries[] = {
        {1, 1, 10}, {5, 36, 10}, {256, 3, 10}, {40, 256, 10}};
    return (struct frames_rule){
        .geometry = random_below(3) ? GEOMETRY_NMNIST : geometries[random_below(4)],
        .timestep_us = timesteps[random_below(7)],
        .bins = 1 + random_below(40),
        .binning = random_below(2) ? FRAMES_ROUND : FRAMES_FLOOR,
        .overlap = random_below(2) ? FRAMES_OR : FRAMES_SUM,
        .axes = random_below(2) ? FRAMES_TCHW : FRAMES_CHWT,
        .values = values[random_below(3)],
    };
}

static struct event_span any_events(void)
{
    return random_below(5) ? recording_any() : recording_noise(random_below(1200));
}

static size_t n_values(const struct frames_rule *rule)
{
    return frames_size(rule) / frames_value_size(rule->values);
}

static void check_frames(void)
{
    for (int round = 0; round < ROUNDS / 4; round++) {
        struct event_span events = any_events();
        struct frames_rule rule = any_rule();
        struct buffer out = buffer_new(frames_size(&rule));
        uint16_t *want = counts_new(n_values(&rule));
        define_frames(&rule, events, want);
        frames_fill(&rule, events, out.bytes);
        expect(&rule, out, want, n_values(&rule));
        recording_free(events);
    }
}

static void check_batches(void)
{
    for (int round = 0; round < ROUNDS / 20; round++) {
        struct frames_rule rule = any_rule();
        rule.axes = FRAMES_TCHW;
        size_t n = 1 + random_below(4), one = n_values(&rule), frame = one / rule.bins;
        struct buffer out = buffer_new(n * frames_size(&rule));
        uint16_t *want = counts_new(n * one), *single = counts_new(one);
        memset(out.bytes, 0, out.size);
        for (size_t i = 0; i < n; i++) {
            struct event_span events = any_events();
            define_frames(&rule, events, single);
            for (size_t bin = 0; bin < rule.bins; bin++)
                memcpy(want + (bin * n + i) * frame, single + bin * frame, frame * sizeof *want);
            frames_fill_among(&rule, events, i, n, out.bytes);
            recording_free(events);
        }
        expect(&rule, out, want, n * one);
        free(single);
    }
}

static void frames_are_what_their_definition_says(void **state)
{
    (void)state;
    for_each_level(check_frames);
}

static void batches_with_time_first_are_their_samples(void **state)
{
    (void)state;
    for_each_level(check_batches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_what_their_definition_says),
        cmocka_unit_test(batches_with_time_first_are_their_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
