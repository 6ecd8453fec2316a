/* SPDX-License-Identifier: Apache-2.0
 * A batch in the making, as a safetensors blob. */
#include "server/samples/blob.h"

#include <errno.h>
#include <string.h>

#include "common/wire.h"

static int alloc_columns(struct blob *blob, struct error *why)
{
    size_t n = blob->batch->n, n_offsets = blob->form->as == FORM_EVENTS ? n + 1 : 0;
    size_t n_frames = blob->has_n_frames ? n : 0;
    size_t size =
        BLOB_HEADER_MAX + 8 * n_offsets + 8 * n + 8 * n + 8 * n + 4 * n_frames + N_DIGITS * n;
    void *memory;
    int r = reply_alloc(blob->reply, size, &memory, why);
    if (r < 0)
        return r;
    blob->header = memory;
    blob->offsets = (uint64_t *)(void *)(blob->header + BLOB_HEADER_MAX);
    blob->indices = blob->offsets + n_offsets;
    blob->checksums = (int64_t *)(blob->indices + n);
    blob->sources = (int32_t *)(blob->checksums + n);
    blob->n_frames = blob->sources + 2 * n;
    blob->labels = (uint8_t *)(blob->n_frames + n_frames);
    return 0;
}

static int fill_columns(struct blob *blob, struct error *why)
{
    bool as_events = blob->form->as == FORM_EVENTS;
    bool fetches = !blob->reply->head_only && entry_is_cold(blob->batch->entry);
    blob->all_stored = true;
    if (as_events)
        blob->offsets[0] = 0;
    for (size_t i = 0; i < blob->batch->n; i++) {
        struct recipe recipe;
        int r = batch_recipe(blob->batch, blob->form, i, &recipe, why);
        if (r < 0)
            return r;
        if (fetches) /* all at once, and while the others are looked at */
            recipe_fetch(&recipe);
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

int blob_open(struct blob *blob, struct error *why)
{
    int r = alloc_columns(blob, why);
    return r < 0 ? r : fill_columns(blob, why);
}

/* All that are stored lie in the map. */
static uint64_t made_size(const struct blob *blob)
{
    if (blob->keeps)
        return (blob->all_stored ? 0 : blob->all_events) * EVENT_BYTES;
    return blob->most_events * EVENT_BYTES;
}

static enum mix_order order_of(const struct blob *blob)
{
    struct recipe recipe;
    bool has_any =
        blob->batch->n > 0 && batch_recipe(blob->batch, blob->form, 0, &recipe, NULL) == 0;
    return has_any ? recipe.rule.order : MIX_TIME;
}

static uint64_t spans_size(const struct blob *blob)
{
    return blob->keeps ? blob->batch->n * sizeof *blob->made : 0;
}

uint64_t blob_room_size(const struct blob *blob)
{
    return spans_size(blob) + made_size(blob) +
           cut_room(blob->form, order_of(blob), blob->most_events);
}

int blob_take_room(struct blob *blob, struct error *why)
{
    void *memory;
    int r = reply_alloc(blob->reply, blob_room_size(blob), &memory, why);
    if (r < 0)
        return r;
    blob->made = memset(memory, 0, spans_size(blob));
    blob->room = (uint8_t *)memory + spans_size(blob);
    blob->ordered = blob->room + made_size(blob);
    return 0;
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

int blob_failed(const struct blob *blob, size_t i, int r, struct error *why)
{
    struct recipe recipe;
    if (batch_recipe(blob->batch, blob->form, i, &recipe, NULL) == 0)
        recipe_failed(&recipe, r, why);
    if (blob->batch->kind == BATCH_SINGLE)
        return r;
    return error_prefix(why, r, "sample %zu of the batch", i);
}

int blob_make(const struct blob *blob, size_t i, uint8_t *out, struct event_span *ret,
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
    return r < 0 ? blob_failed(blob, i, r, why) : 0;
}

/* Of a kept sample that is cut once more, the events are there. */
static int events_of(struct blob *blob, size_t i, struct event_span *ret, struct error *why)
{
    if (blob->keeps && blob->made[i].bytes) {
        *ret = blob->made[i];
        return 0;
    }
    int r = blob_make(blob, i, blob->room, ret, why);
    if (r == 0 && blob->keeps) {
        blob->made[i] = *ret;
        blob->room += ret->bytes == blob->room ? ret->n_events * EVENT_BYTES : 0;
    }
    return r;
}

int blob_cut(struct blob *blob, size_t i, struct cut *ret, struct error *why)
{
    struct event_span events;
    int r = events_of(blob, i, &events, why);
    if (r < 0)
        return r;
    r = cut_events(blob->form, events, blob->ordered, ret, why);
    return r < 0 ? blob_failed(blob, i, r, why) : 0;
}

/* ---- What is written ---- */

enum { MOST_TENSORS = WIRE_BATCH_N + 2 };

struct list {
    struct tensor tensors[MOST_TENSORS];
    size_t n;
};

static void list(struct list *list, struct tensor tensor)
{
    list->tensors[list->n++] = tensor;
}

static void list_column(struct list *to, enum wire_batch_tensor column, uint64_t n_rows)
{
    list(to, wire_tensor(&wire_batch[column], n_rows));
}

/* In the order of the bytes. */
static struct list tensors_of(const struct blob *blob, const struct tensor *main,
                              const struct tensor *counts)
{
    struct list all = {.n = 0};
    uint64_t n = blob->batch->n;
    bool wide = tensor_dtype_size(main->dtype) > 1;
    if (blob->form->as == FORM_EVENTS)
        list_column(&all, WIRE_BATCH_OFFSETS, n + 1);
    list_column(&all, WIRE_BATCH_INDICES, n);
    list_column(&all, WIRE_BATCH_CHECKSUMS, n);
    list_column(&all, WIRE_BATCH_SOURCES, n);
    if (blob->has_n_frames)
        list(&all,
             (struct tensor){.name = WIRE_N_FRAMES, .dtype = TENSOR_I32, .n_dims = 1, .dims = {n}});
    if (counts)
        list(&all, *counts);
    if (wide)
        list(&all, *main);
    list_column(&all, WIRE_BATCH_LABELS, n);
    if (!wide)
        list(&all, *main);
    return all;
}

/* The header is moved up against the columns. */
static int add_head(struct blob *blob, struct list *all, struct error *why)
{
    const struct batch *batch = blob->batch;
    size_t header_size;
    uint64_t data_size;
    char header[BLOB_HEADER_MAX];
    if (safetensors_layout(all->tensors, all->n, &data_size) < 0)
        return error_set(why, -E2BIG, "a batch of %zu samples is too long", batch->n);
    int r = safetensors_header(all->tensors, all->n, batch->about, batch->n_about, header,
                               sizeof header, 0, &header_size);
    if (r < 0)
        return error_set(why, r, "cannot write the header of a batch");
    char *start = blob->header + BLOB_HEADER_MAX - header_size;
    memcpy(start, header, header_size);
    return reply_borrow(blob->reply, start, (size_t)((char *)blob->labels - start), why);
}

static int add_counts(struct blob *blob, const struct tensor *counts, const int32_t *numbers,
                      struct error *why)
{
    return reply_borrow(blob->reply, numbers, counts->dims[0] * counts->dims[1] * sizeof *numbers,
                        why);
}

int blob_write(struct blob *blob, const struct tensor *main, const struct tensor *counts,
               const int32_t *numbers, blob_adder *add, const void *user, struct error *why)
{
    struct list all = tensors_of(blob, main, counts);
    bool wide = tensor_dtype_size(main->dtype) > 1;
    int r = add_head(blob, &all, why);
    if (r == 0 && counts)
        r = add_counts(blob, counts, numbers, why);
    if (r == 0 && wide)
        r = add(blob, user, why);
    if (r == 0)
        r = reply_borrow(blob->reply, blob->labels, N_DIGITS * blob->batch->n, why);
    return r == 0 && !wide ? add(blob, user, why) : r;
}
