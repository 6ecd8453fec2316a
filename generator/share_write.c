/* SPDX-License-Identifier: Apache-2.0
 * Writes one part of a run of `splits`.
 *
 * Recordings stand in it as their files are, so that all of them joined have the hash of all files.
 * Samples stand in it mixed; what is kept of the recordings that they were mixed from is a hash of
 * their checksums. */
#include "generator/share_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/crc32c.h"
#include "common/plan.h"
#include "common/split_writer.h"
#include "generator/job.h"
#include "generator/pipeline.h"
#include "generator/recordings.h"

struct writing {
    const struct share_how *how;
    const struct source *source;
    struct job job;
    struct split_writer *writer;
    struct sha256 *mixed_from;

    /* Of each part: the plan over all its recordings. */
    struct recordings recordings[N_PARTS];
    struct plan_row *rows[N_PARTS];

    /* What is being written. */
    enum part part;
    struct share_range range;
};

struct worker {
    void *reader;
    struct mixer *mixer;
    struct buffer recordings[2];
};

static void worker_free(void *user, void *argument)
{
    const struct writing *writing = user;
    struct worker *worker = argument;
    source_worker_free(writing->source, worker->reader);
    mixer_free(worker->mixer);
    buffer_free(&worker->recordings[0]);
    buffer_free(&worker->recordings[1]);
    free(worker);
}

static int worker_new(void *user, void **ret)
{
    const struct writing *writing = user;
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return -ENOMEM;
    int r = source_worker_new(writing->source, &worker->reader);
    if (r == 0)
        r = mixer_new(&worker->mixer);
    if (r < 0)
        worker_free(user, worker);
    else
        *ret = worker;
    return r;
}

/* ---- Files as they are ---- */

static const struct listing_file *file_of(const struct writing *writing, uint64_t i)
{
    return source_file(writing->source, writing->part, writing->range.begin + i);
}

static int read_file(void *user, void *argument, uint64_t i, struct work_item *item,
                     struct error *why)
{
    const struct writing *writing = user;
    const struct worker *worker = argument;
    const struct listing_file *file = file_of(writing, i);
    int r = source_read(writing->source, worker->reader, writing->part, file, &item->raw, why);
    if (r < 0)
        return r;
    if (buffer_assign(&item->events, item->raw.bytes, item->raw.size) < 0)
        return error_set(why, -ENOMEM, "%s: no memory for %zu bytes", file->name, item->raw.size);
    return source_check_file(file, &item->events, why);
}

static int take_file(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct writing *writing = user;
    const struct listing_file *file = file_of(writing, i);
    bool sample = source_content(writing->source) == CONTENT_SAMPLES;
    uint8_t labels[N_DIGITS] = {0};
    labels[file->digits[0]] = 1;
    if (file->pair)
        labels[file->digits[1]] = 1;
    const int32_t sources[2] = {sample ? -1 : file->number, -1};
    return split_writer_add(writing->writer,
                            (struct event_span){item->raw.bytes, item->raw.size / EVENT_BYTES},
                            labels, sources, why);
}

/* ---- Mixed samples ---- */

static const struct plan_row *row_of(const struct writing *writing, uint64_t i)
{
    return &writing->rows[writing->part][writing->range.begin + i];
}

static int read_recording(const struct writing *writing, struct worker *worker, int32_t position,
                          struct buffer *out, struct error *why)
{
    const struct listing_file *file = source_file(writing->source, writing->part, (size_t)position);
    int r = source_read(writing->source, worker->reader, writing->part, file, out, why);
    return r < 0 ? r : source_check_file(file, out, why);
}

/* item->raw holds the recordings' checksums. */
static int mix(void *user, void *argument, uint64_t i, struct work_item *item, struct error *why)
{
    const struct writing *writing = user;
    struct worker *worker = argument;
    const struct plan_row *row = row_of(writing, i);
    const int32_t positions[2] = {row->a, row->b};
    struct event_span parts[2];
    uint32_t checksums[2] = {0};
    unsigned n = 0;
    for (; n < 2 && positions[n] >= 0; n++) {
        struct buffer *recording = &worker->recordings[n];
        int r = read_recording(writing, worker, positions[n], recording, why);
        if (r < 0)
            return r;
        parts[n] = (struct event_span){recording->bytes, recording->size / EVENT_BYTES};
        checksums[n] = crc32c(0, recording->bytes, recording->size);
    }
    if (buffer_assign(&item->raw, checksums, n * sizeof *checksums) < 0)
        return error_set(why, -ENOMEM, "no memory for checksums");
    return recordings_mix_events(parts, n, worker->mixer, writing->how->order, &item->events, why);
}

