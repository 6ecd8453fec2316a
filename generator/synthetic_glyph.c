/* SPDX-License-Identifier: Apache-2.0
 * The picture of a written digit, as finely as the sensor's image moves. */
#include "generator/synthetic_glyph.h"

#include <stdlib.h>

enum {
    ONE = HAND_FULL_INK,
    CELL = HAND_UNIT / GLYPH_CELLS,
    DOT_STEP = HAND_UNIT / 2,
    SQUARE_UNIT = 32, /* of squared distances, in squared HAND_UNIT */
    REACH = GLYPH_REACH * HAND_UNIT,
    SOFTNESS = 46,    /* half the width of an edge, as MNIST's grey levels and the lens blur it */
    GROUND = ONE / 5, /* brightness of the screen's black */
};

_Static_assert(REACH *REACH / SQUARE_UNIT == GLYPH_DISTANCES, "the table ends where lines do");
_Static_assert(REACH *REACH * 2 / SQUARE_UNIT <= UINT16_MAX, "a cell holds a dot's corner");

void glyph_init(struct glyph *ret)
{
    uint32_t root = 0;
    for (uint32_t i = 0; i < GLYPH_DISTANCES; i++) {
        while ((root + 1) * (root + 1) <= i * SQUARE_UNIT)
            root++;
        ret->roots[i] = (uint16_t)root;
    }
}

/* Logarithm to base 2 of value ≥ 1, GLYPH_OCTAVE to a doubling, rounded down: by squaring. */
static uint32_t logarithm(uint32_t value)
{
    uint32_t whole = 31 - (uint32_t)__builtin_clz(value);
    uint64_t rest = (uint64_t)value << (31 - whole); /* 1 ≤ rest / 2^31 < 2 */
    uint32_t ret = whole;
    for (uint32_t bit = 1; bit < GLYPH_OCTAVE; bit *= 2) {
        rest = rest * rest >> 31;
        uint32_t carry = (uint32_t)(rest >> 32);
        rest >>= carry;
        ret = ret * 2 + carry;
    }
    return ret;
}

/* How much of the pen's brightness is left at a distance from its middle, in 1/ONE. */
static int32_t coverage(int32_t distance, int32_t radius)
{
    int32_t inside = (radius + SOFTNESS - distance) * ONE / (2 * SOFTNESS);
    if (inside <= 0)
        return 0;
    if (inside >= ONE)
        return ONE;
    return inside * inside / ONE * (3 * ONE - 2 * inside) / ONE;
}

static int32_t first_cell(int32_t from, int32_t cell)
{
    int32_t i = from / cell;
    return i > 0 ? i : 0;
}

static int32_t end_cell(int32_t to, int32_t cell, int32_t limit)
{
    int32_t i = to / cell + 1;
    return i < limit ? i : limit;
}

/* Note in the cells around a dot how far they are from it, where no other dot is nearer. */
static void put_dot(struct glyph *glyph, int32_t x, int32_t y, int32_t reach)
{
    x += GLYPH_MARGIN * HAND_UNIT;
    y += GLYPH_MARGIN * HAND_UNIT;
    int32_t x0 = first_cell(x - reach, CELL), x1 = end_cell(x + reach, CELL, GLYPH_WIDTH);
    int32_t y0 = first_cell(y - reach, CELL), y1 = end_cell(y + reach, CELL, GLYPH_HEIGHT);
    for (int32_t row = y0; row < y1; row++) {
        uint16_t *cells = glyph->cells[row];
        int32_t dy = row * CELL - y;
        for (int32_t column = x0; column < x1; column++) {
            int32_t dx = column * CELL - x;
            uint16_t square = (uint16_t)((dx * dx + dy * dy) / SQUARE_UNIT);
            cells[column] = square < cells[column] ? square : cells[column];
        }
    }
}

static void put_line(struct glyph *glyph, const struct hand_point *from,
                     const struct hand_point *to, int32_t reach)
{
    int32_t dx = to->x - from->x, dy = to->y - from->y;
    int32_t longer = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
    int32_t n = longer / DOT_STEP + 1;
    for (int32_t i = 0; i < n; i++)
        put_dot(glyph, from->x + dx * i / n, from->y + dy * i / n, reach);
}

/* Turn squared distances into logarithms of brightness. */
static void shade(struct glyph *glyph, int32_t radius, int32_t ink)
{
    uint16_t shades[GLYPH_DISTANCES];
    for (uint32_t i = 0; i < GLYPH_DISTANCES; i++) {
        int32_t light = coverage(glyph->roots[i], radius) * ink / ONE;
        shades[i] = (uint16_t)logarithm((uint32_t)(GROUND + light * (ONE - GROUND) / ONE));
    }
    uint16_t *cells = glyph->cells[0];
    for (uint32_t i = 0; i < GLYPH_WIDTH * GLYPH_HEIGHT; i++)
        cells[i] = shades[cells[i]];
}

void glyph_draw(struct glyph *glyph, const struct handwriting *writing)
{
    uint16_t *cells = glyph->cells[0];
    for (uint32_t i = 0; i < GLYPH_WIDTH * GLYPH_HEIGHT; i++)
        cells[i] = GLYPH_DISTANCES - 1;

    int32_t reach = writing->radius + SOFTNESS;
    reach = reach < REACH ? reach : REACH;
    for (unsigned i = 1; i < writing->n_points; i++)
        if (writing->points[i].pen_down)
            put_line(glyph, &writing->points[i - 1], &writing->points[i], reach);
    shade(glyph, writing->radius, writing->ink);
}
