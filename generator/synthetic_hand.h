/* SPDX-License-Identifier: Apache-2.0
 * A hand that writes a digit, each time a little differently. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "generator/synthetic_draws.h"

enum {
    HAND_UNIT = 64, /* to a pixel */
    HAND_FULL_INK = 4096,
    HAND_CURVE_STEPS = 8,
    HAND_MAX_POINTS = 160,
};

struct hand_point {
    int32_t x, y;  /* HAND_UNIT to a pixel of the sensor, before the image has moved */
    bool pen_down; /* a line leads here from the point before */
};

struct handwriting {
    int32_t radius; /* half the width of the line, in HAND_UNIT */
    int32_t ink;    /* brightness of the line, in 1/HAND_FULL_INK */
    unsigned n_points;
    struct hand_point points[HAND_MAX_POINTS];
};

/* Write `digit` < N_DIGITS in a shape, slant, width, size and place taken from `draws`. */
void hand_write(unsigned digit, struct draws *draws, struct handwriting *ret);
