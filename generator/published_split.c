/* SPDX-License-Identifier: Apache-2.0
 * Writes 2NMNIST splits from the published archive, whose samples are mixed already. */
#include "generator/published_split.h"

#include <errno.h>

#include "common/split.h"
#include "common/split_writer.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/recordings.h"

struct adoption {
    const struct source *source;
    enum part part;
    enum mix_order order;
    struct split_writer *writer;
};

/* A single digit is in the order of time already, and keeps its duplicates. */
static int bring_in_order(const struct adoption *adoption, const struct listing_file *file,
                          struct mixer *mixer, struct work_item *item, struct error *why)
{
    if (buffer_assign(&item->events, item->raw.bytes, item->raw.size) < 0)
        return error_set(why, -ENOMEM, "no memory for %zu bytes", item->raw.size);
    if (adoption->order == MIX_PUBLISHED || !file->pair)
        return 0;
    const struct event_span sample = {item->raw.bytes, item->raw.size / EVENT_BYTES};
    const struct mix_rule rule = {.order = adoption->order};
    size_t n_events;
    int r =
        mixer_mix_again(mixer, sample, MIX_NOT_KNOWN, &rule, item->events.bytes, &n_events, why);
    if (r == 0)
        item->events.size = n_events * EVENT_BYTES;
    return r;
}

static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct adoption *adoption = user;
    const struct listing_file *file = source_file(adoption->source, adoption->part, i);
    int r = source_read(adoption->source, NULL, adoption->part, file, &item->raw, why);
    if (r < 0)
        return r;
    r = source_check_file(file, &item->raw, why);
    if (r < 0)
        return r;
    r = bring_in_order(adoption, file, worker, item, why);
    return r < 0 ? error_prefix(why, r, "%s", file->name) : 0;
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct adoption *adoption = user;
    const struct listing_file *file = source_file(adoption->source, adoption->part, i);
    uint8_t labels[N_DIGITS] = {0};
    labels[file->digits[0]] = 1;
    if (file->pair)
        labels[file->digits[1]] = 1;
    static const int32_t sources[2] = {-1, -1};
    return split_writer_add(
        adoption->writer, (struct event_span){item->events.bytes, item->events.size / EVENT_BYTES},
        labels, sources, why);
}

int published_split_write(const struct source *source, enum part part, enum mix_order order,
                          unsigned n_threads, const char *label, const char *path,
                          struct error *why)
{
    struct adoption adoption = {.source = source, .part = part, .order = order};
    const struct pipeline pipeline = {
        .label = label,
        .n_items = source_count(source, part),
        .n_threads = n_threads,
        .user = &adoption,
        .worker_new = recordings_worker_new,
        .worker_free = recordings_worker_free,
        .make = make,
        .take = take,
    };
    const struct metadata metadata = {
        .part = part,
        .kind = SPLIT_KIND_2NMNIST,
        .origin = source_origin(source),
        .plan = "published",
        .order = metadata_order(order),
    };
    struct meta strings[METADATA_MAX];
    size_t n_strings = metadata_strings(&metadata, strings);
    int r = split_writer_create(path, pipeline.n_items, &adoption.writer, why);
    if (r < 0)
        return r;
    r = pipeline_run(&pipeline, why);
    if (r < 0) {
        split_writer_abort(adoption.writer);
        return r;
    }
    return split_writer_finish(adoption.writer, strings, n_strings, why);
}
