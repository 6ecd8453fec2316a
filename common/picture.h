/* SPDX-License-Identifier: Apache-2.0
 * Events as a picture: how often each pixel was ON and OFF becomes its colour. The rule is ours to
 * keep for ever; the manual says it, and tests say it once more.
 *
 * A picture has cells: one, those of a strip or the frames of an animation (spans of one sample's
 * time), or those of a contact sheet (a sample each). Brightness means the same in all of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/geometry.h"

enum {
    PICTURE_SCALE_MAX = 32,
    PICTURE_STRIP_MAX = 64,
    PICTURE_FRAMES_MAX = 256,
    PICTURE_SHEET_MAX = 100, /* samples */
    PICTURE_SHEET_COLUMNS = 10,
    PICTURE_RGB = 3,              /* bytes of a pixel */
    PICTURE_PIXELS_MAX = 1 << 25, /* of an answer: what it takes to make is bounded by it */
};

struct picture {
    uint32_t width, height; /* of a cell, in the sensor's pixels */
    uint32_t n_cells;
    bool is_merged;   /* polarities are: the one count is white */
    uint32_t *counts; /* [n_cells][height][width][SENSOR_POLARITIES], zero at first */
    uint32_t max;     /* the largest of them, at least 1: picture_end() */
};

/* Bytes of its counts. */
uint64_t picture_counts_size(const struct picture *picture);

/* Count events in n cells from `first` on: equal spans of the time from 0 to the last event's, in
 * whatever order they are. Returns the end of that time: the last event's and 1, in us. */
uint32_t picture_count(struct picture *picture, uint32_t first, uint32_t n,
                       struct event_span events);

/* All has been counted. */
void picture_end(struct picture *picture);

/* Which cells are drawn, and how many side by side. Between them are lines of grey, and grey is
 * what is left of the last row. */
struct picture_grid {
    uint32_t first, n, columns;
};

/* What the grid takes, in the sensor's pixels: each becomes a square of scale * scale. */
void picture_grid_size(const struct picture *picture, const struct picture_grid *grid,
                       uint64_t *ret_width, uint64_t *ret_height);

/* Draw row `y` of that, each pixel `scale` times, into rgb [width * scale][PICTURE_RGB]. */
void picture_draw_row(const struct picture *picture, const struct picture_grid *grid, uint32_t y,
                      uint32_t scale, uint8_t *rgb);
