/* SPDX-License-Identifier: Apache-2.0
 * What the sensor saw last, drawn into a terminal. */
#include "cli/screen.h"

#include <errno.h>
#include <stdlib.h>

enum { N_STEPS = 4, BLACK = 16 };

/* Of the terminal's palette of 256 those nearest to the pictures' colours, from fresh to fading. */
static const uint8_t on_steps[N_STEPS] = {178, 136, 94, 58};
static const uint8_t off_steps[N_STEPS] = {74, 67, 24, 17};

/* Of the pictures: Okabe and Ito's orange and sky blue. */
static const struct screen_colour on_colour = {230, 159, 0}, off_colour = {86, 180, 233};

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

/* From `n`, fresh, down to 1; 0: dark. */
static unsigned glow_of(struct seen seen, int32_t now_us, unsigned n)
{
    if (seen.last_us < 0 || now_us - seen.last_us >= SCREEN_GLOW_US)
        return 0;
    return n - (unsigned)(now_us - seen.last_us) * n / SCREEN_GLOW_US;
}

static unsigned shade_of(struct seen seen, int32_t now_us)
{
    unsigned glow = glow_of(seen, now_us, SCREEN_GLOWS);
    return glow + (glow && seen.p ? SCREEN_GLOWS : 0);
}

unsigned screen_shade(const struct screen *screen, uint32_t x, uint32_t y, int32_t now_us)
{
    const uint32_t pixel = y * screen->width + x;
    return shade_of((struct seen){screen->pixels[pixel].last_us, screen->pixels[pixel].p}, now_us);
}

struct screen_colour screen_colour(unsigned shade)
{
    bool on = shade > SCREEN_GLOWS;
    const struct screen_colour full = on ? on_colour : off_colour;
    unsigned glow = on ? shade - SCREEN_GLOWS : shade;
    return (struct screen_colour){
        .r = (uint8_t)(full.r * glow / SCREEN_GLOWS),
        .g = (uint8_t)(full.g * glow / SCREEN_GLOWS),
        .b = (uint8_t)(full.b * glow / SCREEN_GLOWS),
    };
}

/* A colour of the palette, or one of all, which stands behind them. */
enum { ALL_COLOURS = 1 << 24 };

static int colour_of(const struct style *style, struct seen seen, int32_t now_us)
{
    if (style->has_all_colours) {
        struct screen_colour colour = screen_colour(shade_of(seen, now_us));
        return ALL_COLOURS | colour.r << 16 | colour.g << 8 | colour.b;
    }
    unsigned glow = glow_of(seen, now_us, N_STEPS);
    return glow ? (seen.p ? on_steps : off_steps)[N_STEPS - glow] : BLACK;
}

static char sign_of(struct seen seen, int32_t now_us)
{
    return glow_of(seen, now_us, 1) == 0 ? ' ' : seen.p ? '+' : '-';
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

/* `ground` is 3 in front and 4 behind. */
static void set_colour(FILE *out, int ground, int colour)
{
    if (colour & ALL_COLOURS)
        fprintf(out, "\033[%d8;2;%d;%d;%dm", ground, colour >> 16 & 0xff, colour >> 8 & 0xff,
                colour & 0xff);
    else
        fprintf(out, "\033[%d8;5;%dm", ground, colour);
}

static void set_brush(FILE *out, struct brush *brush, int front, int back)
{
    if (back != brush->back)
        set_colour(out, 4, back);
    if (front != brush->front)
        set_colour(out, 3, front);
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
            set_brush(out, &brush, colour_of(style, upper, now_us),
                      colour_of(style, lower, now_us));
        else if (style->has_colours)
            set_brush(out, &brush, brush.front, colour_of(style, both, now_us));
        if (layout.cells == SCREEN_HALF)
            fputs("\u2580", out);
        else
            fprintf(out, "%.*s", wide ? 2 : 1, (char[]){sign, sign, '\0'});
    }
    fputs(style->has_colours ? "\033[0m" : "", out);
}

void screen_draw_legend(FILE *out, const struct style *style)
{
    if (!style->has_colours) {
        fputs("+ ON  - OFF", out);
        return;
    }
    set_colour(out, 4, colour_of(style, (struct seen){0, 1}, 0));
    fputs("  \033[0m ON  ", out);
    set_colour(out, 4, colour_of(style, (struct seen){0, 0}, 0));
    fputs("  \033[0m OFF", out);
}
