/* SPDX-License-Identifier: Apache-2.0
 * The picture of a written digit, as finely as the sensor's image moves. */
#pragma once

#include <stdint.h>

#include "common/event.h"
#include "generator/synthetic_hand.h"

enum {
    GLYPH_CELLS = 8,  /* to a pixel's side */
    GLYPH_MARGIN = 8, /* pixels left of and above the sensor, from where the image moves in */
    GLYPH_WIDTH = (SENSOR_WIDTH + GLYPH_MARGIN) * GLYPH_CELLS,
    GLYPH_HEIGHT = (SENSOR_HEIGHT + GLYPH_MARGIN) * GLYPH_CELLS,
    GLYPH_OCTAVE = 1024, /* a doubling of brightness */
    GLYPH_REACH = 4,     /* pixels from the line's middle to where the ground is undisturbed */
    GLYPH_DISTANCES = 2048,
};

struct glyph {
    uint16_t cells[GLYPH_HEIGHT][GLYPH_WIDTH]; /* logarithm of brightness */
    uint16_t roots[GLYPH_DISTANCES];           /* distance in HAND_UNIT of each squared one */
};

/* Prepare the tables; any number of drawings may follow. */
void glyph_init(struct glyph *ret);

/* Draw bright lines with soft edges on a dark ground. */
void glyph_draw(struct glyph *glyph, const struct handwriting *writing);
