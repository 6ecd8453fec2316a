/* SPDX-License-Identifier: Apache-2.0
 * A batch as a safetensors blob; stored events are answered from the map. */
#include <errno.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/safetensors.h"
#include "common/wire.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"

enum { HEADER_MAX = 4096 };

struct blob {
    const struct batch *batch;
    const struct form *form;
    struct reply *reply;
    char *header; /* HEADER_MAX, then the columns one behind the other */
    uint64_t *offsets, *indices;
    int64_t *checksums;
    int32_t *sources;
    uint8_t *labels;
    bool all_stored;
    uint64_t all_events, most_events; /* of all samples, of one: at most */
};

static int alloc_columns(struct blob *blob, struct error *why)
{
    size_t n = blob->batch->n, n_offsets = blob->form->as == FORM_EVENTS ? n + 1 : 0;
    size_t size = HEADER_MAX + 8 * n_offsets + 8 * n + 8 * n + 8 * n + N_DIGITS * n;
    void *memory;
    int r = reply_alloc(blob->reply, size, &memory, why);
    if (r < 0)
        return r;
    blob->header = memory;
    blob->offsets = (uint64_t *)(void *)(blob->header + HEADER_MAX);
    blob->indices = blob->offsets + n_offsets;
    blob->checksums = (int64_t *)(blob->indices + n);
    blob->sources = (int32_t *)(blob->checksums + n);
    blob->labels = (uint8_t *)(blob->sources + 2 * n);
    return 0;
}

/* Fill in what is known before anything is made; offsets and checksums of stored samples too. */
static int fill_columns(struct blob *blob, struct error *why)
{
    bool as_events = blob->form->as == FORM_EVENTS;
    blob->all_stored = true;
    if (as_events)
        blob->offsets[0] = 0;
    for (size_t i = 0; i < blob->batch->n; i++) {
        struct recipe recipe;
        int r = batch_recipe(blob->batch, blob->form, i, &recipe, why);
        if (r < 0)
            return r;
        uint64_t n_events = recipe_max_events(&recipe);
        blob->all_stored &= recipe.kind == RECIPE_STORED;
        blob->all_events += n_events;
        blob->most_events = n_events > blob->most_events ? n_events : blob->most_events;
        if (as_events)
            blob->offsets[i + 1] = blob->all_events;
        blob->indices[i] = recipe.index;
        blob->sources[2 * i] = recipe.sources[0];
        blob->sources[2 * i + 1] = recipe.n_sources > 1 ? recipe.sources[1] : -1;
        blob->checksums[i] = recipe.checksum;
        memcpy(blob->labels + N_DIGITS * i, recipe.labels, N_DIGITS);
    }
    return 0;
}

/* Header and columns become the reply's first part: the header is moved up against the columns. */
static int add_head(struct blob *blob, struct error *why)
{
    bool as_events = blob->form->as == FORM_EVENTS;
    uint64_t n = blob->batch->n, shape[FRAMES_DIMS];
    struct tensor tensors[WIRE_BATCH_N];
    for (size_t i = 0; i < WIRE_BATCH_N; i++)
        tensors[i] = wire_tensor(&wire_batch[i], n);
    if (as_events) {
        tensors[WIRE_BATCH_OFFSETS].dims[0] = n + 1;
        tensors[WIRE_BATCH_EVENTS].dims[0] = blob->offsets[n];
    } else {
        frames_shape(&blob->form->frames, shape);
        tensors[WIRE_BATCH_EVENTS] =
            (struct tensor){.name = WIRE_FRAMES,
                            .dtype = TENSOR_U8,
                            .n_dims = 1 + FRAMES_DIMS,
                            .dims = {n, shape[0], shape[1], shape[2], shape[3]}};
    }
    const struct batch *batch = blob->batch;
    struct tensor *first = &tensors[as_events ? WIRE_BATCH_OFFSETS : WIRE_BATCH_INDICES];
    size_t n_tensors = (size_t)(tensors + WIRE_BATCH_N - first), header_size;
    uint64_t data_size;
    char header[HEADER_MAX];
    if (safetensors_layout(first, n_tensors, &data_size) < 0)
        return error_set(why, -E2BIG, "a batch of %zu samples is too long", blob->batch->n);
    int r = safetensors_header(first, n_tensors, batch->about, batch->n_about, header,
                               sizeof header, 0, &header_size);
    if (r < 0)
        return error_set(why, r, "cannot write the header of a batch");
    char *start = blob->header + HEADER_MAX - header_size;
    memcpy(start, header, header_size);
    return reply_borrow(blob->reply, start, header_size + tensors[WIRE_BATCH_LABELS].end, why);
}

static int add_stored(struct blob *blob, struct error *why)
{
    int r = add_head(blob, why);
    for (size_t i = 0; r == 0 && i < blob->batch->n; i++) {
        struct recipe recipe;
        r = batch_recipe(blob->batch, blob->form, i, &recipe, why);
        if (r == 0)
            r = reply_borrow_known(blob->reply, recipe.parts[0].bytes,
                                   recipe.parts[0].n_events * EVENT_BYTES, recipe.checksum, why);
    }
    return r;
}

