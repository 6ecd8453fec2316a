/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/slices, at every level of instructions: which events are in which frame, asked
 * event by event, and cases counted by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/slices.h"
#include "tests/levels.h"

enum { ROUNDS = 1500, COMPARED_MOST = 500 };
#define N_RULES ((enum slice)(SLICE_DURATION + 1))

static struct slices slices;

static uint32_t time_of(struct event_span events, size_t i)
{
    return event_unpack(events.bytes + i * EVENT_BYTES).t_us;
}

/* ---- The definition ---- */

struct sample {
    struct event_span events;
    uint32_t first_us, last_us;
};

static struct sample sample_of(struct event_span events)
{
    size_t n = events.n_events;
    return (struct sample){.events = events,
                           .first_us = n ? time_of(events, 0) : 0,
                           .last_us = n ? time_of(events, n - 1) : 0};
}

static bool in_timestep(const struct slice_rule *rule, uint32_t frame, uint32_t t_us)
{
    uint32_t step = rule->timestep_us, at = t_us / step, rest = t_us % step;
    if (rule->binning == FRAMES_ROUND)
        at += 2 * rest > step || (2 * rest == step && at % 2);
    return at == frame;
}

static bool in_time_bin(const struct slice_rule *rule, const struct sample *sample, uint32_t frame,
                        uint32_t t_us)
{
    double window = (double)((sample->last_us - sample->first_us) / rule->bins);
    window = window * (1 + rule->bin_overlap);
    double stride = window * (1 - rule->bin_overlap), begin = frame * stride;
    begin = begin + sample->first_us;
    double end = begin + window;
    return t_us >= begin && t_us < end;
}

static bool in_part(uint64_t begin, uint64_t length, uint64_t at)
{
    return at >= begin && at < begin + length;
}

/* Whether the i-th event is in a frame, of which there are n. */
static bool is_in(const struct slice_rule *rule, const struct sample *sample, uint32_t frame,
                  uint32_t n, size_t i)
{
    uint32_t t_us = time_of(sample->events, i), since_us = t_us - sample->first_us;
    uint32_t span_us = sample->last_us - sample->first_us;
    uint32_t each = (uint32_t)sample->events.n_events / rule->bins, each_us = span_us / rule->bins;
    uint64_t rest = frame + 1 == n ? UINT32_MAX : 0; /* for the last one of some */
    switch (rule->slice) {
    case SLICE_TIMESTEP:
        return in_timestep(rule, frame, t_us);
    case SLICE_WINDOW:
        return in_part((rule->has_range ? rule->start_us : sample->first_us) +
                           (uint64_t)frame * rule->stride_us,
                       rule->timestep_us, t_us);
    case SLICE_TIME_BINS:
        return in_time_bin(rule, sample, frame, t_us);
    case SLICE_EVENT_COUNT:
        return in_part((uint64_t)frame * rule->stride_events, rule->n_events, i);
    case SLICE_EVENT_BINS:
        return in_part((uint64_t)frame * each, each, i);
    case SLICE_NUMBER:
        return in_part((uint64_t)frame * each, each + rest, i);
    case SLICE_TIME:
        return in_part((uint64_t)frame * each_us, each_us + rest, since_us);
    case SLICE_DURATION:
        return in_part((uint64_t)frame * rule->timestep_us, rule->timestep_us + rest, since_us);
    }
    return false;
}

/* One, and as many more as fit into what it leaves. */
static uint64_t one_and_more(int64_t rest, uint32_t stride, bool incomplete)
{
    if (rest < 0)
        return 1;
    return 1 + ((uint64_t)rest + (incomplete ? stride - 1 : 0)) / stride;
}

static uint64_t define_number(const struct slice_rule *rule, const struct sample *sample)
{
    int64_t start_us = rule->has_range ? rule->start_us : sample->first_us;
    int64_t end_us = rule->has_range ? rule->end_us : sample->last_us;
    switch (rule->slice) {
    case SLICE_WINDOW:
        return one_and_more(end_us - start_us - rule->timestep_us, rule->stride_us,
                            rule->incomplete);
    case SLICE_EVENT_COUNT:
        return one_and_more((int64_t)sample->events.n_events - rule->n_events, rule->stride_events,
                            rule->incomplete);
    case SLICE_DURATION:
        return (sample->last_us - sample->first_us + (uint64_t)rule->timestep_us - 1) /
               rule->timestep_us;
    default:
        return rule->bins;
    }
}

