/* SPDX-License-Identifier: Apache-2.0
 * The screen as pixels, by the protocols that terminals have for pictures. */
#include "cli/graphics.h"

#include <string.h>

enum {
    CELL_WIDTH = 8, /* where nobody knows */
    CELL_HEIGHT = 16,
    KITTY_SCALE = 4, /* it makes it as large as it is told to */
    SIXEL_SCALE_MAX = 16,
    SIXEL_ROWS = 6, /* of pixels, in a character */
    KITTY_PIECE = 4096,
};

const char *const graphics_names[] = {
    [GRAPHICS_AUTO] = "auto",
    [GRAPHICS_BLOCKS] = "blocks",
    [GRAPHICS_SIXEL] = "sixel",
    [GRAPHICS_KITTY] = "kitty",
    NULL,
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int cells(uint32_t pixels, int cell)
{
    return ((int)pixels + cell - 1) / cell;
}

struct canvas canvas_fit(const struct screen *screen, const struct style *style, enum graphics by,
                         int more)
{
    int cell_width = style->cell_width > 0 ? style->cell_width : CELL_WIDTH;
    int cell_height = style->cell_height > 0 ? style->cell_height : CELL_HEIGHT;
    int columns = style->columns, rows = style->rows - more;
    /* of the window's pixels, for one of the sensor */
    int scale = rows > 0 ? smaller(columns * cell_width / (int)screen->width,
                                   rows * cell_height / (int)screen->height)
                         : 0;
    if (scale < 1)
        return (struct canvas){.by = by, .scale = 1, .columns = 0, .rows = 0};
    scale = smaller(scale, SIXEL_SCALE_MAX);
    return (struct canvas){
        .by = by,
        .scale = (uint32_t)(by == GRAPHICS_KITTY ? smaller(scale, KITTY_SCALE) : scale),
        .columns = smaller(columns, cells(screen->width * (uint32_t)scale, cell_width)),
        .rows = smaller(rows, cells(screen->height * (uint32_t)scale, cell_height)),
    };
}

/* ---- kitty ---- */

/* Bytes as base64, in pieces of escape sequences; the last one says that it is. */
struct pieces {
    FILE *out;
    size_t n; /* characters in this piece */
    uint32_t bits;
    unsigned n_bits;
};

static void put_character(struct pieces *pieces, unsigned six)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (pieces->n == KITTY_PIECE) {
        fputs("\033\\\033_Gm=1;", pieces->out);
        pieces->n = 0;
    }
    putc(alphabet[six], pieces->out);
    pieces->n++;
}

static void put_byte(struct pieces *pieces, uint8_t byte)
{
    pieces->bits = pieces->bits << 8 | byte;
    pieces->n_bits += 8;
    while (pieces->n_bits >= 6) {
        pieces->n_bits -= 6;
        put_character(pieces, pieces->bits >> pieces->n_bits & 0x3f);
    }
}

static void put_row(struct pieces *pieces, const struct screen *screen, uint32_t scale, uint32_t y,
                    int32_t now_us)
{
    for (uint32_t x = 0; x < screen->width; x++) {
        struct screen_colour colour = screen_colour(screen_shade(screen, x, y, now_us));
        for (uint32_t i = 0; i < scale; i++) {
            put_byte(pieces, colour.r);
            put_byte(pieces, colour.g);
            put_byte(pieces, colour.b);
        }
    }
}

/* A picture's pixels are three bytes, which are four characters: nothing is left at the end. */
static void draw_kitty(FILE *out, const struct screen *screen, const struct canvas *canvas,
                       int32_t now_us)
{
    struct pieces pieces = {.out = out};
    fprintf(out, "\033_Ga=T,f=24,i=1,p=1,q=2,C=1,s=%u,v=%u,c=%d,r=%d,m=1;",
            screen->width * canvas->scale, screen->height * canvas->scale, canvas->columns,
            canvas->rows);
    for (uint32_t y = 0; y < screen->height * canvas->scale; y++)
        put_row(&pieces, screen, canvas->scale, y / canvas->scale, now_us);
    fputs("\033\\\033_Gm=0;\033\\", out);
}

/* ---- sixel ---- */

static void set_registers(FILE *out)
{
    enum { PERCENT = 100, FULL = 255 };
    for (unsigned shade = 0; shade < SCREEN_SHADES; shade++) {
        struct screen_colour colour = screen_colour(shade);
        fprintf(out, "#%u;2;%d;%d;%d", shade, colour.r * PERCENT / FULL, colour.g * PERCENT / FULL,
                colour.b * PERCENT / FULL);
    }
}

/* `n` times the same. */
static void put_run(FILE *out, unsigned bits, uint32_t n)
{
    int character = '?' + (int)bits;
    if (n > 3)
        fprintf(out, "!%u%c", n, character);
    else
        while (n-- > 0)
            putc(character, out);
}

/* The rows of a band that have this shade at sensor column x, one bit each. */
static unsigned bits_at(const struct screen *screen, const struct canvas *canvas, uint32_t band,
                        uint32_t x, unsigned shade, int32_t now_us)
{
    unsigned bits = 0;
    for (uint32_t i = 0; i < SIXEL_ROWS; i++) {
        uint32_t y = (band * SIXEL_ROWS + i) / canvas->scale;
        if (y < screen->height && screen_shade(screen, x, y, now_us) == shade)
            bits |= 1u << i;
    }
    return bits;
}

static void draw_shade(FILE *out, const struct screen *screen, const struct canvas *canvas,
                       uint32_t band, unsigned shade, int32_t now_us)
{
    unsigned last = 0;
    uint32_t n = 0;
    bool any = false;
    for (uint32_t x = 0; x < screen->width; x++) {
        unsigned bits = bits_at(screen, canvas, band, x, shade, now_us);
        if (bits && !any) {
            fprintf(out, "$#%u", shade);
            any = true;
            put_run(out, 0, n);
            n = 0;
        } else if (any && bits != last) {
            put_run(out, last, n);
            n = 0;
        }
        last = bits;
        n += canvas->scale;
    }
    if (any && last)
        put_run(out, last, n);
}

static void draw_sixel(FILE *out, const struct screen *screen, const struct canvas *canvas,
                       int32_t now_us)
{
    uint32_t height = screen->height * canvas->scale;
    fprintf(out, "\033P0;1;0q\"1;1;%u;%u", screen->width * canvas->scale, height);
    set_registers(out);
    for (uint32_t band = 0; band * SIXEL_ROWS < height; band++) {
        if (band > 0)
            putc('-', out);
        for (unsigned shade = 0; shade < SCREEN_SHADES; shade++)
            draw_shade(out, screen, canvas, band, shade, now_us);
    }
    fputs("\033\\", out);
}

void canvas_draw(FILE *out, const struct screen *screen, const struct canvas *canvas,
                 int32_t now_us)
{
    fputs("\033[2;1H", out);
    if (canvas->by == GRAPHICS_KITTY)
        draw_kitty(out, screen, canvas, now_us);
    else
        draw_sixel(out, screen, canvas, now_us);
}

void canvas_end(FILE *out, const struct canvas *canvas)
{
    if (canvas->by == GRAPHICS_KITTY)
        fputs("\033_Ga=d,d=I,i=1,q=2;\033\\", out);
}
