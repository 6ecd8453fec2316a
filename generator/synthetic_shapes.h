/* SPDX-License-Identifier: Apache-2.0
 * How a hand writes each digit: the strokes of its variants. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

/* A point that the pen passes, in hundredths of the digit's box; y grows downwards. */
struct knot {
    int8_t x, y;
    enum knot_kind {
        KNOT_SMOOTH,
        KNOT_CORNER, /* the pen turns sharply */
        KNOT_START,  /* the pen is put down: a stroke begins */
    } kind;
};

struct shape {
    unsigned share; /* of the digit's recordings, in percent */
    int32_t width;  /* of the box, in percent of its height */
    unsigned n_knots;
    const struct knot *knots;
};

enum { SHAPES_MAX_KNOTS = 16, SHAPES_MAX_VARIANTS = 4 };

/* The variants of digit < N_DIGITS; their shares add up to 100, unused ones have none. */
const struct shape *shapes_of(unsigned digit);
