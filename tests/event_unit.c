/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/event: N-MNIST's packed events, and what a recording must be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/event.h"

enum { MAX_EVENTS = 1100, MARKER_US = 1 << 13 };

/* A recording in the making. */
static struct {
    uint8_t bytes[MAX_EVENTS * EVENT_BYTES];
    size_t n;
} recording;

static int start(void **state)
{
    (void)state;
    recording.n = 0;
    return 0;
}

static void add(uint32_t t_us, uint8_t x, uint8_t y, uint8_t p)
{
    assert_true(recording.n < MAX_EVENTS);
    event_pack((struct event){.t_us = t_us, .x = x, .y = y, .p = p},
               recording.bytes + recording.n++ * EVENT_BYTES);
}

static void add_marker(void)
{
    add(0, 0, EVENT_OVERFLOW_Y, 0);
}

static void expect_kept(unsigned max_descents, size_t n_kept)
{
    struct error why = {""};
    size_t n_events = SIZE_MAX;
    if (event_check(recording.bytes, recording.n * EVENT_BYTES, max_descents, &n_events, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(n_events, n_kept);
}

static void expect_refused(unsigned max_descents, int code, const char *words)
{
    struct error why = {""};
    size_t n_events = 12345;
    assert_int_equal(
        event_check(recording.bytes, recording.n * EVENT_BYTES, max_descents, &n_events, &why),
        code);
    assert_non_null(strstr(why.text, words));
    assert_int_equal(n_events, 12345);
}

static struct event kept(size_t i)
{
    return event_unpack(recording.bytes + i * EVENT_BYTES);
}

static void event_is_packed_as_in_a_file_of_nmnist(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x11, 0x05, 0x81, 0x02, 0x03};
    struct event event = event_unpack(bytes);
    assert_int_equal(event.x, 17);
    assert_int_equal(event.y, 5);
    assert_int_equal(event.p, 1);
    assert_int_equal(event.t_us, 0x010203);
    uint8_t again[EVENT_BYTES];
    event_pack(event, again);
    assert_memory_equal(again, bytes, EVENT_BYTES);
}

static void event_of_any_bytes_is_packed_to_the_same_bytes(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int i = 0; i < 100000; i++) {
        uint8_t bytes[EVENT_BYTES], again[EVENT_BYTES];
        for (int k = 0; k < EVENT_BYTES; k++) {
            random = random * 1664525 + 1013904223;
            bytes[k] = (uint8_t)(random >> 24);
        }
        struct event event = event_unpack(bytes);
        assert_in_range(event.t_us, 0, EVENT_T_MAX);
        assert_in_range(event.p, 0, 1);
        event_pack(event, again);
        assert_memory_equal(again, bytes, EVENT_BYTES);
    }
}

static void recording_that_obeys_the_rules_stays_as_it_is(void **state)
{
    (void)state;
    add(0, 0, 0, 0);
    add(0, SENSOR_WIDTH - 1, SENSOR_HEIGHT - 1, 1);
    add(7, 0, SENSOR_HEIGHT - 1, 0);
    add(EVENT_T_MAX, SENSOR_WIDTH - 1, 0, 1);
    uint8_t before[4 * EVENT_BYTES];
    memcpy(before, recording.bytes, sizeof before);
    expect_kept(0, 4);
    assert_memory_equal(recording.bytes, before, sizeof before);
}

static void recording_may_hold_nothing(void **state)
{
    (void)state;
    expect_kept(0, 0);
}

static void recording_of_a_broken_length_is_refused(void **state)
{
    (void)state;
    add(1, 2, 3, 0);
    add(2, 2, 3, 0);
    for (size_t size = 0; size <= 2 * EVENT_BYTES; size++) {
        struct error why = {""};
        size_t n_events = 12345;
        int r = event_check(recording.bytes, size, 0, &n_events, &why);
        if (size % EVENT_BYTES == 0) {
            assert_int_equal(r, 0);
            assert_int_equal(n_events, size / EVENT_BYTES);
        } else {
            char words[16];
            snprintf(words, sizeof words, "%zu bytes", size);
            assert_int_equal(r, -EBADMSG);
            assert_non_null(strstr(why.text, words));
            assert_int_equal(n_events, 12345);
        }
    }
}

static void event_outside_the_sensor_is_refused_with_its_number(void **state)
{
    for (int coordinate = 0; coordinate < 2; coordinate++)
        for (unsigned value = SENSOR_WIDTH; value <= UINT8_MAX; value++) {
            if (coordinate == 1 && value == EVENT_OVERFLOW_Y)
                continue; /* not a place, but a marker */
            char words[64];
            start(state);
            add(1, 1, 1, 0);
            add(2, coordinate == 0 ? (uint8_t)value : 5, coordinate == 1 ? (uint8_t)value : 5, 1);
            snprintf(words, sizeof words, "event 1: pixel (%u, %u)", coordinate == 0 ? value : 5,
                     coordinate == 1 ? value : 5);
            expect_refused(9, -EBADMSG, words);
        }
}

