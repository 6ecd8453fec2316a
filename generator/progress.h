/* SPDX-License-Identifier: Apache-2.0
 * Says how far the work is, on stderr: a bar on a terminal, a line now and then elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    const char *unit; /* "samples", "bytes" */
    uint64_t total;
    double started_s, next_s; /* monotonic clock */
    bool terminal, blocks;    /* blocks: the terminal shows Unicode */
};

/* Keeps the strings. One thread. */
void progress_start(struct progress *progress, const char *label, const char *unit, uint64_t total);

/* `done` of the total are done: draws only when it is time to. */
void progress_show(struct progress *progress, uint64_t done);

/* Remove the bar. */
void progress_end(struct progress *progress);

/* Seconds on the monotonic clock. */
double progress_clock_s(void);

/* A number with its thousands apart: "41,270". */
enum { PROGRESS_NUMBER_SIZE = 32 };
const char *progress_number(uint64_t number, char ret[PROGRESS_NUMBER_SIZE]);
