/* SPDX-License-Identifier: Apache-2.0
 * What packed events become: columns, structured items, dense frames. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/batch.h"
#include "client/failure.h"
#include "client/items.h"
#include "common/frames.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

struct tnm_decoder {
    /* Bytes for each event and for each sample of the result. */
    size_t event_size, sample_size;
    void (*run)(const tnm_decoder *decoder, const struct blob *blob, uint8_t *out);
    struct items_layout layout;
    struct frames_rule rule;
};

_Static_assert((int)ITEMS_SLACK <= (int)BODY_SLACK, "decoding reads past the last event");

static int new_decoder(const tnm_decoder *made, tnm_decoder **ret)
{
    tnm_decoder *decoder = malloc(sizeof *decoder);
    if (!decoder)
        return failure_set(-ENOMEM, "no memory for a decoder");
    *decoder = *made;
    *ret = decoder;
    return 0;
}

static void run_columns(const tnm_decoder *decoder, const struct blob *blob, uint8_t *out)
{
    size_t n = (size_t)blob->n_events;
    (void)decoder;
    items_columns(blob->events, n,
                  (struct items_columns){out, out + 4 * n, out + 5 * n, out + 6 * n});
}

int tnm_decoder_columns(tnm_decoder **ret)
{
    return new_decoder(&(tnm_decoder){.event_size = 7, .run = run_columns}, ret);
}

static void run_structured(const tnm_decoder *decoder, const struct blob *blob, uint8_t *out)
{
    items_structured(&decoder->layout, blob->events, (size_t)blob->n_events, out);
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
    return r < 0 ? failure_keep(r, &why) : new_decoder(&made, ret);
}

static struct event_span sample_of(const struct blob *blob, uint64_t i)
{
    return (struct event_span){
        .bytes = blob->events + blob->offsets[i] * EVENT_BYTES,
        .n_events = (size_t)(blob->offsets[i + 1] - blob->offsets[i]),
    };
}

static void run_frames(const tnm_decoder *decoder, const struct blob *blob, uint8_t *out)
{
    for (uint64_t i = 0; i < blob->n_samples; i++)
        frames_fill(&decoder->rule, sample_of(blob, i), out + i * decoder->sample_size);
}

static void run_frames_by_time(const tnm_decoder *decoder, const struct blob *blob, uint8_t *out)
{
    memset(out, 0, blob->n_samples * decoder->sample_size);
    for (uint64_t i = 0; i < blob->n_samples; i++)
        frames_fill_among(&decoder->rule, sample_of(blob, i), i, blob->n_samples, out);
}

/* The library's numbers, and common/'s. */
static const enum frames_binning binnings[] = {
    [TNM_BIN_ROUND] = FRAMES_ROUND,
    [TNM_BIN_FLOOR] = FRAMES_FLOOR,
};
static const enum frames_overlap overlaps[] = {
    [TNM_OVERLAP_OR] = FRAMES_OR,
    [TNM_OVERLAP_SUM] = FRAMES_SUM,
};
static const enum frames_values dtypes[] = {[TNM_U8] = FRAMES_U8, [TNM_F32] = FRAMES_F32};
static const struct {
    enum frames_axes axes;
    void (*run)(const tnm_decoder *decoder, const struct blob *blob, uint8_t *out);
} layouts[] = {
    [TNM_BTCHW] = {FRAMES_TCHW, run_frames},
    [TNM_BCHWT] = {FRAMES_CHWT, run_frames},
    [TNM_TBCHW] = {FRAMES_TCHW, run_frames_by_time},
};

static int check_choice(const char *name, int choice, size_t n_choices)
{
    if (choice < 0 || (size_t)choice >= n_choices)
        return failure_set(-EINVAL, "%s %d; it has to be 0 to %zu", name, choice, n_choices - 1);
    return 0;
}

static int check_frames(uint32_t timestep_us, uint32_t bins, int binning, int overlap, int axes,
                        int dtype)
{
    if (timestep_us < 1 || timestep_us > FRAMES_TIMESTEP_MAX_US)
        return failure_set(-EINVAL, "a timestep of %u us; it has to be 1 to %d", timestep_us,
                           FRAMES_TIMESTEP_MAX_US);
    if (bins < 1 || bins > FRAMES_BINS_MAX)
        return failure_set(-EINVAL, "%u bins; there have to be 1 to %d", bins, FRAMES_BINS_MAX);
    int r = check_choice("binning", binning, N_OF(binnings));
    if (r == 0)
        r = check_choice("overlap", overlap, N_OF(overlaps));
    if (r == 0)
        r = check_choice("axes", axes, N_OF(layouts));
    return r < 0 ? r : check_choice("dtype", dtype, N_OF(dtypes));
}

int tnm_decoder_frames(const tnm_geometry *geometry, uint32_t timestep_us, uint32_t bins,
                       int binning, int overlap, int axes, int dtype, tnm_decoder **ret)
{
    const struct geometry own = {geometry->width, geometry->height, geometry->n_labels};
    if (!geometry_is_valid(&own))
        return failure_set(-EINVAL,
                           "a geometry of %u x %u pixels, %u labels; each has to be 1 to %d",
                           own.width, own.height, own.n_labels, GEOMETRY_SIDE_MAX);
    int r = check_frames(timestep_us, bins, binning, overlap, axes, dtype);
    if (r < 0)
        return r;
    tnm_decoder made = {.run = layouts[axes].run,
                        .rule = {.geometry = own,
                                 .timestep_us = timestep_us,
                                 .bins = bins,
                                 .binning = binnings[binning],
                                 .overlap = overlaps[overlap],
                                 .axes = layouts[axes].axes,
                                 .values = dtypes[dtype]}};
    made.sample_size = frames_size(&made.rule);
    return new_decoder(&made, ret);
}

void tnm_decoder_free(tnm_decoder *decoder)
{
    free(decoder);
}

size_t tnm_decoder_size(const tnm_decoder *decoder, uint64_t n_samples, uint64_t n_events)
{
    size_t samples, events, sum;
    if (__builtin_mul_overflow(n_samples, decoder->sample_size, &samples) ||
        __builtin_mul_overflow(n_events, decoder->event_size, &events) ||
        __builtin_add_overflow(samples, events, &sum))
        return SIZE_MAX;
    return sum;
}

int tnm_decode(const tnm_decoder *decoder, const tnm_batch *batch, void *out, size_t size)
{
    size_t needed = tnm_decoder_size(decoder, batch->blob.n_samples, batch->blob.n_events);
    if (size < needed)
        return failure_set(-ENOBUFS, "the batch becomes %zu bytes; the buffer has %zu", needed,
                           size);
    const struct geometry *sensor = &batch->blob.geometry, *own = &decoder->rule.geometry;
    if (own->width && (sensor->width != own->width || sensor->height != own->height))
        return failure_set(-EINVAL,
                           "the batch's sensor has %u x %u pixels; the decoder's frames %u x %u",
                           sensor->width, sensor->height, own->width, own->height);
    decoder->run(decoder, &batch->blob, out);
    return 0;
}