static int take_mixed(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct writing *writing = user;
    const struct plan_row *row = row_of(writing, i);
    uint8_t labels[N_DIGITS];
    recordings_labels(&writing->recordings[writing->part], row, labels);
    const int32_t sources[2] = {row->a, row->b};
    sha256_add(writing->mixed_from, item->raw.bytes, item->raw.size);
    return split_writer_add(
        writing->writer, (struct event_span){item->events.bytes, item->events.size / EVENT_BYTES},
        labels, sources, why);
}

/* ---- All of it ---- */

static int make_plan(struct writing *writing, enum part part, struct error *why)
{
    size_t n = source_count(writing->source, part), n_rows;
    if (n == 0)
        return 0;
    uint8_t *digits = malloc(n);
    if (!digits)
        return error_set(why, -ENOMEM, "no memory for %zu labels", n);
    for (size_t i = 0; i < n; i++)
        digits[i] = source_file(writing->source, part, i)->digits[0];
    writing->recordings[part].digits = digits;
    int r = plan_make(digits, n, writing->how->plan_seed, &writing->rows[part], &n_rows, why);
    if (r == 0)
        writing->job.totals[FOLDER_2NMNIST][part] = n_rows;
    return r;
}

static int make_job(struct writing *writing, struct error *why)
{
    const struct share_how *how = writing->how;
    int r = job_of_source(writing->source, &writing->job, why);
    if (r < 0)
        return r;
    writing->job.plan_seed = how->plan_seed;
    writing->job.order = how->order;
    if (how->seed)
        snprintf(writing->job.seed, sizeof writing->job.seed, "%" PRIu64, *how->seed);
    bool mixed = source_content(writing->source) == CONTENT_SAMPLES;
    for (enum part part = 0; r == 0 && !mixed && part < N_PARTS; part++)
        r = make_plan(writing, part, why);
    return r;
}

static int write_range(struct writing *writing, enum folder_kind kind, enum part part,
                       struct error *why)
{
    bool mixed = kind == FOLDER_2NMNIST && source_content(writing->source) == CONTENT_RECORDINGS;
    writing->part = part;
    writing->range = share_range(writing->how->share, writing->job.totals[kind][part]);
    const struct pipeline pipeline = {
        .label = folder_split_name(kind, part),
        .n_items = writing->range.end - writing->range.begin,
        .n_threads = writing->how->n_threads,
        .user = writing,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .make = mixed ? mix : read_file,
        .take = mixed ? take_mixed : take_file,
    };
    return pipeline.n_items > 0 ? pipeline_run(&pipeline, why) : 0;
}

static int write_all(struct writing *writing, struct error *why)
{
    for (enum folder_kind kind = 0; kind < N_FOLDER_KINDS; kind++)
        for (enum part part = 0; part < N_PARTS; part++) {
            int r = write_range(writing, kind, part, why);
            if (r < 0)
                return r;
        }
    return 0;
}

static int write_file(struct writing *writing, uint64_t n, const char *path, struct error *why)
{
    char mixed_from[SHA256_HEX + 1];
    struct job_texts texts;
    struct meta strings[JOB_STRINGS_MAX];
    int r = split_writer_create(path, n, &writing->writer, why);
    if (r < 0)
        return r;
    r = write_all(writing, why);
    if (r < 0) {
        split_writer_abort(writing->writer);
        return r;
    }
    sha256_hex(writing->mixed_from, mixed_from);
    size_t n_strings = job_strings(&writing->job, writing->how->share, mixed_from, &texts, strings);
    return split_writer_finish(writing->writer, strings, n_strings, why);
}

int share_write(const struct share_how *how, const struct source *source, const char *path,
                uint64_t *ret_n, struct error *why)
{
    struct writing writing = {.how = how, .source = source};
    if (sha256_new(&writing.mixed_from) < 0)
        return error_set(why, -ENOMEM, "no memory for a hash");
    int r = make_job(&writing, why);
    uint64_t n = r == 0 ? job_share_size(&writing.job, how->share) : 0;
    if (n > 0)
        r = write_file(&writing, n, path, why);
    for (enum part part = 0; part < N_PARTS; part++) {
        recordings_free(&writing.recordings[part]);
        free(writing.rows[part]);
    }
    sha256_free(writing.mixed_from);
    if (r == 0)
        *ret_n = n;
    return r;
}
