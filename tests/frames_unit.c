/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/frames, at every level of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/frames.h"
#include "tests/levels.h"

enum { ROUNDS = 400 };

/* As u8, one sample. */
static void define_frames(const struct frames_rule *rule, struct event_span events, uint8_t *out)
{
    const size_t width = rule->geometry.width, height = rule->geometry.height;
    const size_t places = SENSOR_POLARITIES * height * width;
    memset(out, 0, rule->bins * places);
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        uint32_t bin = event.t_us / rule->timestep_us, rest = event.t_us % rule->timestep_us;
        if (rule->binning == FRAMES_ROUND)
            bin += 2 * rest > rule->timestep_us || (2 * rest == rule->timestep_us && bin % 2);
        if (bin >= rule->bins || event.x >= width || event.y >= height)
            continue;
        size_t place = (event.p * height + event.y) * width + event.x;
        uint8_t *value =
            rule->axes == FRAMES_TCHW ? out + bin * places + place : out + place * rule->bins + bin;
        if (*value < (rule->overlap == FRAMES_OR ? 1 : UINT8_MAX))
            ++*value;
    }
}

/* A u8 tensor as values of the rule. */
static struct buffer with_values(const struct frames_rule *rule, struct buffer u8)
{
    if (rule->values == FRAMES_U8)
        return u8;
    struct buffer out = buffer_new(u8.size * sizeof(float));
    for (size_t i = 0; i < u8.size; i++) {
        float value = u8.bytes[i];
        memcpy(out.bytes + i * sizeof value, &value, sizeof value);
    }
    buffer_check_and_free(u8);
    return out;
}

static struct frames_rule any_rule(void)
{
    static const uint32_t timesteps[] = {1, 2, 3, 10, 999, 1000, 1000000};
    static const struct geometry geometries[] = {
        {1, 1, 10}, {5, 36, 10}, {256, 3, 10}, {40, 256, 10}};
    return (struct frames_rule){
        .geometry = random_below(3) ? GEOMETRY_NMNIST : geometries[random_below(4)],
        .timestep_us = timesteps[random_below(7)],
        .bins = 1 + random_below(40),
        .binning = random_below(2) ? FRAMES_ROUND : FRAMES_FLOOR,
        .overlap = random_below(2) ? FRAMES_OR : FRAMES_SUM,
        .axes = random_below(2) ? FRAMES_TCHW : FRAMES_CHWT,
        .values = random_below(2) ? FRAMES_U8 : FRAMES_F32,
    };
}

static struct event_span any_events(void)
{
    return random_below(5) ? recording_any() : recording_noise(random_below(1200));
}

static size_t n_values(const struct frames_rule *rule)
{
    return frames_size(rule) / (rule->values == FRAMES_F32 ? sizeof(float) : 1);
}

static void check_frames(void)
{
    for (int round = 0; round < ROUNDS / 4; round++) {
        struct event_span events = any_events();
        struct frames_rule rule = any_rule();
        struct buffer out = buffer_new(frames_size(&rule)), want = buffer_new(n_values(&rule));
        define_frames(&rule, events, want.bytes);
        want = with_values(&rule, want);
        frames_fill(&rule, events, out.bytes);
        assert_memory_equal(out.bytes, want.bytes, out.size);
        buffer_check_and_free(out);
        buffer_check_and_free(want);
        recording_free(events);
    }
}

static void check_batches(void)
{
    for (int round = 0; round < ROUNDS / 20; round++) {
        struct frames_rule rule = any_rule();
        rule.axes = FRAMES_TCHW;
        size_t n = 1 + random_below(4), one = n_values(&rule), frame = one / rule.bins;
        struct buffer out = buffer_new(n * frames_size(&rule)), want = buffer_new(n * one),
                      single = buffer_new(one);
        memset(out.bytes, 0, out.size);
        for (size_t i = 0; i < n; i++) {
            struct event_span events = any_events();
            define_frames(&rule, events, single.bytes);
            for (size_t bin = 0; bin < rule.bins; bin++)
                memcpy(want.bytes + (bin * n + i) * frame, single.bytes + bin * frame, frame);
            frames_fill_among(&rule, events, i, n, out.bytes);
            recording_free(events);
        }
        want = with_values(&rule, want);
        assert_memory_equal(out.bytes, want.bytes, out.size);
        buffer_check_and_free(out);
        buffer_check_and_free(want);
        buffer_check_and_free(single);
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
