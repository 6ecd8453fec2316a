/* SPDX-License-Identifier: Apache-2.0
 * What the sensor saw last, drawn into a terminal: ON orange and OFF blue, as in the daemon's
 * pictures, each glowing for a moment. */
#pragma once

#include <stdint.h>

#include "cli/event.h"
#include "cli/fault.h"
#include "cli/style.h"

enum { SCREEN_GLOW_US = 12000 };

struct screen {
    uint32_t width, height;
    struct {
        int32_t last_us; /* -1: nothing yet */
        uint8_t p;
    } pixels[];
};

/* A dark one; free() frees it. Errors: -ENOMEM. */
int screen_new(uint32_t width, uint32_t height, struct screen **ret, struct fault *why);

void screen_clear(struct screen *screen);

/* An event outside of it is not seen. */
void screen_put(struct screen *screen, struct event event);

/* How a pixel looks at now_us: 0 dark, then those of OFF and those of ON, each from fading to
 * fresh.
 */
enum { SCREEN_GLOWS = 7, SCREEN_SHADES = 1 + 2 * SCREEN_GLOWS };
unsigned screen_shade(const struct screen *screen, uint32_t x, uint32_t y, int32_t now_us);

struct screen_colour {
    uint8_t r, g, b;
};
struct screen_colour screen_colour(unsigned shade);

/* How pixels become cells of the terminal, which are twice as high as wide. */
struct screen_layout {
    enum {
        SCREEN_WIDE, /* two cells side by side are a block */
        SCREEN_HALF, /* a cell is two blocks, one above the other */
        SCREEN_ONE,  /* so it is, but has room to show the fresher one only */
    } cells;
    uint32_t scale; /* a block is so many pixels wide and high */
    uint32_t rows;  /* of cells; 0: there is no room */
};

/* The largest that fits into the window with `more` rows beside it. */
struct screen_layout screen_fit(const struct screen *screen, const struct style *style, int more);

/* Draw row `row` of cells, as it is at now_us. */
void screen_draw_row(FILE *out, const struct screen *screen, const struct style *style,
                     struct screen_layout layout, uint32_t row, int32_t now_us);

/* The signs of ON and OFF: coloured where there are colours. */
void screen_draw_legend(FILE *out, const struct style *style);
