/* SPDX-License-Identifier: Apache-2.0
 * What the sensor saw last, drawn into a terminal. */
#include "cli/screen.h"

#include <errno.h>
#include <stdlib.h>

enum { N_SHADES = 4, BACKGROUND = 233 };

/* Colours of the terminal's palette of 256, from fresh to fading. */
static const uint8_t on_shades[N_SHADES] = {220, 208, 130, 94};
static const uint8_t off_shades[N_SHADES] = {51, 39, 25, 17};

int screen_new(uint32_t width, uint32_t height, struct screen **ret, struct fault *why)
{
    size_t n = (size_t)width * height;
    struct screen *screen = malloc(sizeof *screen + n * sizeof screen->pixels[0]);
    if (!screen)
        return fault_set(why, -ENOMEM, "no memory for %zu pixels", n);
    screen->width = width;
    screen->height = height;
    screen_clear(screen);
    *ret = screen;
    return 0;
}

void screen_clear(struct screen *screen)
{
    for (uint32_t i = 0; i < screen->width * screen->height; i++)
        screen->pixels[i].last_us = -1;
}

void screen_put(struct screen *screen, struct event event)
{
    if (event.x >= screen->width || event.y >= screen->height)
        return;
    uint32_t pixel = event.y * screen->width + event.x;
    screen->pixels[pixel].last_us = (int32_t)event.t_us;
    screen->pixels[pixel].p = event.p;
}

/* What is seen of a block of pixels: its freshest. */
struct seen {
    int32_t last_us;
    uint8_t p;
};

static struct seen fresher(struct seen a, struct seen b)
{
    return b.last_us > a.last_us ? b : a;
}

static struct seen look(const struct screen *screen, uint32_t scale, uint32_t column, uint32_t row)
{
    struct seen seen = {.last_us = -1};
    for (uint32_t y = row * scale; y < (row + 1) * scale && y < screen->height; y++)
        for (uint32_t x = column * scale; x < (column + 1) * scale && x < screen->width; x++) {
            uint32_t pixel = y * screen->width + x;
            seen = fresher(seen,
                           (struct seen){screen->pixels[pixel].last_us, screen->pixels[pixel].p});
        }
    return seen;
}

/* From 0, fresh; N_SHADES: dark. */
static unsigned shade_of(struct seen seen, int32_t now_us)
{
    if (seen.last_us < 0 || now_us - seen.last_us >= SCREEN_GLOW_US)
        return N_SHADES;
    return (unsigned)(now_us - seen.last_us) * N_SHADES / SCREEN_GLOW_US;
}

static int colour_of(struct seen seen, int32_t now_us)
{
    unsigned shade = shade_of(seen, now_us);
    return shade == N_SHADES ? BACKGROUND : (seen.p ? on_shades : off_shades)[shade];
}

static char sign_of(struct seen seen, int32_t now_us)
{
    return shade_of(seen, now_us) == N_SHADES ? ' ' : seen.p ? '+' : '-';
}

static uint32_t blocks(uint32_t pixels, uint32_t scale)
{
    return (pixels + scale - 1) / scale;
}

struct screen_layout screen_fit(const struct screen *screen, const struct style *style, int more)
{
    uint32_t columns = (uint32_t)style->columns;
    uint32_t rows = style->rows > more ? (uint32_t)(style->rows - more) : 0;
    if (2 * screen->width <= columns && screen->height <= rows)
        return (struct screen_layout){SCREEN_WIDE, 1, screen->height};
    uint32_t scale = 1;
    while (rows > 0 &&
           (blocks(screen->width, scale) > columns || blocks(screen->height, 2 * scale) > rows))
        scale++;
    return (struct screen_layout){
        .cells = style->has_colours && style->has_unicode ? SCREEN_HALF : SCREEN_ONE,
        .scale = scale,
        .rows = rows ? blocks(screen->height, 2 * scale) : 0,
    };
}

/* Colours that stay until others are set. */
struct brush {
    int front, back;
};

static void set_brush(FILE *out, struct brush *brush, int front, int back)
{
    if (back != brush->back)
        fprintf(out, "\033[48;5;%dm", back);
    if (front != brush->front)
        fprintf(out, "\033[38;5;%dm", front);
    *brush = (struct brush){front, back};
}

void screen_draw_row(FILE *out, const struct screen *screen, const struct style *style,
                     struct screen_layout layout, uint32_t row, int32_t now_us)
{
    struct brush brush = {-1, -1};
    bool wide = layout.cells == SCREEN_WIDE;
    for (uint32_t column = 0; column < blocks(screen->width, layout.scale); column++) {
        struct seen upper = look(screen, layout.scale, column, wide ? row : 2 * row);
        struct seen lower = wide ? upper : look(screen, layout.scale, column, 2 * row + 1);
        struct seen both = fresher(upper, lower);
        char sign = style->has_colours ? ' ' : sign_of(both, now_us);
        if (layout.cells == SCREEN_HALF)
            set_brush(out, &brush, colour_of(upper, now_us), colour_of(lower, now_us));
        else if (style->has_colours)
            set_brush(out, &brush, brush.front, colour_of(both, now_us));
        if (layout.cells == SCREEN_HALF)
            fputs("\u2580", out);
        else
            fprintf(out, "%.*s", wide ? 2 : 1, (char[]){sign, sign, '\0'});
    }
    fputs(style->has_colours ? "\033[0m" : "", out);
}

void screen_draw_legend(FILE *out, const struct style *style)
{
    if (style->has_colours)
        fprintf(out, "\033[48;5;%um  \033[0m ON  \033[48;5;%um  \033[0m OFF", on_shades[0],
                off_shades[0]);
    else
        fputs("+ ON  - OFF", out);
}
