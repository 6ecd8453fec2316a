/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/picture: colours, spans of time, and how cells are laid out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/picture.h"

enum { WIDTH = 3, HEIGHT = 2, CELLS_MAX = 6, ROW_MAX = 512 };

static uint32_t counts[CELLS_MAX * WIDTH * HEIGHT * SENSOR_POLARITIES];

static struct picture new_picture(uint32_t n_cells)
{
    memset(counts, 0, sizeof counts);
    return (struct picture){
        .width = WIDTH, .height = HEIGHT, .n_cells = n_cells, .counts = counts, .max = 0};
}

/* Count `n` events, each given as t, x, y, p. */
static uint32_t count(struct picture *picture, uint32_t n_cells, const uint32_t (*events)[4],
                      size_t n)
{
    uint8_t bytes[64 * EVENT_BYTES];
    assert_true(n <= 64);
    for (size_t i = 0; i < n; i++) {
        const struct event event = {.t_us = events[i][0],
                                    .x = (uint8_t)events[i][1],
                                    .y = (uint8_t)events[i][2],
                                    .p = (uint8_t)events[i][3]};
        event_pack(event, bytes + i * EVENT_BYTES);
    }
    return picture_count(picture, 0, n_cells, (struct event_span){bytes, n});
}

static void assert_colour(const uint8_t *rgb, unsigned r, unsigned g, unsigned b)
{
    assert_int_equal(rgb[0], r);
    assert_int_equal(rgb[1], g);
    assert_int_equal(rgb[2], b);
}

static const uint32_t *at(uint32_t cell, uint32_t x, uint32_t y)
{
    return counts + ((cell * HEIGHT + y) * WIDTH + x) * SENSOR_POLARITIES;
}

static void picture_colours_on_orange_and_off_blue_by_the_root_of_their_share(void **state)
{
    (void)state;
    static const uint32_t events[][4] = {{0, 0, 0, 1}, {1, 0, 0, 1}, {2, 0, 0, 1}, {3, 0, 0, 1},
                                         {4, 1, 0, 1}, {5, 2, 0, 0}, {6, 0, 1, 1}, {7, 0, 1, 0},
                                         {8, 0, 1, 0}, {9, 0, 1, 0}, {9, 0, 1, 0}};
    const struct picture_grid grid = {0, 1, 1};
    struct picture picture = new_picture(1);
    uint8_t rgb[WIDTH * PICTURE_RGB];
    count(&picture, 1, events, sizeof events / sizeof *events);
    picture_end(&picture);
    assert_int_equal(picture.max, 4);
    picture_draw_row(&picture, &grid, 0, 1, rgb);
    assert_colour(rgb, 230, 159, 0);                         /* 4 of 4: all of it */
    assert_colour(rgb + 3, (230 * 127 + 127) / 255, 79, 0);  /* 1 of 4: half */
    assert_colour(rgb + 6, (86 * 127 + 127) / 255, 90, 116); /* OFF */
    picture_draw_row(&picture, &grid, 1, 1, rgb);
    assert_colour(rgb, 201, 255, 233); /* both add up, to 255 at most */
    assert_colour(rgb + 3, 0, 0, 0);
}

static void picture_of_merged_polarities_is_white(void **state)
{
    (void)state;
    static const uint32_t events[][4] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {2, 1, 0, 0}};
    struct picture picture = new_picture(1);
    uint8_t rgb[WIDTH * PICTURE_RGB];
    picture.is_merged = true;
    count(&picture, 1, events, sizeof events / sizeof *events);
    picture_end(&picture);
    picture_draw_row(&picture, &(struct picture_grid){0, 1, 1}, 0, 1, rgb);
    assert_colour(rgb, 255, 255, 255);
    assert_colour(rgb + 3, 180, 180, 180); /* isqrt(65025 / 2) */
    assert_colour(rgb + 6, 0, 0, 0);
}

static void picture_without_events_is_black(void **state)
{
    (void)state;
    struct picture picture = new_picture(2);
    uint8_t rgb[WIDTH * PICTURE_RGB], black[sizeof rgb] = {0};
    assert_int_equal(count(&picture, 2, NULL, 0), 1);
    picture_end(&picture);
    assert_int_equal(picture.max, 1);
    picture_draw_row(&picture, &(struct picture_grid){1, 1, 1}, 1, 1, rgb);
    assert_memory_equal(rgb, black, sizeof black);
}

