/* SPDX-License-Identifier: Apache-2.0
 * Says how far the work is, on stderr: a bar on a terminal, a line now and then elsewhere. */
#include "generator/progress.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double DRAW_EVERY_S = 0.1, SAY_EVERY_S = 10;

enum { MIN_COLUMNS = 72, MAX_BAR = 40, LABEL_WIDTH = 12 };

double progress_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *progress_number(uint64_t number, char ret[PROGRESS_NUMBER_SIZE])
{
    char digits[PROGRESS_NUMBER_SIZE];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *out = ret;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return ret;
}

void progress_start(struct progress *progress, const char *label, const char *unit, uint64_t total)
{
    double now_s = progress_clock_s();
    bool terminal = isatty(STDERR_FILENO);
    *progress = (struct progress){
        .label = label,
        .unit = unit,
        .total = total,
        .started_s = now_s,
        .next_s = now_s + (terminal ? DRAW_EVERY_S : SAY_EVERY_S),
        .terminal = terminal,
        .blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    };
}

/* "12,345 of 41,270 samples  18,400/s  0:02 left" */
static void describe(const struct progress *progress, uint64_t done, double now_s, char *ret,
                     size_t size)
{
    char count[PROGRESS_NUMBER_SIZE], total[PROGRESS_NUMBER_SIZE], rate[PROGRESS_NUMBER_SIZE];
    double elapsed_s = now_s - progress->started_s;
    double per_s = elapsed_s > 0 ? (double)done / elapsed_s : 0;
    double left_s = per_s > 0 ? (double)(progress->total - done) / per_s : 0;
    snprintf(ret, size, "%s of %s %s  %s/s  %.0f:%02.0f left", progress_number(done, count),
             progress_number(progress->total, total), progress->unit,
             progress_number((uint64_t)per_s, rate),
             (left_s - (double)((uint64_t)left_s % 60)) / 60, (double)((uint64_t)left_s % 60));
}

static int bar_width(size_t text_width)
{
    struct winsize window;
    int columns = MIN_COLUMNS;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        columns = window.ws_col;
    int width = columns - LABEL_WIDTH - (int)text_width - 12;
    return width < 0 ? 0 : width > MAX_BAR ? MAX_BAR : width;
}

static void draw(const struct progress *progress, uint64_t done, const char *text)
{
    int width = bar_width(strlen(text));
    double part = progress->total ? (double)done / (double)progress->total : 0;
    int full = (int)(part * width);
    fprintf(stderr, "\r\033[K%-*s ", LABEL_WIDTH, progress->label);
    for (int i = 0; i < width; i++)
        fputs(progress->blocks ? (i < full ? "\u2588" : "\u2591") : (i < full ? "#" : "."), stderr);
    fprintf(stderr, " %3d %%  %s", (int)(part * 100), text);
    fflush(stderr);
}

void progress_show(struct progress *progress, uint64_t done)
{
    double now_s = progress_clock_s();
    if (now_s < progress->next_s)
        return;
    if (done > progress->total)
        done = progress->total;
    char text[160];
    describe(progress, done, now_s, text, sizeof text);
    if (progress->terminal)
        draw(progress, done, text);
    else
        fprintf(stderr, "%s: %s\n", progress->label, text);
    progress->next_s = now_s + (progress->terminal ? DRAW_EVERY_S : SAY_EVERY_S);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}
