/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/synthetic_sensor: what it sees of nothing, of a line, and of too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generator/synthetic_sensor.h"

enum { END_US = 315000 };

static struct sensor *sensor, *other;
static struct glyph *glyph;

static int start(void **state)
{
    (void)state;
    sensor = calloc(1, sizeof *sensor);
    other = calloc(1, sizeof *other);
    glyph = calloc(1, sizeof *glyph);
    if (!sensor || !other || !glyph)
        return -1;
    sensor_init(sensor);
    glyph_init(glyph);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(sensor);
    free(other);
    free(glyph);
    return 0;
}

static void watch(struct sensor *by, uint64_t stream)
{
    struct draws draws = draws_start(1, stream);
    sensor_watch(by, glyph, &draws);
    for (size_t i = 0; i < by->n_events; i++) {
        struct event event = sensor_event(by->events[i]);
        assert_in_range(event.t_us, 0, END_US);
        assert_in_range(event.x, 0, SENSOR_WIDTH - 1);
        assert_in_range(event.y, 0, SENSOR_HEIGHT - 1);
        assert_in_range(event.p, 0, 1);
    }
}

static void draw_line(void)
{
    const struct handwriting writing = {
        .radius = HAND_UNIT,
        .ink = HAND_FULL_INK,
        .n_points = 2,
        .points = {{13 * HAND_UNIT, 6 * HAND_UNIT, false}, {13 * HAND_UNIT, 24 * HAND_UNIT, true}},
    };
    glyph_draw(glyph, &writing);
}

static void key_is_an_event_that_sorts_by_time(void **state)
{
    (void)state;
    struct event event = sensor_event(5u << SENSOR_TIME_SHIFT | 33u << 7 | 32u << 1 | 1);
    assert_int_equal(event.t_us, 5);
    assert_int_equal(event.y, 33);
    assert_int_equal(event.x, 32);
    assert_int_equal(event.p, 1);
    assert_int_equal(sensor_event(UINT32_MAX).t_us, (1 << (32 - SENSOR_TIME_SHIFT)) - 1);
    assert_true(END_US < 1 << (32 - SENSOR_TIME_SHIFT));
}

static void sensor_is_always_the_same_one(void **state)
{
    (void)state;
    memset(other, 0x55, sizeof *other);
    sensor_init(other);
    assert_memory_equal(other->pixels, sensor->pixels, sizeof sensor->pixels);
    assert_memory_equal(other->hot, sensor->hot, sizeof sensor->hot);
}

static void no_two_pixels_are_alike_and_all_can_see(void **state)
{
    (void)state;
    unsigned n_alike = 0;
    for (int y = 0; y < SENSOR_HEIGHT; y++)
        for (int x = 0; x < SENSOR_WIDTH; x++) {
            const struct sensor_pixel *pixel = &sensor->pixels[y][x];
            assert_in_range(pixel->on, 1, GLYPH_OCTAVE);
            assert_in_range(pixel->off, 1, GLYPH_OCTAVE);
            assert_in_range(pixel->blind_us, 1, 10000);
            assert_in_range(pixel->latency_us, 0, 10000);
            if (x > 0)
                n_alike += memcmp(pixel, pixel - 1, sizeof *pixel) == 0;
        }
    assert_int_equal(n_alike, 0);
    for (int i = 0; i < SENSOR_HOT_PIXELS; i++)
        assert_in_range(sensor->hot[i], 0, SENSOR_WIDTH * SENSOR_HEIGHT - 1);
}

static void of_nothing_it_sees_its_own_noise(void **state)
{
    (void)state;
    glyph_draw(glyph, &(struct handwriting){.radius = 1, .ink = 1});
    size_t n_hot = 0;
    watch(sensor, 1);
    assert_in_range(sensor->n_events, 50, 400);
    for (size_t i = 0; i < sensor->n_events; i++) {
        struct event event = sensor_event(sensor->events[i]);
        for (int k = 0; k < SENSOR_HOT_PIXELS; k++)
            if (event.y * SENSOR_WIDTH + event.x == sensor->hot[k]) {
                n_hot++;
                break;
            }
    }
    assert_in_range(n_hot * 100 / sensor->n_events, 4, 25); /* 6 of 1156 would be 0.5 % */
}

static void a_line_is_seen_in_all_three_saccades(void **state)
{
    (void)state;
    draw_line();
    size_t seen[3] = {0};
    watch(sensor, 1);
    assert_in_range(sensor->n_events, 1000, SENSOR_MAX_EVENTS);
    for (size_t i = 0; i < sensor->n_events; i++) {
        uint32_t saccade = sensor_event(sensor->events[i]).t_us / 105000;
        seen[saccade < 3 ? saccade : 2]++;
    }
    for (int i = 0; i < 3; i++)
        assert_true(seen[i] > 200);
}

static void same_draws_are_the_same_recording(void **state)
{
    (void)state;
    draw_line();
    watch(sensor, 5);
    sensor_init(other);
    watch(other, 6);
    assert_true(other->n_events != sensor->n_events ||
                memcmp(other->events, sensor->events, 4 * sensor->n_events) != 0);
    watch(other, 5);
    assert_int_equal(other->n_events, sensor->n_events);
    assert_memory_equal(other->events, sensor->events, 4 * sensor->n_events);
}

/* Stripes much finer than any digit. */
static void recording_of_too_many_events_is_cut(void **state)
{
    (void)state;
    for (int y = 0; y < GLYPH_HEIGHT; y++)
        for (int x = 0; x < GLYPH_WIDTH; x++)
            glyph->cells[y][x] = (x / 4 + y / 4) % 2 ? 10 * GLYPH_OCTAVE : 0;
    watch(sensor, 1);
    assert_int_equal(sensor->n_events, SENSOR_MAX_EVENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_is_an_event_that_sorts_by_time),
        cmocka_unit_test(sensor_is_always_the_same_one),
        cmocka_unit_test(no_two_pixels_are_alike_and_all_can_see),
        cmocka_unit_test(of_nothing_it_sees_its_own_noise),
        cmocka_unit_test(a_line_is_seen_in_all_three_saccades),
        cmocka_unit_test(same_draws_are_the_same_recording),
        cmocka_unit_test(recording_of_too_many_events_is_cut),
    };
    return cmocka_run_group_tests_name("synthetic_sensor", tests, start, stop);
}
