/* SPDX-License-Identifier: Apache-2.0
 * The table at the end: what was written. */
#include "generator/summary.h"

#include <assert.h>
#include <stdio.h>

#include "common/split.h"
#include "generator/progress.h"

static uint64_t count_pairs(const struct split *split)
{
    const uint8_t *labels = split_labels(split);
    uint64_t n_samples = split_n_samples(split), n_labels = 0;
    for (uint64_t i = 0; i < n_samples * N_DIGITS; i++)
        n_labels += labels[i];
    return n_labels - n_samples; /* each sample has one or two */
}

int summary_add(struct summary *summary, const char *name, const char *path, double seconds,
                struct error *why)
{
    assert(summary->n_rows < SUMMARY_MAX);
    struct split *split;
    int r = split_open(path, &split, why);
    if (r < 0)
        return r;
    summary->rows[summary->n_rows++] = (struct summary_row){
        .name = name,
        .n_samples = split_n_samples(split),
        .n_pairs = count_pairs(split),
        .n_events = split_n_events(split),
        .size_bytes = split_size(split),
        .seconds = seconds,
    };
    split_close(split);
    return 0;
}

void summary_print(const struct summary *summary)
{
    printf("%-14s %10s %10s %10s %14s %16s %9s\n", "split", "samples", "pairs", "singles", "events",
           "bytes", "seconds");
    for (size_t i = 0; i < summary->n_rows; i++) {
        const struct summary_row *row = &summary->rows[i];
        const uint64_t numbers[] = {row->n_samples, row->n_pairs, row->n_samples - row->n_pairs,
                                    row->n_events, row->size_bytes};
        static const int widths[] = {10, 10, 10, 14, 16};
        printf("%-14s", row->name);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            char text[PROGRESS_NUMBER_SIZE];
            printf(" %*s", widths[k], progress_number(numbers[k], text));
        }
        printf(" %9.2f\n", row->seconds);
    }
}
