/* SPDX-License-Identifier: Apache-2.0
 * Writes 2NMNIST splits, mixed from a source split by a plan. */
#include "generator/mixed_split.h"

#include <stdlib.h>

#include "common/sha256.h"
#include "common/split.h"
#include "common/split_writer.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/recipe.h"

struct job {
    const struct mixed_split *how;
    struct recipe recipe;
    struct plan_row *rows;
    size_t n_rows;
    struct split_writer *writer;
};

static int make(void *context, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct job *job = context;
    return recipe_mix(&job->recipe, &job->rows[i], worker, job->how->order, &item->events, why);
}

static int take(void *context, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct job *job = context;
    const struct plan_row *row = &job->rows[i];
    uint8_t labels[N_DIGITS];
    recipe_labels(&job->recipe, row, labels);
    const int32_t sources[2] = {row->a, row->b};
    return split_writer_add(
        job->writer, (struct event_span){item->events.bytes, item->events.size / EVENT_BYTES},
        labels, sources, why);
}

static int finish(const struct job *job, struct error *why)
{
    const struct split *source = job->recipe.source;
    char sha256[SHA256_HEX + 1], plan[METADATA_PLAN_SIZE];
    sha256_hex_of(split_bytes(source), split_size(source), sha256);
    metadata_plan(job->how->plan_seed, plan);
    const struct metadata metadata = {
        .part = job->how->part,
        .kind = SPLIT_KIND_2NMNIST,
        .origin = split_meta(source, "origin"),
        .source_sha256 = sha256,
        .plan = plan,
        .order = metadata_order(job->how->order),
    };
    struct meta strings[METADATA_MAX];
    size_t n_strings = metadata_strings(&metadata, strings);
    return split_writer_finish(job->writer, strings, n_strings, why);
}

static int write_mixes(struct job *job, const char *path, struct error *why)
{
    const struct pipeline pipeline = {
        .label = job->how->label,
        .n_items = job->n_rows,
        .n_threads = job->how->n_threads,
        .context = job,
        .worker_new = recipe_worker_new,
        .worker_free = recipe_worker_free,
        .make = make,
        .take = take,
    };
    int r = split_writer_create(path, job->n_rows, &job->writer, why);
    if (r < 0)
        return r;
    r = pipeline_run(&pipeline, why);
    if (r < 0) {
        split_writer_abort(job->writer);
        return r;
    }
    return finish(job, why);
}

int mixed_split_write(const struct mixed_split *how, const char *source_path, const char *path,
                      struct error *why)
{
    struct split *source;
    int r = split_open(source_path, &source, why);
    if (r < 0)
        return r;
    struct job job = {.how = how};
    r = recipe_new(source, &job.recipe, why);
    if (r == 0)
        r = recipe_plan(&job.recipe, how->plan_seed, &job.rows, &job.n_rows, why);
    if (r == 0)
        r = write_mixes(&job, path, why);
    free(job.rows);
    recipe_free(&job.recipe);
    split_close(source);
    return r;
}