static void picture_cuts_time_into_equal_spans_up_to_the_last_event(void **state)
{
    (void)state;
    /* in any order; the time is [0, 10), cells are [0, 4), [4, 7), [7, 10) */
    static const uint32_t events[][4] = {{9, 0, 0, 1}, {6, 0, 0, 1}, {7, 1, 0, 1},
                                         {3, 0, 0, 1}, {4, 2, 0, 1}, {0, 1, 1, 0}};
    struct picture picture = new_picture(3);
    assert_int_equal(count(&picture, 3, events, sizeof events / sizeof *events), 10);
    assert_int_equal(at(0, 0, 0)[1], 1);
    assert_int_equal(at(0, 1, 1)[0], 1);
    assert_int_equal(at(1, 0, 0)[1], 1);
    assert_int_equal(at(1, 2, 0)[1], 1);
    assert_int_equal(at(2, 0, 0)[1], 1);
    assert_int_equal(at(2, 1, 0)[1], 1);
}

static void picture_of_the_longest_time_has_its_spans(void **state)
{
    (void)state;
    static const uint32_t events[][4] = {{EVENT_T_MAX, 0, 0, 1}, {0, 0, 0, 1}};
    struct picture picture = new_picture(CELLS_MAX);
    assert_int_equal(count(&picture, CELLS_MAX, events, 2), EVENT_T_MAX + 1);
    assert_int_equal(at(0, 0, 0)[1], 1);
    assert_int_equal(at(CELLS_MAX - 1, 0, 0)[1], 1);
}

static void picture_does_not_show_what_is_outside_the_sensor(void **state)
{
    (void)state;
    static const uint32_t events[][4] = {{0, WIDTH, 0, 1}, {0, 0, HEIGHT, 1}, {0, 255, 255, 0}};
    struct picture picture = new_picture(1);
    count(&picture, 1, events, 3);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        assert_int_equal(counts[i], 0);
}

static void picture_has_grey_between_cells_and_where_there_is_none(void **state)
{
    (void)state;
    static const uint32_t events[][4] = {{0, 2, 0, 0}};
    const struct picture_grid grid = {.first = 1, .n = 5, .columns = 3};
    enum { SCALE = 4, COLUMNS = 3 * WIDTH + 2 };
    struct picture picture = new_picture(CELLS_MAX);
    uint8_t rgb[COLUMNS * SCALE * PICTURE_RGB];
    uint64_t width, height;
    count(&picture, 1, events, 1);
    memmove(counts + 4 * WIDTH * HEIGHT * 2, counts, WIDTH * HEIGHT * 2 * sizeof *counts);
    picture_end(&picture);
    picture_grid_size(&picture, &grid, &width, &height);
    assert_int_equal(width, COLUMNS);
    assert_int_equal(height, 2 * HEIGHT + 1);
    picture_draw_row(&picture, &grid, HEIGHT, SCALE, rgb); /* the line between */
    for (unsigned i = 0; i < COLUMNS * SCALE; i++)
        assert_colour(rgb + i * PICTURE_RGB, 64, 64, 64);
    picture_draw_row(&picture, &grid, HEIGHT + 1, SCALE, rgb);
    for (unsigned i = 0; i < COLUMNS * SCALE; i++) {
        unsigned x = i / SCALE;
        if (x == 2) /* cell 4, the first of the second row */
            assert_colour(rgb + i * PICTURE_RGB, 86, 180, 233);
        else if (x == WIDTH || x >= 2 * WIDTH + 1)
            assert_colour(rgb + i * PICTURE_RGB, 64, 64, 64);
        else
            assert_colour(rgb + i * PICTURE_RGB, 0, 0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture_colours_on_orange_and_off_blue_by_the_root_of_their_share),
        cmocka_unit_test(picture_of_merged_polarities_is_white),
        cmocka_unit_test(picture_without_events_is_black),
        cmocka_unit_test(picture_cuts_time_into_equal_spans_up_to_the_last_event),
        cmocka_unit_test(picture_of_the_longest_time_has_its_spans),
        cmocka_unit_test(picture_does_not_show_what_is_outside_the_sensor),
        cmocka_unit_test(picture_has_grey_between_cells_and_where_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
