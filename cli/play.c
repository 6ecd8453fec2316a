/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist play`: a sample's events as an animation in the terminal, ON warm and OFF cold, each
 * glowing for a moment; or, where there is no terminal, a picture of each saccade as text. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/event.h"
#include "cli/word.h"

enum {
    GLOW_US = 12000,
    SACCADE_US = 105000,
    N_SACCADES = 3,
    N_SHADES = 4,
    BAR_WIDTH = 60,
    FRAMES_PER_S = 30,
};

/* Colours of the terminal's palette of 256, from fresh to fading. */
static const uint8_t on_shades[N_SHADES] = {220, 208, 130, 94};
static const uint8_t off_shades[N_SHADES] = {51, 39, 25, 17};
static const uint8_t background = 233;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* What each pixel saw last: when (-1: nothing yet) and of which polarity. */
struct screen {
    uint32_t width, height;
    struct {
        int32_t last_us;
        uint8_t p;
    } pixels[];
};

static void screen_clear(struct screen *screen)
{
    for (uint32_t i = 0; i < screen->width * screen->height; i++)
        screen->pixels[i].last_us = -1;
}

static int screen_new(const tnm_split *split, struct screen **ret, struct fault *why)
{
    tnm_geometry geometry;
    tnm_split_geometry(split, &geometry);
    size_t n = (size_t)geometry.width * geometry.height;
    struct screen *screen = malloc(sizeof *screen + n * sizeof screen->pixels[0]);
    if (!screen)
        return fault_set(why, -ENOMEM, "no memory for %zu pixels", n);
    screen->width = geometry.width;
    screen->height = geometry.height;
    *ret = screen;
    return 0;
}

static void screen_put(struct screen *screen, struct event event)
{
    if (event.x >= screen->width || event.y >= screen->height)
        return;
    uint32_t pixel = event.y * screen->width + event.x;
    screen->pixels[pixel].last_us = (int32_t)event.t_us;
    screen->pixels[pixel].p = event.p;
}

static uint8_t colour_at(const struct screen *screen, uint32_t x, uint32_t y, int32_t now_us)
{
    if (y >= screen->height)
        return background;
    uint32_t pixel = y * screen->width + x;
    int32_t last_us = screen->pixels[pixel].last_us;
    if (last_us < 0 || now_us - last_us >= GLOW_US)
        return background;
    unsigned shade = (unsigned)(now_us - last_us) * N_SHADES / GLOW_US;
    return (screen->pixels[pixel].p ? on_shades : off_shades)[shade];
}

/* Two pixels a cell, one above the other: cells are twice as high as wide. */
static void draw_half_blocks(const struct screen *screen, int32_t now_us)
{
    for (uint32_t y = 0; y < screen->height; y += 2) {
        for (uint32_t x = 0; x < screen->width; x++)
            printf("\033[38;5;%u;48;5;%um\u2580", colour_at(screen, x, y, now_us),
                   colour_at(screen, x, y + 1, now_us));
        fputs("\033[0m\033[K\r\n", stdout);
    }
}

/* Two cells a pixel, where the terminal is large enough. */
static void draw_full_cells(const struct screen *screen, int32_t now_us)
{
    for (uint32_t y = 0; y < screen->height; y++) {
        for (uint32_t x = 0; x < screen->width; x++)
            printf("\033[48;5;%um  ", colour_at(screen, x, y, now_us));
        fputs("\033[0m\033[K\r\n", stdout);
    }
}

static void draw_time(int32_t now_us, int32_t end_us)
{
    int filled = end_us > 0 ? (int)((int64_t)now_us * BAR_WIDTH / end_us) : BAR_WIDTH;
    for (int i = 0; i < BAR_WIDTH; i++)
        fputs(i < filled ? "\u2501" : "\u2500", stdout);
    int saccade = now_us / SACCADE_US + 1;
    printf("\033[K\r\n%5.1f ms   saccade %d   \033[38;5;%um\u25a0\033[0m ON  "
           "\033[38;5;%um\u25a0\033[0m OFF   Ctrl-C ends\033[K",
           now_us / 1000.0, saccade > N_SACCADES ? N_SACCADES : saccade, on_shades[0],
           off_shades[0]);
}

static bool is_large(const struct screen *screen)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row >= screen->height + 4 &&
           size.ws_col >= 2 * screen->width;
}

static void wait_for_frame(void)
{
    const struct timespec frame = {.tv_nsec = 1000000000 / FRAMES_PER_S};
    nanosleep(&frame, NULL);
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

static void play_round(struct screen *screen, const tnm_batch *sample, const char *title,
                       double speed)
{
    screen_clear(screen);
    int32_t end_us = end_of(sample), step_us = (int32_t)(1e6 / FRAMES_PER_S * speed);
    uint64_t next = 0, n = tnm_batch_n_events(sample);
    bool large = is_large(screen);
    step_us = step_us > 0 ? step_us : 1;
    for (int32_t now_us = 0; now_us <= end_us + GLOW_US && !interrupted; now_us += step_us) {
        for (; next < n; next++) {
            struct event event = event_at(sample, next);
            if ((int32_t)event.t_us > now_us)
                break;
            screen_put(screen, event);
        }
        printf("\033[H\033[1m%s\033[0m\033[K\r\n", title);
        (large ? draw_full_cells : draw_half_blocks)(screen, now_us);
        draw_time(now_us < end_us ? now_us : end_us, end_us);
        fflush(stdout);
        wait_for_frame();
    }
}

static void play_in_terminal(struct screen *screen, const tnm_batch *sample, const char *title,
                             const struct options *options)
{
    struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGTERM, &action, &old_term);
    fputs("\033[?1049h\033[?25l\033[2J", stdout); /* another screen, no cursor */
    do
        play_round(screen, sample, title, options->speed);
    while (!options->once && !interrupted);
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
}

/* '+' ON, '-' OFF, '#' both. */
static void print_saccade(struct screen *screen, const tnm_batch *sample, unsigned saccade)
{
    static const char signs[] = {' ', '-', '+', '#'};
    for (uint32_t i = 0; i < screen->width * screen->height; i++)
        screen->pixels[i].p = 0;
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_at(sample, i);
        unsigned at = event.t_us / SACCADE_US;
        if ((at < N_SACCADES ? at : N_SACCADES - 1) == saccade && event.x < screen->width &&
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

static void play(const struct options *options, struct screen *screen, const tnm_batch *sample)
{
    char title[160];
    size_t used = (size_t)snprintf(
        title, sizeof title, "%.60s %" PRIu64 ": %" PRIu64 " events, digits", options->operands[0],
        tnm_batch_indices(sample)[0], tnm_batch_n_events(sample));
    for (unsigned d = 0; d < tnm_batch_n_labels(sample); d++)
        if (tnm_batch_labels(sample)[d])
            used += (size_t)snprintf(title + used, sizeof title - used, " %u", d);
    if (isatty(STDOUT_FILENO)) {
        play_in_terminal(screen, sample, title, options);
        return;
    }
    puts(title);
    for (unsigned saccade = 0; saccade < N_SACCADES; saccade++)
        print_saccade(screen, sample, saccade);
}

static int fetch(const struct options *options, tnm_split *split, tnm_batch **ret,
                 struct fault *why)
{
    uint64_t index = 0, *pair;
    size_t n;
    int r = 0;
    if (options->pair) {
        r = word_numbers("--pair", options->pair, &pair, &n, why);
        if (r < 0)
            return r;
        r = n == 2 ? tnm_pair(split, pair[0], pair[1], ret)
                   : fault_set(why, -EINVAL, "--pair takes SEED,INDEX");
        free(pair);
        if (n != 2)
            return r;
    } else {
        if (options->n_operands > 1)
            r = word_number("INDEX", options->operands[1], UINT64_MAX, &index, why);
        if (r < 0)
            return r;
        r = tnm_samples(split, &index, 1, ret);
    }
    return r < 0 ? fault_of_library(why, r) : 0;
}

int command_play(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    tnm_batch *sample;
    struct options asked = *options;
    asked.order = TNM_ORDER_TIME;
    int r = command_open_split(&asked, client, &split, why);
    if (r < 0)
        return r;
    struct screen *screen = NULL;
    r = screen_new(split, &screen, why);
    if (r == 0)
        r = fetch(options, split, &sample, why);
    if (r == 0) {
        play(options, screen, sample);
        tnm_batch_free(sample);
    }
    free(screen);
    tnm_split_close(split);
    return r;
}
