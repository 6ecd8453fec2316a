/* SPDX-License-Identifier: Apache-2.0
 * Events as a picture: how often each pixel was ON and OFF becomes its colour. */
#include "common/picture.h"

#include <string.h>

enum { FULL = 255, GAP = 1 /* pixels between cells */ };

/* Orange and sky blue of Okabe and Ito, whose colours colour-blind people tell apart. */
static const uint8_t on_colour[PICTURE_RGB] = {230, 159, 0};
static const uint8_t off_colour[PICTURE_RGB] = {86, 180, 233};
static const uint8_t gap_colour[PICTURE_RGB] = {64, 64, 64};

static uint64_t cell_counts(const struct picture *picture)
{
    return (uint64_t)picture->width * picture->height * SENSOR_POLARITIES;
}

uint64_t picture_counts_size(const struct picture *picture)
{
    return picture->n_cells * cell_counts(picture) * sizeof *picture->counts;
}

uint32_t picture_count(struct picture *picture, uint32_t first, uint32_t n,
                       struct event_span events)
{
    uint32_t end_us = 1;
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        end_us = event.t_us >= end_us ? event.t_us + 1 : end_us;
    }
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        if (event.x >= picture->width || event.y >= picture->height)
            continue;
        uint64_t cell = first + (uint64_t)event.t_us * n / end_us;
        uint64_t pixel =
            cell * picture->height * picture->width + event.y * picture->width + event.x;
        picture->counts[pixel * SENSOR_POLARITIES + event.p]++;
    }
    return end_us;
}

void picture_end(struct picture *picture)
{
    uint64_t n = picture->n_cells * cell_counts(picture);
    picture->max = 1;
    for (uint64_t i = 0; i < n; i++)
        if (picture->counts[i] > picture->max)
            picture->max = picture->counts[i];
}

/* The largest whole number whose square is not above. */
static uint32_t root_of(uint32_t square)
{
    uint32_t root = 0;
    for (uint32_t bit = 1 << 7; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= square)
            root |= bit;
    return root;
}

/* By the root, since few pixels have many events and most have few. */
static uint32_t level_of(const struct picture *picture, uint32_t count)
{
    return root_of((uint32_t)((uint64_t)FULL * FULL * count / picture->max));
}

static void set_colour(const struct picture *picture, const uint32_t *counts, uint8_t *rgb)
{
    uint32_t off = level_of(picture, counts[0]), on = level_of(picture, counts[1]);
    for (unsigned c = 0; c < PICTURE_RGB; c++) {
        uint32_t value =
            picture->is_merged ? off : (on_colour[c] * on + off_colour[c] * off + FULL / 2) / FULL;
        rgb[c] = (uint8_t)(value < FULL ? value : FULL);
    }
}

static uint32_t n_rows(const struct picture_grid *grid)
{
    return (grid->n + grid->columns - 1) / grid->columns;
}

void picture_grid_size(const struct picture *picture, const struct picture_grid *grid,
                       uint64_t *ret_width, uint64_t *ret_height)
{
    *ret_width = (uint64_t)grid->columns * (picture->width + GAP) - GAP;
    *ret_height = (uint64_t)n_rows(grid) * (picture->height + GAP) - GAP;
}

/* A pixel, `scale` times; returns where it ends. */
static uint8_t *put(uint8_t *rgb, const uint8_t colour[PICTURE_RGB], uint32_t scale)
{
    for (uint32_t i = 0; i < scale; i++, rgb += PICTURE_RGB)
        memcpy(rgb, colour, PICTURE_RGB);
    return rgb;
}

/* Row y of a cell; NULL: there is none. */
static uint8_t *put_cell(const struct picture *picture, const uint32_t *counts, uint32_t scale,
                         uint8_t *rgb)
{
    for (uint32_t x = 0; x < picture->width; x++) {
        uint8_t colour[PICTURE_RGB];
        if (counts)
            set_colour(picture, counts + (size_t)x * SENSOR_POLARITIES, colour);
        rgb = put(rgb, counts ? colour : gap_colour, scale);
    }
    return rgb;
}

void picture_draw_row(const struct picture *picture, const struct picture_grid *grid, uint32_t y,
                      uint32_t scale, uint8_t *rgb)
{
    uint32_t row = y / (picture->height + GAP), within = y % (picture->height + GAP);
    for (uint32_t column = 0; column < grid->columns; column++) {
        uint32_t cell = row * grid->columns + column;
        const uint32_t *counts = NULL;
        if (cell < grid->n && within < picture->height)
            counts = picture->counts + (grid->first + cell) * cell_counts(picture) +
                     (size_t)within * picture->width * SENSOR_POLARITIES;
        if (column > 0)
            rgb = put(rgb, gap_colour, scale);
        rgb = put_cell(picture, counts, scale, rgb);
    }
}