static bool has_empty_bin(const struct slice_rule *rule, const struct sample *sample)
{
    uint32_t each_us = (sample->last_us - sample->first_us) / rule->bins;
    for (uint32_t frame = 0; frame < rule->bins; frame++) {
        bool is_empty = true;
        for (size_t i = 0; i < sample->events.n_events; i++)
            is_empty &= !in_part((uint64_t)frame * each_us, each_us,
                                 time_of(sample->events, i) - sample->first_us);
        if (is_empty)
            return true;
    }
    return false;
}

/* Whether the libraries make anything of it. */
static bool is_possible(const struct slice_rule *rule, const struct sample *sample)
{
    bool has_events = sample->events.n_events > 0;
    switch (rule->slice) {
    case SLICE_WINDOW:
        return has_events || rule->has_range;
    case SLICE_TIME_BINS:
        return has_events;
    case SLICE_TIME:
        return has_events && !has_empty_bin(rule, sample);
    case SLICE_DURATION:
        return has_events && sample->last_us > sample->first_us;
    default:
        return true;
    }
}

static void compare_frame(const struct slice_rule *rule, const struct sample *sample,
                          uint32_t frame)
{
    const struct slice_run *run = &slices.at[frame];
    const size_t n_events = sample->events.n_events;
    assert_true(run->begin <= run->end && run->end <= n_events);
    for (size_t i = 0; i < n_events; i++)
        if ((i >= run->begin && i < run->end) != is_in(rule, sample, frame, slices.n, i))
            fail_msg("slice %d: event %zu of %zu, frame %u of %u", (int)rule->slice, i, n_events,
                     frame, slices.n);
}

static void compare(const struct slice_rule *rule, const struct sample *sample)
{
    struct error why = {""};
    uint64_t n = define_number(rule, sample);
    uint32_t n_fixed = 0;
    int r = slices_cut(rule, sample->events, &slices, &why);
    if (!is_possible(rule, sample) || n > FRAMES_BINS_MAX) {
        assert_int_equal(r, is_possible(rule, sample) ? -E2BIG : -EINVAL);
        assert_true(why.text[0] != '\0');
        return;
    }
    if (r < 0)
        fail_msg("slice %d: %s", (int)rule->slice, why.text);
    assert_int_equal(slices.n, n);
    assert_true(slices_most(rule, sample->events.n_events, sample->last_us - sample->first_us) >=
                n);
    if (slices_are_fixed(rule, &n_fixed))
        assert_int_equal(n_fixed, n);
    for (uint32_t frame = 0; n <= COMPARED_MOST && frame < n; frame++)
        compare_frame(rule, sample, frame);
}

static struct slice_rule any_rule(void)
{
    static const uint32_t times_us[] = {1, 2, 3, 10, 40, 999, 1000, 30000, FRAMES_TIMESTEP_MAX_US};
    static const double overlaps[] = {0, 0.1, 0.3, 0.5, 0.9, 0.999};
    uint32_t timestep_us = times_us[random_below(9)], n_events = 1 + random_below(60);
    return (struct slice_rule){
        .slice = (enum slice)random_below(N_RULES),
        .timestep_us = timestep_us,
        .bins = 1 + random_below(random_below(4) ? 40 : 400),
        .binning = random_below(2) ? FRAMES_ROUND : FRAMES_FLOOR,
        .stride_us = random_below(2) ? timestep_us : 1 + random_below(2 * timestep_us),
        .has_range = random_below(2),
        .start_us = random_below(3000),
        .end_us = random_below(20000),
        .n_events = n_events,
        .stride_events = random_below(2) ? n_events : 1 + random_below(2 * n_events),
        .incomplete = random_below(2),
        .bin_overlap = overlaps[random_below(6)],
    };
}