/* The recordings of the next sample lie anywhere in the map: they are fetched while this one is
 * made. */
static void prefetch_next(const struct blob *blob, size_t i)
{
    struct recipe recipe;
    struct error why;
    if (i + 1 < blob->batch->n && batch_recipe(blob->batch, blob->form, i + 1, &recipe, &why) == 0)
        recipe_prefetch(&recipe);
}

static int make(struct blob *blob, size_t i, uint8_t *out, struct event_span *ret,
                struct error *why)
{
    struct recipe recipe;
    prefetch_next(blob, i);
    int r = batch_recipe(blob->batch, blob->form, i, &recipe, why);
    *ret = recipe.parts[0];
    if (r == 0 && recipe.kind == RECIPE_STORED) {
        r = recipe_vouch(&recipe, why);
    } else if (r == 0) {
        ret->bytes = out;
        r = recipe_make(&recipe, out, &ret->n_events, why);
    }
    return r < 0 ? error_prefix(why, r, "sample %zu of the batch", i) : 0;
}

static int add_made(struct blob *blob, struct error *why)
{
    void *memory;
    uint64_t size = blob->all_events * EVENT_BYTES;
    if (reply_skips(blob->reply, false))
        return reply_check(blob->reply, size, why);
    int r = reply_alloc(blob->reply, size, &memory, why);
    if (r < 0)
        return r;
    uint8_t *events = memory;
    for (size_t i = 0; i < blob->batch->n; i++) {
        uint8_t *out = events + blob->offsets[i] * EVENT_BYTES;
        struct event_span made;
        r = make(blob, i, out, &made, why);
        if (r < 0)
            return r;
        if (made.bytes != out)
            memcpy(out, made.bytes, made.n_events * EVENT_BYTES);
        blob->offsets[i + 1] = blob->offsets[i] + made.n_events;
        blob->checksums[i] = crc32c(0, out, made.n_events * EVENT_BYTES);
    }
    tally_add(TALLY_CHECKSUM_BYTES, blob->offsets[blob->batch->n] * EVENT_BYTES);
    r = add_head(blob, why);
    for (size_t i = 0; r == 0 && i < blob->batch->n; i++)
        r = reply_borrow_known(blob->reply, events + blob->offsets[i] * EVENT_BYTES,
                               (blob->offsets[i + 1] - blob->offsets[i]) * EVENT_BYTES,
                               (uint32_t)blob->checksums[i], why);
    return r;
}

static int fill_frames(struct blob *blob, uint8_t *scratch, uint8_t *frames, struct error *why)
{
    size_t one = frames_size(&blob->form->frames);
    for (size_t i = 0; i < blob->batch->n; i++) {
        struct event_span events;
        int r = make(blob, i, scratch, &events, why);
        if (r < 0)
            return r;
        frames_fill(&blob->form->frames, events, frames + i * one);
        blob->checksums[i] = crc32c(0, frames + i * one, one);
    }
    tally_add(TALLY_FRAMES, blob->batch->n);
    tally_add(TALLY_CHECKSUM_BYTES, blob->batch->n * one);
    return 0;
}

static int add_frames(struct blob *blob, struct error *why)
{
    uint64_t size, one = frames_size(&blob->form->frames);
    if (__builtin_mul_overflow(one, blob->batch->n, &size))
        return error_set(why, -E2BIG, "a batch of %zu samples is too long", blob->batch->n);
    uint64_t scratch_size = blob->most_events * EVENT_BYTES;
    void *scratch, *frames = NULL;
    int r;
    if (blob->reply->head_only) {
        r = reply_check(blob->reply, scratch_size + size, why);
    } else {
        r = reply_alloc(blob->reply, scratch_size, &scratch, why);
        if (r == 0)
            r = reply_alloc(blob->reply, size, &frames, why);
        if (r == 0)
            r = fill_frames(blob, scratch, frames, why);
    }
    if (r == 0)
        r = add_head(blob, why);
    if (r == 0 && blob->reply->head_only)
        return reply_borrow_unread(blob->reply, NULL, size, why);
    for (size_t i = 0; r == 0 && i < blob->batch->n; i++)
        r = reply_borrow_known(blob->reply, (uint8_t *)frames + i * one, one,
                               (uint32_t)blob->checksums[i], why);
    return r;
}

int encode_safetensors(const struct batch *batch, const struct form *form, struct reply *reply,
                       struct error *why)
{
    struct blob blob = {.batch = batch, .form = form, .reply = reply};
    int r = alloc_columns(&blob, why);
    if (r == 0)
        r = fill_columns(&blob, why);
    if (r < 0)
        return r;
    if (form->as == FORM_FRAMES)
        return add_frames(&blob, why);
    if (blob.all_stored)
        return add_stored(&blob, why);
    return add_made(&blob, why);
}
