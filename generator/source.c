/* SPDX-License-Identifier: Apache-2.0
 * Where recordings come from: what all kinds of sources have in common. */
#include "generator/source.h"

#include <errno.h>
#include <stdlib.h>

#include "common/event.h"

struct source {
    const struct source_kind *kind;
    void *user;
    struct listing listing;
};

int source_new(const struct source_kind *kind, void *user, struct listing *listing,
               struct source **ret, struct error *why)
{
    struct source *source = calloc(1, sizeof *source);
    int r = source ? listing_sort(listing, why) : error_set(why, -ENOMEM, "no memory for a source");
    if (r < 0) {
        listing_free(listing);
        kind->close(user);
        free(source);
        return r;
    }
    *source = (struct source){.kind = kind, .user = user, .listing = *listing};
    *ret = source;
    return 0;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    source->kind->close(source->user);
    listing_free(&source->listing);
    free(source);
}

enum content source_content(const struct source *source)
{
    return source->listing.content;
}

const char *source_origin(const struct source *source)
{
    return source->kind->origin;
}

size_t source_count(const struct source *source, enum part part)
{
    return source->listing.parts[part].n;
}

const struct listing_file *source_file(const struct source *source, enum part part, size_t i)
{
    return &source->listing.parts[part].files[i];
}

const struct listing *source_listing(const struct source *source)
{
    return &source->listing;
}

int source_check_file(const struct listing_file *file, struct buffer *events, struct error *why)
{
    size_t n_events;
    int r = event_check(events->bytes, events->size, file->pair ? 1 : 0, &n_events, why);
    if (r == 0 && n_events == 0)
        r = error_set(why, -EBADMSG, "it holds no events");
    if (r < 0)
        return error_prefix(why, r, "%s", file->name);
    events->size = n_events * EVENT_BYTES;
    return 0;
}

int source_worker_new(const struct source *source, void **ret)
{
    *ret = NULL;
    return source->kind->worker_new ? source->kind->worker_new(ret) : 0;
}

void source_worker_free(const struct source *source, void *worker)
{
    if (worker)
        source->kind->worker_free(worker);
}

int source_read(const struct source *source, void *worker, enum part part,
                const struct listing_file *file, struct buffer *out, struct error *why)
{
    int r = source->kind->read(source->user, worker, part, file, out, why);
    return r < 0 ? error_prefix(why, r, "%s", file->name) : 0;
}
