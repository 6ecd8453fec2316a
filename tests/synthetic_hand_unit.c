/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/synthetic_hand, and of the shapes that it writes (generator/synthetic_shapes,
 * a table that says nothing without its hand). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generator/synthetic_hand.h"
#include "generator/synthetic_shapes.h"

enum { WRITINGS = 300 };

static void shapes_can_be_written(void **state)
{
    (void)state;
    for (unsigned digit = 0; digit < N_DIGITS; digit++) {
        const struct shape *shapes = shapes_of(digit);
        unsigned shares = 0;
        for (unsigned i = 0; i < SHAPES_MAX_VARIANTS; i++) {
            shares += shapes[i].share;
            if (shapes[i].share == 0)
                continue;
            assert_in_range(shapes[i].n_knots, 2, SHAPES_MAX_KNOTS);
            assert_in_range(shapes[i].width, 20, 150);
            assert_int_equal(shapes[i].knots[0].kind, KNOT_START);
            assert_int_not_equal(shapes[i].knots[shapes[i].n_knots - 1].kind, KNOT_START);
            for (unsigned k = 0; k < shapes[i].n_knots; k++) {
                assert_in_range(shapes[i].knots[k].x, 0, 100);
                assert_in_range(shapes[i].knots[k].y, 0, 100);
            }
        }
        assert_int_equal(shares, 100);
    }
}

static struct handwriting write(unsigned digit, uint64_t stream)
{
    struct handwriting writing;
    struct draws draws = draws_start(1, stream);
    memset(&writing, 0, sizeof writing);
    hand_write(digit, &draws, &writing);
    return writing;
}

/* MNIST's digits fill 20 of 28 pixels, which N-MNIST shows on 34 with room for the saccades. */
static void writing_is_on_the_sensor_and_as_large_as_a_digit(void **state)
{
    (void)state;
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        for (uint64_t stream = 0; stream < WRITINGS; stream++) {
            struct handwriting writing = write(digit, stream);
            int32_t low = INT32_MAX, high = INT32_MIN;
            assert_in_range(writing.n_points, 2, HAND_MAX_POINTS);
            assert_false(writing.points[0].pen_down);
            for (unsigned i = 0; i < writing.n_points; i++) {
                assert_in_range(writing.points[i].x, 0, 28 * HAND_UNIT);
                assert_in_range(writing.points[i].y, 0, 30 * HAND_UNIT);
                low = writing.points[i].y < low ? writing.points[i].y : low;
                high = writing.points[i].y > high ? writing.points[i].y : high;
            }
            assert_in_range(high - low, 8 * HAND_UNIT, 20 * HAND_UNIT);
            assert_in_range(writing.radius, 1, 3 * HAND_UNIT);
            assert_in_range(writing.ink, HAND_FULL_INK / 4, HAND_FULL_INK);
        }
}

static void same_draws_write_the_same(void **state)
{
    (void)state;
    for (unsigned digit = 0; digit < N_DIGITS; digit++) {
        struct handwriting a = write(digit, 5), b = write(digit, 5), c = write(digit, 6);
        assert_memory_equal(&a, &b, sizeof a);
        assert_memory_not_equal(&a, &c, sizeof a);
    }
}

/* A seven with a cross is one of two strokes. */
static void variants_come_as_often_as_they_should(void **state)
{
    (void)state;
    enum { DIGIT = 7 };
    const struct shape *shapes = shapes_of(DIGIT);
    unsigned strokes = 0, wanted = 0;
    for (unsigned i = 0; i < SHAPES_MAX_VARIANTS; i++) {
        unsigned n_starts = 0;
        for (unsigned k = 0; k < shapes[i].n_knots; k++)
            n_starts += shapes[i].knots[k].kind == KNOT_START;
        wanted += n_starts > 1 ? shapes[i].share : 0;
    }
    for (uint64_t stream = 0; stream < 10 * WRITINGS; stream++) {
        struct handwriting writing = write(DIGIT, stream);
        unsigned n_starts = 0;
        for (unsigned i = 0; i < writing.n_points; i++)
            n_starts += !writing.points[i].pen_down;
        strokes += n_starts > 1;
    }
    assert_in_range(strokes * 100 / (10 * WRITINGS), wanted - 4, wanted + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_can_be_written),
        cmocka_unit_test(writing_is_on_the_sensor_and_as_large_as_a_digit),
        cmocka_unit_test(same_draws_write_the_same),
        cmocka_unit_test(variants_come_as_often_as_they_should),
    };
    return cmocka_run_group_tests_name("synthetic_hand", tests, NULL, NULL);
}
