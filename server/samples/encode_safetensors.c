/* SPDX-License-Identifier: Apache-2.0
 * A batch as a safetensors blob: of packed events, of which stored ones are answered from the map.
 * Tensors and sparse frames have files of their own. */
#include <string.h>

#include "common/crc32c.h"
#include "common/wire.h"
#include "server/samples/blob.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"

static struct tensor events_tensor(const struct blob *blob)
{
    return wire_tensor(&wire_batch[WIRE_BATCH_EVENTS], blob->offsets[blob->batch->n]);
}

static int add_from_map(struct blob *blob, const void *user, struct error *why)
{
    int r = 0;
    (void)user;
    for (size_t i = 0; r == 0 && i < blob->batch->n; i++) {
        struct recipe recipe;
        r = batch_recipe(blob->batch, blob->form, i, &recipe, why);
        if (r == 0)
            r = reply_borrow_known(blob->reply, recipe.parts[0].bytes,
                                   recipe.parts[0].n_events * EVENT_BYTES, recipe.checksum, why);
    }
    return r;
}

static int add_made(struct blob *blob, const void *user, struct error *why)
{
    const uint8_t *events = user;
    int r = 0;
    for (size_t i = 0; r == 0 && i < blob->batch->n; i++)
        r = reply_borrow_known(blob->reply, events + blob->offsets[i] * EVENT_BYTES,
                               (blob->offsets[i + 1] - blob->offsets[i]) * EVENT_BYTES,
                               (uint32_t)blob->checksums[i], why);
    return r;
}

static int make_all(struct blob *blob, uint8_t *events, struct error *why)
{
    for (size_t i = 0; i < blob->batch->n; i++) {
        uint8_t *out = events + blob->offsets[i] * EVENT_BYTES;
        struct event_span made;
        int r = blob_make(blob, i, out, &made, why);
        if (r < 0)
            return r;
        if (made.bytes != out)
            memcpy(out, made.bytes, made.n_events * EVENT_BYTES);
        blob->offsets[i + 1] = blob->offsets[i] + made.n_events;
        blob->checksums[i] = crc32c(0, out, made.n_events * EVENT_BYTES);
    }
    tally_add(TALLY_CHECKSUM_BYTES, blob->offsets[blob->batch->n] * EVENT_BYTES);
    return 0;
}

static int encode_events_of(struct blob *blob, struct error *why)
{
    uint64_t size = blob->all_events * EVENT_BYTES;
    void *events = NULL;
    int r = 0;
    if (!blob->all_stored) {
        if (reply_skips(blob->reply, false))
            return reply_check(blob->reply, size, why);
        r = reply_alloc(blob->reply, size, &events, why);
        if (r == 0)
            r = make_all(blob, events, why);
    }
    if (r < 0)
        return r;
    const struct tensor tensor = events_tensor(blob);
    return blob_write(blob, &tensor, NULL, NULL, events ? add_made : add_from_map, events, why);
}

int encode_safetensors(const struct batch *batch, const struct form *form, struct reply *reply,
                       struct error *why)
{
    uint32_t n_frames;
    struct blob blob = {
        .batch = batch,
        .form = form,
        .reply = reply,
        .has_n_frames = form->as != FORM_EVENTS && !cut_is_fixed(form, &n_frames),
    };
    int r = blob_open(&blob, why);
    if (r < 0)
        return r;
    switch (form->as) {
    case FORM_EVENTS:
        break;
    case FORM_SPARSE:
        return encode_sparse(&blob, why);
    case FORM_FRAMES:
    case FORM_BITS:
        return encode_tensors(&blob, why);
    }
    return encode_events_of(&blob, why);
}