static void check_rules(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct slice_rule rule = any_rule();
        struct sample sample = sample_of(recording_any());
        compare(&rule, &sample);
        recording_free(sample.events);
    }
}

static void frames_are_of_the_events_that_the_rules_say(void **state)
{
    (void)state;
    for_each_level(check_rules);
}

/* Whatever the bytes say, nothing beside them is touched. */
static void check_noise(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct slice_rule rule = any_rule();
        struct event_span events = recording_noise(20 + random_below(1500));
        struct error why = {""};
        int r = slices_cut(&rule, events, &slices, &why);
        assert_true(r == -E2BIG || r == -EINVAL);
        recording_free(events);
    }
}

static void noise_is_refused(void **state)
{
    (void)state;
    for_each_level(check_noise);
}

/* At either side of where vector code begins anew. */
static void check_one_descent(void)
{
    enum { N = 1500 };
    static uint8_t bytes[N * EVENT_BYTES];
    static const uint32_t places[] = {1, 2, 511, 512, 513, 1023, 1024, 1025, N - 1};
    const struct event_span events = {bytes, N};
    for (size_t k = 0; k < sizeof places / sizeof *places; k++)
        for (enum slice slice = 0; slice < N_RULES; slice++) {
            const struct slice_rule rule = {.slice = slice,
                                            .timestep_us = 1000,
                                            .bins = 3,
                                            .stride_us = 1000,
                                            .n_events = 700,
                                            .stride_events = 700};
            struct error why;
            for (uint32_t i = 0; i < N; i++)
                event_pack((struct event){.t_us = 1 + 2 * i}, bytes + i * (size_t)EVENT_BYTES);
            assert_int_equal(slices_cut(&rule, events, &slices, NULL), 0);
            event_pack((struct event){.t_us = 2 * places[k] - 2},
                       bytes + places[k] * (size_t)EVENT_BYTES);
            assert_int_equal(slices_cut(&rule, events, &slices, &why), -EINVAL);
            assert_non_null(strstr(why.text, "not in order of time"));
        }
}

static void one_event_out_of_order_is_found_wherever_it_is(void **state)
{
    (void)state;
    for_each_level(check_one_descent);
}

/* ---- By hand ---- */

static struct event_span at_times(const uint32_t *times_us, size_t n, uint8_t *bytes)
{
    for (size_t i = 0; i < n; i++)
        event_pack((struct event){.t_us = times_us[i]}, bytes + i * EVENT_BYTES);
    return (struct event_span){.bytes = bytes, .n_events = n};
}

#define LIST(...)   ((const uint32_t[]){__VA_ARGS__}), (sizeof((uint32_t[]){__VA_ARGS__}) / 4)
#define TIMES(...)  LIST(__VA_ARGS__)
#define COUNTS(...) LIST(__VA_ARGS__)

