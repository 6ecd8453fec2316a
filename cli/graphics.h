/* SPDX-License-Identifier: Apache-2.0
 * The screen as pixels, by the protocols that terminals have for pictures: kitty's
 * (https://sw.kovidgoyal.net/kitty/graphics-protocol/) and DEC's sixel. */
#pragma once

#include <stdio.h>

#include "cli/screen.h"
#include "cli/style.h"

enum graphics { GRAPHICS_AUTO, GRAPHICS_BLOCKS, GRAPHICS_SIXEL, GRAPHICS_KITTY };
extern const char *const graphics_names[];

/* Where it is drawn: below the first line, from the left. */
struct canvas {
    enum graphics by;
    uint32_t scale;    /* pixels that are sent for one of the sensor */
    int columns, rows; /* cells that it takes; 0: there is no room */
};

/* The largest that fits into the window with `more` rows beside it; cells are of the style's size.
 */
struct canvas canvas_fit(const struct screen *screen, const struct style *style, enum graphics by,
                         int more);

/* Draw it as it is at now_us. The cursor is then anywhere. */
void canvas_draw(FILE *out, const struct screen *screen, const struct canvas *canvas,
                 int32_t now_us);

/* Take away what would stay. */
void canvas_end(FILE *out, const struct canvas *canvas);
