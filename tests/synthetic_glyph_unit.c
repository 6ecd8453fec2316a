/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/synthetic_glyph: bright lines with soft edges on a dark ground. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generator/synthetic_glyph.h"

static struct glyph glyph;

static int start(void **state)
{
    (void)state;
    memset(&glyph, 0x55, sizeof glyph);
    glyph_init(&glyph);
    return 0;
}

/* A line from one point to the other, in pixels of the sensor. */
static struct handwriting line(int32_t x0, int32_t y0, int32_t x1, int32_t y1)
{
    return (struct handwriting){
        .radius = HAND_UNIT,
        .ink = HAND_FULL_INK,
        .n_points = 2,
        .points = {{x0 * HAND_UNIT, y0 * HAND_UNIT, false}, {x1 * HAND_UNIT, y1 * HAND_UNIT, true}},
    };
}

static uint16_t at(int32_t x, int32_t y)
{
    return glyph.cells[(y + GLYPH_MARGIN) * GLYPH_CELLS][(x + GLYPH_MARGIN) * GLYPH_CELLS];
}

static uint16_t ground(void)
{
    glyph_draw(&glyph, &(struct handwriting){.radius = HAND_UNIT, .ink = HAND_FULL_INK});
    return glyph.cells[0][0];
}

static void nothing_written_is_ground_alone(void **state)
{
    (void)state;
    uint16_t dark = ground();
    for (int y = 0; y < GLYPH_HEIGHT; y++)
        for (int x = 0; x < GLYPH_WIDTH; x++)
            assert_int_equal(glyph.cells[y][x], dark);
}

static void line_is_bright_in_its_middle_and_ends_softly(void **state)
{
    (void)state;
    uint16_t dark = ground();
    const struct handwriting writing = line(17, 5, 17, 28);
    glyph_draw(&glyph, &writing);
    const uint16_t *row = glyph.cells[(16 + GLYPH_MARGIN) * GLYPH_CELLS];
    int32_t middle = (17 + GLYPH_MARGIN) * GLYPH_CELLS;
    assert_true(row[middle] > dark + 2 * GLYPH_OCTAVE); /* at least four times as bright */
    unsigned n_between = 0;
    for (int32_t x = 0; x < (GLYPH_REACH + 1) * GLYPH_CELLS; x++) {
        assert_true(row[middle + x] >= row[middle + x + 1]);
        assert_int_equal(row[middle + x], row[middle - x]);
        n_between += row[middle + x] > dark && row[middle + x] < row[middle];
    }
    assert_in_range(n_between, 4, 3 * GLYPH_CELLS);
    assert_int_equal(row[middle + GLYPH_REACH * GLYPH_CELLS], dark);
    assert_int_equal(at(17, 33), dark);
}

static void pen_that_is_up_leaves_no_line(void **state)
{
    (void)state;
    uint16_t dark = ground();
    struct handwriting writing = line(5, 5, 28, 28);
    writing.points[1].pen_down = false;
    glyph_draw(&glyph, &writing);
    for (int32_t i = 0; i < SENSOR_WIDTH; i++)
        assert_int_equal(at(i, i), dark);
}

static void less_ink_and_a_thinner_pen_are_less_light(void **state)
{
    (void)state;
    struct handwriting writing = line(5, 17, 28, 17);
    glyph_draw(&glyph, &writing);
    uint16_t full = at(17, 17), edge = at(17, 18);
    writing.ink = HAND_FULL_INK / 4;
    glyph_draw(&glyph, &writing);
    assert_true(at(17, 17) < full);
    writing.ink = HAND_FULL_INK;
    writing.radius = HAND_UNIT * 3 / 4;
    glyph_draw(&glyph, &writing);
    assert_in_range(at(17, 17), full - GLYPH_OCTAVE / 8, full);
    assert_true(at(17, 18) < edge);
}

static void drawing_depends_on_nothing_before_it(void **state)
{
    (void)state;
    static struct glyph once;
    const struct handwriting writing = line(8, 20, 20, 8), other = line(0, 0, 33, 33);
    glyph_draw(&glyph, &writing);
    memcpy(&once, &glyph, sizeof once);
    glyph_draw(&glyph, &other);
    assert_memory_not_equal(&once.cells, &glyph.cells, sizeof once.cells);
    glyph_draw(&glyph, &writing);
    assert_memory_equal(&once, &glyph, sizeof once);
}

/* Sanitizers watch. */
static void line_may_leave_the_picture(void **state)
{
    (void)state;
    static const int32_t ends[][4] = {
        {-8, -8, 34, 34}, {-20, 10, 50, 10}, {10, -20, 10, 50}, {33, 33, 60, 60}, {-60, 5, -9, 5}};
    uint16_t dark = ground();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct handwriting writing = line(ends[i][0], ends[i][1], ends[i][2], ends[i][3]);
        writing.radius = GLYPH_REACH * HAND_UNIT; /* wider than is drawn */
        glyph_draw(&glyph, &writing);
        for (int y = 0; y < GLYPH_HEIGHT; y++)
            for (int x = 0; x < GLYPH_WIDTH; x++)
                assert_true(glyph.cells[y][x] >= dark);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_written_is_ground_alone),
        cmocka_unit_test(line_is_bright_in_its_middle_and_ends_softly),
        cmocka_unit_test(pen_that_is_up_leaves_no_line),
        cmocka_unit_test(less_ink_and_a_thinner_pen_are_less_light),
        cmocka_unit_test(drawing_depends_on_nothing_before_it),
        cmocka_unit_test(line_may_leave_the_picture),
    };
    return cmocka_run_group_tests_name("synthetic_glyph", tests, start, NULL);
}
