/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist play`: a sample's events as an animation in the terminal; or, where there is none that
 * obeys, a picture of each saccade as text. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ability.h"
#include "cli/clean.h"
#include "cli/commands.h"
#include "cli/event.h"
#include "cli/graphics.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/style.h"
#include "cli/terminal.h"
#include "cli/word.h"

enum {
    SACCADE_US = 105000,
    N_SACCADES = 3,
    FRAME_US = 1000000 / 30,
    PAUSE_US = 1000000, /* how often a picture that stands is looked after */
    BAR_WIDTH = 60,
    ROWS_BESIDE = 3, /* title, time bar, legend */
    STDOUT_BUFFER = 1 << 16,
};

struct film {
    const tnm_batch *sample;
    struct screen *screen;
    char title[160];
    int32_t end_us, step_us; /* of the sample's time, between two frames */
    struct style style;
    struct screen_layout layout; /* of blocks */
    struct ability ability;
    enum graphics by; /* blocks, or */
    struct canvas canvas;
    struct terminal terminal;
    bool is_paused;
};

static unsigned saccade_of(uint32_t t_us)
{
    unsigned saccade = t_us / SACCADE_US;
    return saccade < N_SACCADES ? saccade : N_SACCADES - 1;
}

static int32_t end_of(const tnm_batch *sample)
{
    int32_t end_us = 0;
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_at(sample, i);
        end_us = (int32_t)event.t_us > end_us ? (int32_t)event.t_us : end_us;
    }
    return end_us;
}

static void draw_time(const struct film *film, int32_t now_us)
{
    int width = film->style.columns < BAR_WIDTH ? film->style.columns : BAR_WIDTH;
    int32_t shown_us = now_us < film->end_us ? now_us : film->end_us;
    int filled = film->end_us > 0 ? (int)((int64_t)shown_us * width / film->end_us) : width;
    for (int i = 0; i < width; i++)
        fputs(film->style.has_unicode ? (i < filled ? "\u2501" : "\u2500")
              : i < filled            ? "="
                                      : "-",
              stdout);
    fputs("\r\n\033[K", stdout);
    char text[80];
    int n = snprintf(text, sizeof text, "%5.1f ms  saccade %u  %s", shown_us / 1000.0,
                     saccade_of((uint32_t)shown_us) + 1, film->is_paused ? "paused  " : "");
    fwrite(text, 1, (size_t)(n < film->style.columns ? n : film->style.columns), stdout);
    if (film->style.columns >= n + 24) {
        screen_draw_legend(stdout, &film->style);
        fputs("  q ends", stdout);
    }
}

/* Below the first line; the cursor is in its last one then. False where there is no room. */
static bool draw_screen(const struct film *film, int32_t now_us)
{
    if (film->by != GRAPHICS_BLOCKS) {
        if (film->canvas.rows == 0)
            return false;
        canvas_draw(stdout, film->screen, &film->canvas, now_us);
        printf("\033[%d;1H", 1 + film->canvas.rows);
        return true;
    }
    for (uint32_t row = 0; row < film->layout.rows; row++) {
        fputs("\r\n", stdout);
        screen_draw_row(stdout, film->screen, &film->style, film->layout, row, now_us);
    }
    return film->layout.rows > 0;
}

/* Nothing is cleared but what changes its length: behind the last column that would take it away.
 */
static int draw(const struct film *film, int32_t now_us, struct fault *why)
{
    fputs("\033[H", stdout);
    fputs(film->style.has_colours ? "\033[1m" : "", stdout);
    clean_write(stdout, film->title, 0, film->style.columns);
    fputs(film->style.has_colours ? "\033[0m" : "", stdout);
    if (draw_screen(film, now_us)) {
        fputs("\r\n", stdout);
        draw_time(film, now_us);
    }
    return output_flush(why);
}

static void fit(struct film *film)
{
    film->style = style_of(stdout);
    if (film->ability.cell_width > 0) {
        film->style.cell_width = film->ability.cell_width;
        film->style.cell_height = film->ability.cell_height;
    }
    film->layout = screen_fit(film->screen, &film->style, ROWS_BESIDE);
    film->canvas = canvas_fit(film->screen, &film->style, film->by, ROWS_BESIDE);
    fputs("\033[2J", stdout);
}

/* What the user wants: 1 to end, 0 not to. */
static int obey(struct film *film, char key)
{
    if (key == ' ')
        film->is_paused = !film->is_paused;
    return key == 'q' || key == 'Q' || key == '\033';
}

/* Show the frame until its time is over; or, paused, until it is to go on. 0, 1 it is to end, or a
 * negative errno. */
static int show(struct film *film, int32_t now_us, struct fault *why)
{
    int64_t until_us = terminal_now_us() + FRAME_US;
    for (;;) {
        char key = '\0';
        int r = draw(film, now_us, why);
        if (r < 0)
            return r;
        enum terminal_event event = terminal_wait(
            &film->terminal, film->is_paused ? terminal_now_us() + PAUSE_US : until_us, &key);
        if (event == TERMINAL_ENDED || (event == TERMINAL_KEY && obey(film, key)))
            return 1;
        if (event == TERMINAL_CHANGED)
            fit(film);
        if (event == TERMINAL_TIME && !film->is_paused)
            return 0;
    }
}

static int show_round(struct film *film, struct fault *why)
{
    uint64_t next = 0, n = tnm_batch_n_events(film->sample);
    int r = 0;
    screen_clear(film->screen);
    for (int32_t now_us = 0; r == 0 && now_us <= film->end_us + SCREEN_GLOW_US;
         now_us += film->step_us) {
        for (; next < n; next++) {
            struct event event = event_at(film->sample, next);
            if ((int32_t)event.t_us > now_us)
                break;
            screen_put(film->screen, event);
        }
        r = show(film, now_us, why);
    }
    return r;
}

/* The way to draw that the terminal has, where it is left to us. */
static void choose_graphics(struct film *film)
{
    if (film->by != GRAPHICS_AUTO)
        return;
    film->by = GRAPHICS_BLOCKS;
    if (!film->style.has_colours)
        return;
    ability_ask(&film->terminal, &film->ability);
    if (film->ability.kitty)
        film->by = GRAPHICS_KITTY;
    else if (film->ability.sixel)
        film->by = GRAPHICS_SIXEL;
}

static int show_film(struct film *film, bool once, struct fault *why)
{
    setvbuf(stdout, NULL, _IOFBF, STDOUT_BUFFER);
    int r = terminal_take(&film->terminal, why);
    if (r < 0)
        return r;
    choose_graphics(film);
    fit(film);
    do
        r = show_round(film, why);
    while (r == 0 && !once);
    canvas_end(stdout, &film->canvas);
    terminal_give_back(&film->terminal);
    return r < 0 ? r : 0;
}

/* '+' ON, '-' OFF, '#' both. */
static void print_saccade(struct screen *screen, const tnm_batch *sample, unsigned saccade)
{
    static const char signs[] = {' ', '-', '+', '#'};
    for (uint32_t i = 0; i < screen->width * screen->height; i++)
        screen->pixels[i].p = 0;
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_at(sample, i);
        if (saccade_of(event.t_us) == saccade && event.x < screen->width &&
            event.y < screen->height)
            screen->pixels[event.y * screen->width + event.x].p |= (uint8_t)(event.p ? 2 : 1);
    }
    printf("saccade %u\n", saccade + 1);
    for (uint32_t y = 0; y < screen->height; y++) {
        for (uint32_t x = 0; x < screen->width; x++)
            putchar(signs[screen->pixels[y * screen->width + x].p]);
        putchar('\n');
    }
}

static void write_title(struct film *film, const char *split)
{
    const tnm_batch *sample = film->sample;
    size_t used = (size_t)snprintf(film->title, sizeof film->title,
                                   "%.60s %" PRIu64 ": %" PRIu64 " events, digits", split,
                                   tnm_batch_indices(sample)[0], tnm_batch_n_events(sample));
    for (unsigned d = 0; d < tnm_batch_n_labels(sample) && used < sizeof film->title; d++)
        if (tnm_batch_labels(sample)[d])
            used += (size_t)snprintf(film->title + used, sizeof film->title - used, " %u", d);
    clean_line(film->title);
}

static int play(const struct options *options, struct screen *screen, const tnm_batch *sample,
                struct fault *why)
{
    struct film film = {
        .sample = sample,
        .screen = screen,
        .end_us = end_of(sample),
        .step_us = (int32_t)(FRAME_US * options->speed),
        .style = style_of(stdout),
        .by = (enum graphics)options->graphics,
    };
    write_title(&film, options->operands[0]);
    if (film.style.is_terminal)
        return show_film(&film, options->once, why);
    puts(film.title);
    for (unsigned saccade = 0; saccade < N_SACCADES; saccade++)
        print_saccade(screen, sample, saccade);
    return 0;
}

static int fetch_pair(const char *words, tnm_split *split, tnm_batch **ret, struct fault *why)
{
    uint64_t *pair;
    size_t n;
    int r = word_numbers("--pair", words, &pair, &n, why);
    if (r < 0)
        return r;
    if (n != 2)
        r = fault_set(why, -EINVAL, "--pair takes SEED,INDEX");
    else if ((r = tnm_pair(split, pair[0], pair[1], ret)) < 0)
        fault_of_library(why, r);
    free(pair);
    return r;
}

static int fetch_sample(const struct options *options, tnm_split *split, tnm_batch **ret,
                        struct fault *why)
{
    uint64_t index = 0;
    int r = options->n_operands > 1
                ? word_number("INDEX", options->operands[1], 0, UINT64_MAX, &index, why)
                : 0;
    if (r < 0)
        return r;
    r = tnm_samples(split, &index, 1, ret);
    return r < 0 ? fault_of_library(why, r) : 0;
}

int command_play(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    tnm_batch *sample;
    tnm_geometry geometry;
    struct options asked = *options;
    struct screen *screen = NULL;
    if (options->pair && options->n_operands > 1)
        return fault_set(why, -EINVAL, "--pair says which pair; INDEX has no meaning beside it");
    asked.order = TNM_ORDER_TIME;
    int r = command_open_split(&asked, client, &split, why);
    if (r < 0)
        return r;
    tnm_split_geometry(split, &geometry);
    r = screen_new(geometry.width, geometry.height, &screen, why);
    if (r == 0)
        r = options->pair ? fetch_pair(options->pair, split, &sample, why)
                          : fetch_sample(options, split, &sample, why);
    if (r == 0) {
        r = play(options, screen, sample, why);
        tnm_batch_free(sample);
    }
    free(screen);
    tnm_split_close(split);
    return r;
}
