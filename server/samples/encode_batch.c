/* SPDX-License-Identifier: Apache-2.0
 * A batch as a safetensors blob; stored events are answered from the map. */
#include <inttypes.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/safetensors.h"
#include "server/problem.h"
#include "server/samples/encode.h"

enum { HEADER_MAX = 2048 };

/* The tensors that every batch has, in the order of the blob; the data of OFFSETS is there for
 * events only, and BODY is events or frames. */
enum { OFFSETS, INDICES, SOURCES, CHECKSUMS, LABELS, BODY, N_TENSORS };

struct columns {
    uint64_t *offsets, *indices;
    int32_t *sources;
    uint32_t *checksums;
    uint8_t *labels;
};

struct batch {
    const struct request *request;
    struct reply *reply;
    const struct recipe *recipes;
    size_t n;
    bool as_frames;
    struct frames_rule rule;
    char *header; /* HEADER_MAX, then the columns one behind the other */
    struct columns columns;
};

bool encode_is_ready(const struct request *request, const struct recipe *recipes, size_t n)
{
    if (request->params[PARAM_AS] == AS_FRAMES || n > ENCODE_MAX_PARTS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (recipes[i].kind != RECIPE_STORED)
            return false;
    return true;
}

static bool alloc_columns(struct batch *batch)
{
    size_t n = batch->n, n_offsets = batch->as_frames ? 0 : n + 1;
    size_t size = HEADER_MAX + 8 * n_offsets + 8 * n + 8 * n + 4 * n + N_DIGITS * n;
    batch->header = encode_alloc(batch->request, batch->reply, size);
    if (!batch->header)
        return false;
    struct columns *columns = &batch->columns;
    columns->offsets = (uint64_t *)(void *)(batch->header + HEADER_MAX);
    columns->indices = columns->offsets + n_offsets;
    columns->sources = (int32_t *)(columns->indices + n);
    columns->checksums = (uint32_t *)(columns->sources + 2 * n);
    columns->labels = (uint8_t *)(columns->checksums + n);
    for (size_t i = 0; i < n; i++) {
        const struct recipe *recipe = &batch->recipes[i];
        columns->indices[i] = recipe->index;
        columns->sources[2 * i] = recipe->sources[0];
        columns->sources[2 * i + 1] = recipe->n_sources > 1 ? recipe->sources[1] : -1;
        memcpy(columns->labels + N_DIGITS * i, recipe->labels, N_DIGITS);
    }
    return true;
}

/* Header and columns become the reply's first part: the header is moved up against the columns. */
static bool add_head(struct batch *batch, uint64_t n_events)
{
    uint64_t n = batch->n, shape[FRAMES_DIMS];
    frames_shape(&batch->rule, shape);
    struct tensor tensors[N_TENSORS] = {
        [OFFSETS] = {.name = "offsets", .dtype = TENSOR_U64, .n_dims = 1, .dims = {n + 1}},
        [INDICES] = {.name = "indices", .dtype = TENSOR_U64, .n_dims = 1, .dims = {n}},
        [SOURCES] = {.name = "sources", .dtype = TENSOR_I32, .n_dims = 2, .dims = {n, 2}},
        [CHECKSUMS] = {.name = "checksums", .dtype = TENSOR_U32, .n_dims = 1, .dims = {n}},
        [LABELS] = {.name = "labels", .dtype = TENSOR_U8, .n_dims = 2, .dims = {n, N_DIGITS}},
        [BODY] = {.name = "events",
                  .dtype = TENSOR_U8,
                  .n_dims = 2,
                  .dims = {n_events, EVENT_BYTES}},
    };
    if (batch->as_frames)
        tensors[BODY] = (struct tensor){.name = "frames",
                                        .dtype = TENSOR_U8,
                                        .n_dims = 1 + FRAMES_DIMS,
                                        .dims = {n, shape[0], shape[1], shape[2], shape[3]}};
    const struct entry *entry = batch->request->entry;
    const struct meta meta[] = {{"split", entry->name}, {"revision", entry->revision}};
    struct tensor *first = &tensors[batch->as_frames ? INDICES : OFFSETS];
    size_t n_tensors = (size_t)(tensors + N_TENSORS - first), header_size;
    uint64_t data_size;
    char header[HEADER_MAX];
    if (safetensors_layout(first, n_tensors, &data_size) < 0 ||
        safetensors_header(first, n_tensors, meta, 2, header, sizeof header, 0, &header_size) < 0)
        return false;
    char *start = batch->header + HEADER_MAX - header_size;
    memcpy(start, header, header_size);
    return reply_borrow(batch->reply, start, header_size + tensors[LABELS].end) == 0;
}

static void add_stored(struct batch *batch)
{
    struct columns *columns = &batch->columns;
    columns->offsets[0] = 0;
    for (size_t i = 0; i < batch->n; i++) {
        columns->offsets[i + 1] = columns->offsets[i] + batch->recipes[i].parts[0].n_events;
        columns->checksums[i] = batch->recipes[i].checksum;
    }
    bool added = add_head(batch, columns->offsets[batch->n]);
    for (size_t i = 0; added && i < batch->n; i++) {
        struct event_span events = batch->recipes[i].parts[0];
        added = reply_borrow(batch->reply, events.bytes, events.n_events * EVENT_BYTES) == 0;
    }
    if (!added)
        problem(batch->reply, batch->request, PROBLEM_NO_MEMORY, "no memory for the answer");
}

static bool make(struct batch *batch, size_t i, uint8_t *out, size_t *ret_n_events)
{
    struct error why;
    if (recipe_make(&batch->recipes[i], out, ret_n_events, &why) == 0)
        return true;
    problem(batch->reply, batch->request, PROBLEM_BAD_PARAMETER, "sample %zu of the batch: %s", i,
            why.text);
    return false;
}

static void finish(struct batch *batch, uint64_t n_events, const uint8_t *body, size_t size)
{
    if (!add_head(batch, n_events) || reply_borrow(batch->reply, body, size) < 0)
        problem(batch->reply, batch->request, PROBLEM_NO_MEMORY, "no memory for the answer");
}

static void add_made(struct batch *batch)
{
    uint64_t most = 0;
    for (size_t i = 0; i < batch->n; i++)
        most += recipe_max_events(&batch->recipes[i]);
    uint8_t *events = encode_alloc(batch->request, batch->reply, most * EVENT_BYTES);
    if (!events)
        return;
    uint64_t *offsets = batch->columns.offsets;
    offsets[0] = 0;
    for (size_t i = 0; i < batch->n; i++) {
        uint8_t *out = events + offsets[i] * EVENT_BYTES;
        size_t n_events;
        if (!make(batch, i, out, &n_events))
            return;
        offsets[i + 1] = offsets[i] + n_events;
        batch->columns.checksums[i] = crc32c(0, out, n_events * EVENT_BYTES);
    }
    finish(batch, offsets[batch->n], events, offsets[batch->n] * EVENT_BYTES);
}

static void add_frames(struct batch *batch)
{
    size_t one = frames_size(&batch->rule);
    uint64_t most = 0;
    for (size_t i = 0; i < batch->n; i++) {
        uint64_t n_events = recipe_max_events(&batch->recipes[i]);
        most = n_events > most ? n_events : most;
    }
    uint8_t *scratch = encode_alloc(batch->request, batch->reply, most * EVENT_BYTES);
    uint8_t *frames =
        scratch ? encode_alloc(batch->request, batch->reply, (uint64_t)one * batch->n) : NULL;
    if (!frames)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        struct event_span events = batch->recipes[i].parts[0];
        if (batch->recipes[i].kind != RECIPE_STORED) {
            events.bytes = scratch;
            if (!make(batch, i, scratch, &events.n_events))
                return;
        }
        frames_fill(&batch->rule, events, frames + i * one);
        batch->columns.checksums[i] = crc32c(0, frames + i * one, one);
    }
    finish(batch, 0, frames, one * batch->n);
}

void encode_batch(const struct request *request, struct reply *reply, const struct recipe *recipes,
                  size_t n)
{
    if (request->format == FORMAT_JSON) {
        encode_json_batch(request, reply, recipes, n);
        return;
    }
    struct batch batch = {
        .request = request,
        .reply = reply,
        .recipes = recipes,
        .n = n,
        .as_frames = request->params[PARAM_AS] == AS_FRAMES,
        .rule = encode_frames_rule(request),
    };
    if (!alloc_columns(&batch))
        return;
    if (batch.as_frames)
        add_frames(&batch);
    else if (encode_is_ready(request, recipes, n))
        add_stored(&batch);
    else
        add_made(&batch);
}