static void expect(struct slice_rule rule, const uint32_t *times_us, size_t n_events,
                   const uint32_t *counts, size_t n)
{
    uint8_t bytes[64 * EVENT_BYTES];
    struct error why;
    assert_in_range(n_events, 0, 64);
    if (slices_cut(&rule, at_times(times_us, n_events, bytes), &slices, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(slices.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(slices.at[i].end - slices.at[i].begin, counts[i]);
}

static void timesteps_are_rounded_half_to_even_from_time_0(void **state)
{
    (void)state;
    struct slice_rule rule = {.slice = SLICE_TIMESTEP, .timestep_us = 1000, .bins = 4};
    expect(rule, TIMES(0, 499, 500, 1500, 2500, 2501, 3500), COUNTS(3, 0, 2, 1));
    rule.binning = FRAMES_FLOOR;
    expect(rule, TIMES(0, 499, 500, 1500, 2500, 2501, 3500), COUNTS(3, 1, 2, 1));
}

static void windows_begin_with_the_first_event_and_may_be_incomplete(void **state)
{
    (void)state;
    struct slice_rule rule = {.slice = SLICE_WINDOW, .timestep_us = 10, .stride_us = 10};
    expect(rule, TIMES(7, 16, 17, 17, 30, 37), COUNTS(2, 2, 1));
    expect(rule, TIMES(7, 16, 17, 17, 30), COUNTS(2, 2));
    rule.incomplete = true;
    expect(rule, TIMES(7, 16, 17, 17, 30), COUNTS(2, 2, 1));
    rule.incomplete = false;
    rule.stride_us = 5;
    expect(rule, TIMES(7, 16, 17, 17, 30, 37), COUNTS(2, 3, 2, 1, 1));
    rule.stride_us = 20;
    expect(rule, TIMES(7, 16, 17, 17, 30, 37), COUNTS(2, 1));
    rule.stride_us = rule.timestep_us = 100;
    expect(rule, TIMES(7, 16, 17, 17, 30, 37), COUNTS(6));
}

static void windows_of_a_range_have_one_number_for_all(void **state)
{
    (void)state;
    struct slice_rule rule = {
        .slice = SLICE_WINDOW, .timestep_us = 10, .stride_us = 10, .has_range = true, .end_us = 30};
    expect(rule, TIMES(7, 16, 17, 17, 30, 37), COUNTS(1, 3, 0));
    expect(rule, NULL, 0, COUNTS(0, 0, 0));
    rule.start_us = 16;
    expect(rule, TIMES(7, 16, 17, 17, 30, 37), COUNTS(3));
    rule.end_us = 3; /* before it begins: one frame all the same */
    expect(rule, TIMES(50), COUNTS(0));
}

static void time_bins_are_of_whole_microseconds(void **state)
{
    (void)state;
    struct slice_rule rule = {.slice = SLICE_TIME_BINS, .bins = 2};
    expect(rule, TIMES(5, 7, 8, 10, 11, 12), COUNTS(2, 2)); /* 5 to 8, 8 to 11 */
    expect(rule, TIMES(5, 6), COUNTS(0, 0));
    expect(rule, TIMES(5), COUNTS(0, 0));
    rule.bin_overlap = 0.5;
    expect(rule, TIMES(5, 7, 8, 10, 11, 12), COUNTS(3, 3)); /* 5 to 9.5, 7.25 to 11.75 */
    rule.slice = SLICE_TIME;
    expect(rule, TIMES(5, 7, 8, 10, 11, 12), COUNTS(2, 4));
    rule = (struct slice_rule){.slice = SLICE_DURATION, .timestep_us = 3};
    expect(rule, TIMES(5, 7, 8, 10, 11), COUNTS(2, 3));
    expect(rule, TIMES(5, 7, 8, 10, 11, 12), COUNTS(2, 2, 2));
    expect(rule, TIMES(5, 6), COUNTS(2));
}

static void frames_of_counts_overlap_or_leave_some_out(void **state)
{
    (void)state;
    struct slice_rule rule = {.slice = SLICE_EVENT_COUNT, .n_events = 3, .stride_events = 3};
    expect(rule, TIMES(0, 1, 2, 3, 4, 5, 6), COUNTS(3, 3));
    expect(rule, NULL, 0, COUNTS(0));
    rule.incomplete = true;
    expect(rule, TIMES(0, 1, 2, 3, 4, 5, 6), COUNTS(3, 3, 1));
    rule.incomplete = false;
    rule.stride_events = 2;
    expect(rule, TIMES(0, 1, 2, 3, 4, 5, 6), COUNTS(3, 3, 3));
    rule.n_events = rule.stride_events = 9;
    expect(rule, TIMES(0, 1, 2, 3, 4, 5, 6), COUNTS(7));
    rule = (struct slice_rule){.slice = SLICE_EVENT_BINS, .bins = 3};
    expect(rule, TIMES(0, 1, 2, 3, 4, 5, 6), COUNTS(2, 2, 2));
    expect(rule, TIMES(0, 1), COUNTS(0, 0, 0));
    rule.slice = SLICE_NUMBER;
    expect(rule, TIMES(0, 1, 2, 3, 4, 5, 6), COUNTS(2, 2, 3));
    expect(rule, TIMES(0, 1), COUNTS(0, 0, 2));
}

static void refuse(struct slice_rule rule, const uint32_t *times_us, size_t n_events, int wanted,
                   const char *words)
{
    uint8_t bytes[64 * EVENT_BYTES];
    struct error why;
    assert_int_equal(slices_cut(&rule, at_times(times_us, n_events, bytes), &slices, &why), wanted);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

static void what_the_libraries_make_nothing_of_is_refused(void **state)
{
    (void)state;
    static const enum slice of_times[] = {SLICE_WINDOW, SLICE_TIME_BINS, SLICE_TIME,
                                          SLICE_DURATION};
    struct slice_rule rule = {.bins = 3, .timestep_us = 10, .stride_us = 10};
    for (size_t i = 0; i < sizeof of_times / sizeof *of_times; i++) {
        rule.slice = of_times[i];
        refuse(rule, NULL, 0, -EINVAL, "no events");
    }
    rule.slice = SLICE_TIMESTEP;
    expect(rule, NULL, 0, COUNTS(0, 0, 0));
    rule.slice = SLICE_TIME;
    refuse(rule, TIMES(0, 10, 29, 70, 90), -EINVAL, "frame 1 of 3");
    refuse(rule, TIMES(0, 1), -EINVAL, "frame 0 of 3");
    rule.slice = SLICE_DURATION;
    refuse(rule, TIMES(7, 7), -EINVAL, "7 us");
}

static void more_frames_than_the_limit_are_refused(void **state)
{
    (void)state;
    struct slice_rule rule = {.slice = SLICE_DURATION, .timestep_us = 1, .stride_us = 1};
    uint8_t bytes[2 * EVENT_BYTES];
    assert_int_equal(slices_cut(&rule, at_times(TIMES(0, FRAMES_BINS_MAX), bytes), &slices, NULL),
                     0);
    assert_int_equal(slices.n, FRAMES_BINS_MAX);
    refuse(rule, TIMES(0, FRAMES_BINS_MAX + 1), -E2BIG, "4097 frames, and the limit is 4096");
    rule.slice = SLICE_WINDOW;
    refuse(rule, TIMES(0, FRAMES_BINS_MAX + 1), -E2BIG, "4097");
    rule.has_range = true;
    rule.end_us = UINT32_MAX;
    refuse(rule, TIMES(0), -E2BIG, "4294967295");
    uint32_t n = 0;
    assert_true(slices_are_fixed(&rule, &n));
    assert_int_equal(n, UINT32_MAX);
    rule = (struct slice_rule){.slice = SLICE_EVENT_COUNT, .n_events = 1, .stride_events = 1};
    assert_int_equal(slices_most(&rule, FRAMES_BINS_MAX + 1, 0), FRAMES_BINS_MAX + 1);
}

static void only_ranges_and_bins_are_of_a_fixed_number(void **state)
{
    (void)state;
    struct slice_rule rule = {
        .bins = 7, .timestep_us = 10, .stride_us = 10, .n_events = 3, .stride_events = 3};
    for (rule.slice = 0; rule.slice < N_RULES; rule.slice++) {
        uint32_t n = 99;
        bool varies = rule.slice == SLICE_WINDOW || rule.slice == SLICE_EVENT_COUNT ||
                      rule.slice == SLICE_DURATION;
        assert_int_equal(slices_are_fixed(&rule, &n), !varies);
        assert_int_equal(n, varies ? 99 : 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_of_the_events_that_the_rules_say),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(one_event_out_of_order_is_found_wherever_it_is),
        cmocka_unit_test(timesteps_are_rounded_half_to_even_from_time_0),
        cmocka_unit_test(windows_begin_with_the_first_event_and_may_be_incomplete),
        cmocka_unit_test(windows_of_a_range_have_one_number_for_all),
        cmocka_unit_test(time_bins_are_of_whole_microseconds),
        cmocka_unit_test(frames_of_counts_overlap_or_leave_some_out),
        cmocka_unit_test(what_the_libraries_make_nothing_of_is_refused),
        cmocka_unit_test(more_frames_than_the_limit_are_refused),
        cmocka_unit_test(only_ranges_and_bins_are_of_a_fixed_number),
    };
    return cmocka_run_group_tests_name("slices", tests, NULL, NULL);
}
