/* SPDX-License-Identifier: Apache-2.0
 * Writes source splits: all recordings of Train or Test in one file, in name order. */
#include "generator/source_split.h"

#include <errno.h>

#include "common/sha256.h"
#include "common/split.h"
#include "common/split_writer.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"

struct collection {
    const struct source *source;
    enum part part;
    struct split_writer *writer;
    struct sha256 *hash; /* of the files as read, so that it does not depend on how they lie */
};

static int worker_new(void *user, void **ret)
{
    const struct collection *collection = user;
    return source_worker_new(collection->source, ret);
}

static void worker_free(void *user, void *worker)
{
    const struct collection *collection = user;
    source_worker_free(collection->source, worker);
}

static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct collection *collection = user;
    const struct listing_file *file = source_file(collection->source, collection->part, i);
    int r = source_read(collection->source, worker, collection->part, file, &item->raw, why);
    if (r < 0)
        return r;
    if (buffer_assign(&item->events, item->raw.bytes, item->raw.size) < 0)
        return error_set(why, -ENOMEM, "%s: no memory for %zu bytes", file->name, item->raw.size);
    return source_check_file(file, &item->events, why);
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct collection *collection = user;
    const struct listing_file *file = source_file(collection->source, collection->part, i);
    uint8_t labels[N_DIGITS] = {0};
    labels[file->digits[0]] = 1;
    const int32_t sources[2] = {file->number, -1};
    sha256_add(collection->hash, item->raw.bytes, item->raw.size);
    return split_writer_add(
        collection->writer,
        (struct event_span){item->events.bytes, item->events.size / EVENT_BYTES}, labels, sources,
        why);
}

static int finish(const struct collection *collection, struct error *why)
{
    char sha256[SHA256_HEX + 1];
    sha256_hex(collection->hash, sha256);
    const struct metadata metadata = {
        .part = collection->part,
        .kind = SPLIT_KIND_SOURCE,
        .origin = source_origin(collection->source),
        .source_sha256 = sha256,
    };
    struct meta strings[METADATA_MAX];
    size_t n_strings = metadata_strings(&metadata, strings);
    return split_writer_finish(collection->writer, strings, n_strings, why);
}

int source_split_write(const struct source *source, enum part part, unsigned n_threads,
                       const char *label, const char *path, struct error *why)
{
    struct collection collection = {.source = source, .part = part};
    const struct pipeline pipeline = {
        .label = label,
        .n_items = source_count(source, part),
        .n_threads = n_threads,
        .user = &collection,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .make = make,
        .take = take,
    };
    if (sha256_new(&collection.hash) < 0)
        return error_set(why, -ENOMEM, "no memory for a hash");
    int r = split_writer_create(path, pipeline.n_items, &collection.writer, why);
    if (r == 0) {
        r = pipeline_run(&pipeline, why);
        if (r == 0)
            r = finish(&collection, why);
        else
            split_writer_abort(collection.writer);
    }
    sha256_free(collection.hash);
    return r;
}
