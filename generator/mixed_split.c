/* SPDX-License-Identifier: Apache-2.0
 * Writes 2NMNIST splits, mixed from a source split by a plan. */
#include "generator/mixed_split.h"

#include <stdlib.h>

#include "common/split.h"
#include "common/split_writer.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/recordings.h"

struct mixing {
    const struct mixed_split *how;
    struct recordings recordings;
    struct plan_row *rows;
    size_t n_rows;
    struct split_writer *writer;
};

static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct mixing *mixing = user;
    const struct mixed_split *how = mixing->how;
    if (how->take_mixed)
        return how->take_mixed(how->user, how->part, i, &mixing->rows[i], &item->events, why);
    return recordings_mix(&mixing->recordings, &mixing->rows[i], worker, how->order, &item->events,
                          why);
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct mixing *mixing = user;
    const struct plan_row *row = &mixing->rows[i];
    uint8_t labels[N_DIGITS];
    recordings_labels(&mixing->recordings, row, labels);
    const int32_t sources[2] = {row->a, row->b};
    return split_writer_add(
        mixing->writer, (struct event_span){item->events.bytes, item->events.size / EVENT_BYTES},
        labels, sources, why);
}

static int finish(const struct mixing *mixing, struct error *why)
{
    const struct split *source = mixing->recordings.source;
    char plan[METADATA_PLAN_SIZE];
    metadata_plan(mixing->how->plan_seed, plan);
    const struct metadata metadata = {
        .part = mixing->how->part,
        .kind = SPLIT_KIND_2NMNIST,
        .origin = split_meta(source, "origin"),
        .source_sha256 = split_revision(source),
        .plan = plan,
        .order = metadata_order(mixing->how->order),
    };
    struct meta strings[METADATA_MAX];
    size_t n_strings = metadata_strings(&metadata, strings);
    return split_writer_finish(mixing->writer, strings, n_strings, why);
}

static int write_mixes(struct mixing *mixing, const char *path, struct error *why)
{
    const struct pipeline pipeline = {
        .label = mixing->how->label,
        .n_items = mixing->n_rows,
        .n_threads = mixing->how->n_threads,
        .user = mixing,
        .worker_new = recordings_worker_new,
        .worker_free = recordings_worker_free,
        .make = make,
        .take = take,
    };
    int r = split_writer_create(path, mixing->n_rows, &mixing->writer, why);
    if (r < 0)
        return r;
    r = pipeline_run(&pipeline, why);
    if (r < 0) {
        split_writer_abort(mixing->writer);
        return r;
    }
    return finish(mixing, why);
}

int mixed_split_write(const struct mixed_split *how, const char *source_path, const char *path,
                      struct error *why)
{
    struct split *source;
    int r = split_open(source_path, &source, why);
    if (r < 0)
        return r;
    struct mixing mixing = {.how = how};
    r = recordings_new(source, &mixing.recordings, why);
    if (r == 0)
        r = recordings_plan(&mixing.recordings, how->plan_seed, &mixing.rows, &mixing.n_rows, why);
    if (r == 0)
        r = write_mixes(&mixing, path, why);
    free(mixing.rows);
    recordings_free(&mixing.recordings);
    split_close(source);
    return r;
}