static void time_may_go_back_as_often_as_it_is_told(void **state)
{
    for (unsigned n_descents = 0; n_descents < 4; n_descents++)
        for (unsigned max_descents = 0; max_descents < 4; max_descents++) {
            start(state);
            for (unsigned i = 0; i <= n_descents; i++) {
                add(100 - i, 1, 1, 0);
                add(100 - i, 1, 1, 0); /* the same time again is no descent */
                add(200, 1, 1, 0);
            }
            char words[64];
            snprintf(words, sizeof words, "event %u: time goes back from 200 us to %u us",
                     3 * (max_descents + 1), 100 - max_descents - 1);
            if (n_descents <= max_descents)
                expect_kept(max_descents, recording.n);
            else
                expect_refused(max_descents, -EBADMSG, words);
        }
}

static void overflow_marker_adds_its_time_to_all_later_events(void **state)
{
    (void)state;
    add(8000, 1, 2, 1);
    add_marker();
    add(5, 3, 4, 0); /* as the sensor's counter of 13 bits starts anew */
    add_marker();
    add_marker();
    add(6, 5, 6, 1);
    expect_kept(0, 3);
    static const struct event want[] = {
        {8000, 1, 2, 1}, {MARKER_US + 5, 3, 4, 0}, {3 * MARKER_US + 6, 5, 6, 1}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(kept(i).t_us, want[i].t_us);
        assert_int_equal(kept(i).x, want[i].x);
        assert_int_equal(kept(i).y, want[i].y);
        assert_int_equal(kept(i).p, want[i].p);
    }
}

static void overflow_marker_is_one_whatever_its_other_bytes_say(void **state)
{
    (void)state;
    add(EVENT_T_MAX, 255, EVENT_OVERFLOW_Y, 1);
    add(1, 1, 1, 1);
    expect_kept(0, 1);
    assert_int_equal(kept(0).t_us, MARKER_US + 1);
}

static void markers_alone_are_no_events(void **state)
{
    (void)state;
    add_marker();
    add_marker();
    expect_kept(0, 0);
}

static void event_after_markers_is_counted_with_them_in_a_reason(void **state)
{
    (void)state;
    add_marker();
    add(1, 1, 1, 0);
    add_marker();
    add(1, SENSOR_WIDTH, 1, 0);
    expect_refused(0, -EBADMSG, "event 3: ");
}

/* The last time that can be kept is reached by 1023 markers and their 13 bits. */
static void time_past_the_limit_is_refused(void **state)
{
    for (uint32_t over = 0; over < 2; over++) {
        start(state);
        for (int i = 0; i < 1023; i++)
            add_marker();
        add(MARKER_US - 1 + over, 1, 1, 0);
        if (over == 0) {
            expect_kept(0, 1);
            assert_int_equal(kept(0).t_us, EVENT_T_MAX);
        } else
            expect_refused(0, -ERANGE, "event 1023: time 8388608 us");
    }
}

static void markers_without_end_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 1024; i++)
        add_marker();
    expect_kept(0, 0);
    start(state);
    for (int i = 0; i < 1025; i++)
        add_marker();
    expect_refused(0, -ERANGE, "event 1024: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_is_packed_as_in_a_file_of_nmnist),
        cmocka_unit_test(event_of_any_bytes_is_packed_to_the_same_bytes),
        cmocka_unit_test_setup(recording_that_obeys_the_rules_stays_as_it_is, start),
        cmocka_unit_test_setup(recording_may_hold_nothing, start),
        cmocka_unit_test_setup(recording_of_a_broken_length_is_refused, start),
        cmocka_unit_test(event_outside_the_sensor_is_refused_with_its_number),
        cmocka_unit_test(time_may_go_back_as_often_as_it_is_told),
        cmocka_unit_test_setup(overflow_marker_adds_its_time_to_all_later_events, start),
        cmocka_unit_test_setup(overflow_marker_is_one_whatever_its_other_bytes_say, start),
        cmocka_unit_test_setup(markers_alone_are_no_events, start),
        cmocka_unit_test_setup(event_after_markers_is_counted_with_them_in_a_reason, start),
        cmocka_unit_test(time_past_the_limit_is_refused),
        cmocka_unit_test_setup(markers_without_end_are_refused, start),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
