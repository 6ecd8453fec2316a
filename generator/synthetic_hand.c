/* SPDX-License-Identifier: Apache-2.0
 * A hand that writes a digit, each time a little differently. */
#include "generator/synthetic_hand.h"

#include <assert.h>
#include <stdlib.h>

#include "common/event.h"
#include "generator/synthetic_shapes.h"

/* Spreads are standard deviations. Lengths are in HAND_UNIT, slopes in 1/ONE; what they amount to
 * was fitted to N-MNIST (bench/synthetic_statistics.py). */
enum {
    ONE = 4096,
    KNOT_UNIT = 64, /* to a hundredth of a shape's box */
    KNOT_SPREAD = 3 * KNOT_UNIT,
    WIDTH_SPREAD = ONE * 11 / 100,
    SLANT_MEAN = ONE * 14 / 100,
    SLANT_SPREAD = ONE * 19 / 100,
    TURN_SPREAD = ONE * 5 / 100,
    RADIUS_MEAN = 62,
    RADIUS_SPREAD = 16,
    RADIUS_MIN = 30,
    INK_SPREAD = HAND_FULL_INK * 45 / 100,
    INK_MIN = HAND_FULL_INK * 25 / 100,
    SIZE_MEAN = HAND_UNIT * 174 / 10, /* the longer side of the writing, as MNIST scales it */
    SIZE_SPREAD = HAND_UNIT * 4 / 10,
    CENTRE_X = HAND_UNIT * 135 / 10, /* of the line's mass, as MNIST places it */
    CENTRE_Y = HAND_UNIT * 147 / 10,
    CENTRE_SPREAD = HAND_UNIT * 35 / 100,
};

static const struct shape *choose_shape(unsigned digit, struct draws *draws)
{
    const struct shape *shape = shapes_of(digit);
    int32_t left = draws_between(draws, 0, 99);
    while (left >= (int32_t)shape->share)
        left -= (int32_t)shape++->share;
    return shape;
}

/* Knots as this hand sets them: each off by a little, the whole slanted and turned. */
static void place_knots(const struct shape *shape, struct draws *draws, struct hand_point *ret)
{
    int32_t width = shape->width * ONE / 100;
    width += draws_bell(draws, WIDTH_SPREAD) * shape->width / 100;
    int32_t slant = SLANT_MEAN + draws_bell(draws, SLANT_SPREAD);
    int32_t turn = draws_bell(draws, TURN_SPREAD);
    for (unsigned i = 0; i < shape->n_knots; i++) {
        int32_t x = (shape->knots[i].x - 50) * KNOT_UNIT + draws_bell(draws, KNOT_SPREAD);
        int32_t y = (shape->knots[i].y - 50) * KNOT_UNIT + draws_bell(draws, KNOT_SPREAD);
        ret[i].x = (x * width - y * slant) / ONE;
        ret[i].y = y + x * turn / ONE;
        ret[i].pen_down = shape->knots[i].kind != KNOT_START;
    }
}

/* Catmull-Rom spline from p1 to p2, at step / HAND_CURVE_STEPS of the way. */
static int32_t spline(int32_t p0, int32_t p1, int32_t p2, int32_t p3, int32_t step)
{
    const int32_t n = HAND_CURVE_STEPS;
    return (2 * p1 * n * n * n + (p2 - p0) * step * n * n +
            (2 * p0 - 5 * p1 + 4 * p2 - p3) * step * step * n +
            (3 * p1 - 3 * p2 + p3 - p0) * step * step * step) /
           (2 * n * n * n);
}

static bool ends_curve(const struct shape *shape, unsigned i)
{
    return shape->knots[i].kind != KNOT_SMOOTH || i + 1 == shape->n_knots ||
           shape->knots[i + 1].kind == KNOT_START;
}

/* Lead the pen through the knots: smoothly, but for corners and where it is put down. */
static void lead_pen(const struct shape *shape, const struct hand_point *knots,
                     struct handwriting *ret)
{
    ret->n_points = 0;
    for (unsigned i = 0; i < shape->n_knots; i++) {
        const struct hand_point *to = &knots[i];
        if (!to->pen_down) {
            ret->points[ret->n_points++] = *to;
            continue;
        }
        const struct hand_point *from = to - 1;
        const struct hand_point *before = ends_curve(shape, i - 1) ? from : from - 1;
        const struct hand_point *after = ends_curve(shape, i) ? to : to + 1;
        for (int32_t step = 1; step <= HAND_CURVE_STEPS; step++)
            ret->points[ret->n_points++] = (struct hand_point){
                .x = spline(before->x, from->x, to->x, after->x, step),
                .y = spline(before->y, from->y, to->y, after->y, step),
                .pen_down = true,
            };
    }
    assert(ret->n_points <= HAND_MAX_POINTS);
}

static int32_t longer_side(const struct handwriting *writing)
{
    struct hand_point low = writing->points[0], high = low;
    for (unsigned i = 1; i < writing->n_points; i++) {
        const struct hand_point *point = &writing->points[i];
        low.x = point->x < low.x ? point->x : low.x;
        low.y = point->y < low.y ? point->y : low.y;
        high.x = point->x > high.x ? point->x : high.x;
        high.y = point->y > high.y ? point->y : high.y;
    }
    int32_t width = high.x - low.x, height = high.y - low.y;
    return width > height ? width : height;
}

/* Where the middle of the line's mass is; the length of a piece is good to a few percent. */
static struct hand_point centre_of(const struct handwriting *writing)
{
    int64_t x = 0, y = 0, mass = 1;
    for (unsigned i = 1; i < writing->n_points; i++) {
        const struct hand_point *to = &writing->points[i], *from = to - 1;
        if (!to->pen_down)
            continue;
        int32_t dx = abs(to->x - from->x), dy = abs(to->y - from->y);
        int32_t length = dx > dy ? dx + dy * 3 / 8 : dy + dx * 3 / 8;
        x += (int64_t)(to->x + from->x) * length / 2;
        y += (int64_t)(to->y + from->y) * length / 2;
        mass += length;
    }
    return (struct hand_point){.x = (int32_t)(x / mass), .y = (int32_t)(y / mass)};
}

void hand_write(unsigned digit, struct draws *draws, struct handwriting *ret)
{
    const struct shape *shape = choose_shape(digit, draws);
    struct hand_point knots[SHAPES_MAX_KNOTS];
    place_knots(shape, draws, knots);
    lead_pen(shape, knots, ret);

    int32_t radius = RADIUS_MEAN + draws_bell(draws, RADIUS_SPREAD);
    ret->radius = radius > RADIUS_MIN ? radius : RADIUS_MIN;
    int32_t ink = HAND_FULL_INK - abs(draws_bell(draws, INK_SPREAD));
    ret->ink = ink > INK_MIN ? ink : INK_MIN;
    int32_t size = SIZE_MEAN + draws_bell(draws, SIZE_SPREAD) - 2 * ret->radius;
    int32_t x = CENTRE_X + draws_bell(draws, CENTRE_SPREAD);
    int32_t y = CENTRE_Y + draws_bell(draws, CENTRE_SPREAD);

    int32_t side = longer_side(ret);
    struct hand_point centre = centre_of(ret);
    for (unsigned i = 0; i < ret->n_points; i++) {
        ret->points[i].x = x + (ret->points[i].x - centre.x) * size / side;
        ret->points[i].y = y + (ret->points[i].y - centre.y) * size / side;
    }
}
