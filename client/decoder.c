/* SPDX-License-Identifier: Apache-2.0
 * What packed events become: columns, structured items; and what all decoders have in common. */
#include "client/decoder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/failure.h"

_Static_assert((int)ITEMS_SLACK <= (int)BODY_SLACK, "decoding reads past the last event");

int decoder_new(const tnm_decoder *made, tnm_decoder **ret)
{
    tnm_decoder *decoder = malloc(sizeof *decoder);
    if (!decoder)
        return failure_set(-ENOMEM, "no memory for a decoder");
    *decoder = *made;
    *ret = decoder;
    return 0;
}

static int run_columns(const tnm_decoder *decoder, const struct decode *what, void *out,
                       struct error *why)
{
    size_t n = (size_t)what->blob.n_events;
    uint8_t *bytes = out;
    (void)decoder, (void)why;
    items_columns(what->blob.events, n,
                  (struct items_columns){bytes, bytes + 4 * n, bytes + 5 * n, bytes + 6 * n});
    return 0;
}

int tnm_decoder_columns(tnm_decoder **ret)
{
    return decoder_new(&(tnm_decoder){.event_size = 7, .run = run_columns}, ret);
}

static int run_structured(const tnm_decoder *decoder, const struct decode *what, void *out,
                          struct error *why)
{
    (void)why;
    items_structured(&decoder->layout, what->blob.events, (size_t)what->blob.n_events, out);
    return 0;
}

int tnm_decoder_structured(uint32_t item_size, const uint32_t at[4], const uint32_t width[4],
                           tnm_decoder **ret)
{
    tnm_decoder made = {.event_size = item_size,
                        .run = run_structured,
                        .layout = {.item_size = item_size,
                                   .at = {at[0], at[1], at[2], at[3]},
                                   .width = {width[0], width[1], width[2], width[3]}}};
    struct error why;
    int r = items_layout_check(&made.layout, &why);
    return r < 0 ? failure_keep(r, &why) : decoder_new(&made, ret);
}

void tnm_decoder_free(tnm_decoder *decoder)
{
    free(decoder);
}

/* ---- Sizes ---- */

bool decoder_knows_size(const tnm_decoder *decoder)
{
    return !decoder->is_sparse && (!decoder->is_frames || decoder->fixed);
}

size_t tnm_decoder_size(const tnm_decoder *decoder, uint64_t n_samples, uint64_t n_events)
{
    size_t samples, events, sum;
    if (!decoder_knows_size(decoder) ||
        __builtin_mul_overflow(n_samples, decoder_sample_size(decoder, decoder->fixed), &samples) ||
        __builtin_mul_overflow(n_events, decoder->event_size, &events) ||
        __builtin_add_overflow(samples, events, &sum))
        return SIZE_MAX;
    return sum;
}

static int measure_items(const tnm_decoder *decoder, const tnm_batch *batch, struct decode *ret,
                         struct error *why)
{
    if (batch->blob.counts)
        return error_set(why, -EINVAL, "the batch came as places of frames, without its events");
    ret->size = tnm_decoder_size(decoder, batch->blob.n_samples, batch->blob.n_events);
    return 0;
}

int decode_begin(const tnm_decoder *decoder, const tnm_batch *batch, struct decode *ret,
                 struct error *why)
{
    struct decode made = {.blob = batch->blob};
    int r =
        (decoder->is_frames ? decoder_measure_frames : measure_items)(decoder, batch, &made, why);
    if (r < 0)
        decode_clear(&made);
    else
        *ret = made;
    return r;
}

int decode_run(const tnm_decoder *decoder, const struct decode *decoding, void *out,
               struct error *why)
{
    return decoder->run(decoder, decoding, out, why);
}

void decode_clear(struct decode *decoding)
{
    free(decoding->n_frames);
    free(decoding->events);
    free(decoding->offsets);
    *decoding = (struct decode){0};
}

int tnm_decoder_measure(const tnm_decoder *decoder, const tnm_batch *batch, size_t *ret_size,
                        uint32_t *ret_longest, int32_t *n_frames)
{
    struct decode decoding;
    struct error why;
    int r = decode_begin(decoder, batch, &decoding, &why);
    if (r < 0)
        return failure_keep(r, &why);
    *ret_size = decoding.size;
    *ret_longest = decoding.longest;
    if (n_frames && decoding.n_frames)
        memcpy(n_frames, decoding.n_frames, decoding.blob.n_samples * sizeof *n_frames);
    decode_clear(&decoding);
    return 0;
}

int tnm_decode(const tnm_decoder *decoder, const tnm_batch *batch, void *out, size_t size)
{
    struct decode decoding;
    struct error why;
    int r = decode_begin(decoder, batch, &decoding, &why);
    if (r < 0)
        return failure_keep(r, &why);
    if (size < decoding.size)
        r = error_set(&why, -ENOBUFS, "the batch becomes %zu bytes; the buffer has %zu",
                      decoding.size, size);
    else
        r = decode_run(decoder, &decoding, out, &why);
    decode_clear(&decoding);
    return r < 0 ? failure_keep(r, &why) : 0;
}

/* ---- The batch's own memory ---- */

/* Memory for what the batch becomes: that which it has, where it is large enough. */
static int make_room(tnm_batch *batch, size_t size, struct pool *pool, struct error *why)
{
    struct pool_block block;
    if (batch->decoded && size <= batch->room)
        return 0;
    if (pool_take(pool, size, &block) < 0)
        return error_set(why, -ENOMEM, "no memory for a batch of %zu bytes", size);
    batch_set_block(batch, pool, block);
    return 0;
}

static void keep_frames(tnm_batch *batch, const tnm_decoder *decoder, struct decode *decoding)
{
    free(batch->n_frames);
    batch->n_frames = decoding->n_frames;
    batch->longest = decoding->longest;
    decoding->n_frames = NULL;
    if (!decoder->is_sparse)
        return;
    batch->counts = batch->decoded;
    size_t n_counts = batch->blob.n_samples * batch->longest;
    batch->places = (const int16_t *)(batch->counts + n_counts);
    batch->n_places = 0;
    for (size_t i = 0; i < n_counts; i++)
        batch->n_places += (uint64_t)batch->counts[i];
    batch->decoded_size =
        n_counts * sizeof *batch->counts + batch->n_places * sizeof *batch->places;
}

int batch_decode(tnm_batch *batch, const tnm_decoder *decoder, struct pool *pool, batch_lend *lend,
                 void *user)
{
    struct decode decoding;
    struct error why;
    int r = decode_begin(decoder, batch, &decoding, &why);
    if (r < 0)
        return failure_keep(r, &why);
    if (lend && !decoder_knows_size(decoder))
        lend(batch, decoding.size, user);
    r = make_room(batch, decoding.size, pool, &why);
    if (r == 0)
        r = decode_run(decoder, &decoding, batch->decoded, &why);
    if (r == 0) {
        batch->decoded_size = decoding.size;
        keep_frames(batch, decoder, &decoding);
    }
    decode_clear(&decoding);
    return r < 0 ? failure_keep(r, &why) : 0;
}
