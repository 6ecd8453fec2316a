/* SPDX-License-Identifier: Apache-2.0
 * Frames by a rule: dense, without their zeros, or a voxel grid. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/decoder.h"
#include "client/failure.h"
#include "client/places.h"
#include "common/event_order.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

enum { FRAMES_MOST = UINT8_MAX, RULE_MOST = UINT16_MAX };

/* The library's numbers, and common/'s. */
static const enum frames_binning binnings[] = {
    [TNM_BIN_ROUND] = FRAMES_ROUND,
    [TNM_BIN_FLOOR] = FRAMES_FLOOR,
};
static const enum frames_overlap overlaps[] = {
    [TNM_OVERLAP_OR] = FRAMES_OR,
    [TNM_OVERLAP_SUM] = FRAMES_SUM,
};
static const struct {
    size_t size;
    enum frames_values values;
    uint32_t most;
} dtypes[] = {
    [TNM_U8] = {sizeof(uint8_t), FRAMES_U8, UINT8_MAX},
    [TNM_F32] = {sizeof(float), FRAMES_F32, RULE_MOST},
    [TNM_U16] = {sizeof(uint16_t), FRAMES_U16, UINT16_MAX},
    [TNM_F64] = {sizeof(double), FRAMES_F32, 0}, /* of voxel grids alone */
};
enum { N_AXES = TNM_TBCHW + 1 };

static size_t frame_values(const tnm_decoder *decoder)
{
    return dense_size(&decoder->shape, 1, FRAMES_U8);
}

size_t decoder_sample_size(const tnm_decoder *decoder, uint32_t n_frames)
{
    return decoder->is_frames ? n_frames * frame_values(decoder) * dtypes[decoder->dtype].size : 0;
}

static struct event_span sample_of(const struct blob *blob, uint64_t i)
{
    return (struct event_span){
        .bytes = blob->events + blob->offsets[i] * EVENT_BYTES,
        .n_events = (size_t)(blob->offsets[i + 1] - blob->offsets[i]),
    };
}

/* ---- Events as the rule wants them ---- */

static int keep_sample(const tnm_decoder *decoder, struct decode *what, uint64_t i,
                       struct error *why)
{
    struct event_span events = sample_of(&what->blob, i);
    uint8_t *out = what->events + what->offsets[i] * EVENT_BYTES;
    bool is_ordered = event_is_ordered(events);
    size_t n = events.n_events;
    if (!is_ordered && rule_has_filters(&decoder->rule))
        return error_set(why, -EINVAL, "its events are not in order of time, which filters need");
    int r = is_ordered ? filter_events(&decoder->rule.filter, &what->blob.geometry, events, out, &n)
                       : event_put_in_order(events, out);
    if (r < 0)
        return error_set(why, r, "no memory to filter its events");
    what->offsets[i + 1] = what->offsets[i] + n;
    return 0;
}

static int at_sample(const struct blob *blob, uint64_t i, int r, struct error *why)
{
    return error_prefix(why, r, "sample %" PRIu64, blob->indices[i]);
}

/* Events of our own: those that filters keep, in order of time. */
static int keep_events(const tnm_decoder *decoder, struct decode *what, struct error *why)
{
    const struct blob *blob = &what->blob;
    what->events = malloc(blob->n_events * EVENT_BYTES + BODY_SLACK);
    what->offsets = calloc(blob->n_samples + 1, sizeof *what->offsets);
    if (!what->events || !what->offsets)
        return error_set(why, -ENOMEM, "no memory for %" PRIu64 " events", blob->n_events);
    for (uint64_t i = 0; i < blob->n_samples; i++) {
        int r = keep_sample(decoder, what, i, why);
        if (r < 0)
            return at_sample(blob, i, r, why);
    }
    what->blob.events = what->events;
    what->blob.offsets = what->offsets;
    what->blob.n_events = what->offsets[blob->n_samples];
    return 0;
}

/* Frames of a timestep are of sets: whatever order their events have, they can be put into one. */
static bool wants_order(const tnm_decoder *decoder, const struct blob *blob)
{
    if (decoder->is_by_time || decoder->rule.is_voxel ||
        decoder->rule.slice.slice != SLICE_TIMESTEP)
        return false;
    for (uint64_t i = 0; i < blob->n_samples; i++)
        if (!event_is_ordered(sample_of(blob, i)))
            return true;
    return false;
}

static int cut(const tnm_decoder *decoder, const struct blob *blob, uint64_t i, struct slices *ret,
               struct error *why)
{
    int r = slices_cut(&decoder->rule.slice, sample_of(blob, i), ret, why);
    return r < 0 ? at_sample(blob, i, -EINVAL, why) : 0;
}

/* ---- How large it becomes ---- */

static int count_frames(const tnm_decoder *decoder, struct decode *what, struct error *why)
{
    struct slices slices;
    for (uint64_t i = 0; i < what->blob.n_samples; i++) {
        if (what->blob.counts) {
            what->n_frames[i] =
                what->blob.n_frames ? what->blob.n_frames[i] : (int32_t)what->blob.longest;
            continue;
        }
        if (decoder->fixed) {
            what->n_frames[i] = (int32_t)decoder->fixed;
            continue;
        }
        int r = cut(decoder, &what->blob, i, &slices, why);
        if (r < 0)
            return r;
        what->n_frames[i] = (int32_t)slices.n;
    }
    what->longest = decoder->fixed;
    for (uint64_t i = 0; i < what->blob.n_samples; i++)
        if ((uint32_t)what->n_frames[i] > what->longest)
            what->longest = (uint32_t)what->n_frames[i];
    return 0;
}

/* Places at most: an event may lie in several frames. */
static int count_places(const tnm_decoder *decoder, const struct blob *blob, uint64_t *ret,
                        struct error *why)
{
    struct slices slices;
    *ret = blob->n_places;
    for (uint64_t i = 0; !blob->counts && i < blob->n_samples; i++) {
        int r = cut(decoder, blob, i, &slices, why);
        if (r < 0)
            return r;
        *ret += sparse_most(&slices);
    }
    return 0;
}

static int set_size(const tnm_decoder *decoder, struct decode *what, struct error *why)
{
    size_t row = decoder->is_sparse ? what->longest * sizeof(int32_t)
                                    : decoder_sample_size(decoder, what->longest);
    uint64_t n_places = 0;
    if (decoder->is_sparse) {
        int r = count_places(decoder, &what->blob, &n_places, why);
        if (r < 0)
            return r;
    }
    if (__builtin_mul_overflow(row, what->blob.n_samples, &what->size) ||
        __builtin_add_overflow(what->size, n_places * sizeof(int16_t), &what->size))
        return error_set(why, -EINVAL, "the batch becomes more than memory can hold");
    return 0;
}

static int check_batch(const tnm_decoder *decoder, const tnm_batch *batch, struct error *why)
{
    const struct geometry *sensor = &batch->blob.geometry, *own = &decoder->shape.geometry;
    if (sensor->width != own->width || sensor->height != own->height)
        return error_set(why, -EINVAL,
                         "the batch's sensor has %u x %u pixels; the decoder's frames %u x %u",
                         sensor->width, sensor->height, own->width, own->height);
    if (batch->blob.counts && !rule_equal(&batch->rule, &decoder->rule))
        return error_set(why, -EINVAL, "the batch came as places of frames by another rule");
    if (decoder->axes == TNM_TBCHW && batch->blob.n_samples > UINT32_MAX / frame_values(decoder))
        return error_set(why, -EINVAL,
                         "%" PRIu64 " samples of %zu places each; axes TBCHW have up to %" PRIu32
                         " places side by side",
                         batch->blob.n_samples, frame_values(decoder), UINT32_MAX);
    return 0;
}

int decoder_measure_frames(const tnm_decoder *decoder, const tnm_batch *batch, struct decode *ret,
                           struct error *why)
{
    int r = check_batch(decoder, batch, why);
    if (r < 0)
        return r;
    if (!ret->blob.counts && (rule_has_filters(&decoder->rule) || wants_order(decoder, &ret->blob)))
        r = keep_events(decoder, ret, why);
    if (r < 0)
        return r;
    ret->n_frames = calloc(ret->blob.n_samples ? ret->blob.n_samples : 1, sizeof *ret->n_frames);
    if (!ret->n_frames)
        return error_set(why, -ENOMEM, "no memory for a batch's numbers of frames");
    r = count_frames(decoder, ret, why);
    return r < 0 ? r : set_size(decoder, ret, why);
}

/* ---- Filling them ---- */

static struct places_strides strides_of(const tnm_decoder *decoder, const struct decode *what)
{
    size_t frame = frame_values(decoder), n_frames = what->longest;
    switch (decoder->axes) {
    case TNM_BCHWT:
        return (struct places_strides){.sample = n_frames * frame, .frame = 1, .place = n_frames};
    case TNM_TBCHW:
        return (struct places_strides){
            .sample = frame, .frame = what->blob.n_samples * frame, .place = 1};
    default:
        return (struct places_strides){.sample = n_frames * frame, .frame = frame, .place = 1};
    }
}

static struct places places_of(const struct blob *blob)
{
    return (struct places){.places = blob->places,
                           .counts = blob->counts,
                           .n_samples = blob->n_samples,
                           .n_places = blob->n_places,
                           .n_frames = blob->longest};
}

static void fill_places(const tnm_decoder *decoder, const struct decode *what, void *out)
{
    const struct places places = places_of(&what->blob);
    const struct places_strides strides = strides_of(decoder, what);
    memset(out, 0, what->size);
    if (decoder->shape.overlap == FRAMES_OR)
        places_set(&places, &strides, dtypes[decoder->dtype].values, out);
    else
        places_count(&places, &strides, dtypes[decoder->dtype].values, decoder->most, out);
}

static void fill_by_time(const tnm_decoder *decoder, const struct decode *what, uint8_t *out)
{
    const struct frames_rule rule = {
        .geometry = decoder->shape.geometry,
        .timestep_us = decoder->rule.slice.timestep_us,
        .bins = decoder->rule.slice.bins,
        .binning = decoder->rule.slice.binning,
        .overlap = decoder->shape.overlap,
        .axes = decoder->axes == TNM_BCHWT ? FRAMES_CHWT : FRAMES_TCHW,
        .values = dtypes[decoder->dtype].values,
    };
    const struct blob *blob = &what->blob;
    if (decoder->axes == TNM_TBCHW)
        memset(out, 0, what->size);
    for (uint64_t i = 0; i < blob->n_samples; i++)
        if (decoder->axes == TNM_TBCHW)
            frames_fill_among(&rule, sample_of(blob, i), i, blob->n_samples, out);
        else
            frames_fill(&rule, sample_of(blob, i), out + i * frames_size(&rule));
}

static int fill_slices(const tnm_decoder *decoder, const struct decode *what, uint8_t *out,
                       struct error *why)
{
    const struct blob *blob = &what->blob;
    const enum frames_values values = dtypes[decoder->dtype].values;
    const size_t sample = decoder_sample_size(decoder, what->longest);
    struct slices slices;
    if (decoder->axes == TNM_TBCHW)
        memset(out, 0, what->size);
    for (uint64_t i = 0; i < blob->n_samples; i++) {
        int r = cut(decoder, blob, i, &slices, why);
        if (r < 0)
            return r;
        if (decoder->axes == TNM_TBCHW)
            dense_fill_among(&decoder->shape, sample_of(blob, i), &slices, values, i,
                             blob->n_samples, out);
        else
            dense_fill(&decoder->shape, sample_of(blob, i), &slices, what->longest,
                       decoder->axes == TNM_BCHWT ? FRAMES_CHWT : FRAMES_TCHW, values,
                       out + i * sample);
    }
    return 0;
}

static int run_dense(const tnm_decoder *decoder, const struct decode *what, void *out,
                     struct error *why)
{
    if (what->blob.counts)
        fill_places(decoder, what, out);
    else if (decoder->is_by_time)
        fill_by_time(decoder, what, out);
    else
        return fill_slices(decoder, what, out, why);
    return 0;
}

static int run_sparse(const tnm_decoder *decoder, const struct decode *what, void *out,
                      struct error *why)
{
    const struct blob *blob = &what->blob;
    int32_t *counts = out;
    int16_t *places = (int16_t *)(counts + blob->n_samples * what->longest);
    struct slices slices;
    if (blob->counts) {
        memcpy(counts, blob->counts, blob->n_samples * what->longest * sizeof *counts);
        memcpy(places, blob->places, blob->n_places * sizeof *places);
        return 0;
    }
    memset(counts, 0, blob->n_samples * what->longest * sizeof *counts);
    for (uint64_t i = 0; i < blob->n_samples; i++) {
        int r = cut(decoder, blob, i, &slices, why);
        if (r < 0)
            return r;
        places += sparse_fill(&decoder->shape, sample_of(blob, i), &slices, places,
                              counts + i * what->longest);
    }
    return 0;
}

/* One sample's grid, from binary64. */
static void put_grid(const tnm_decoder *decoder, const struct places_strides *strides, uint64_t i,
                     const double *grid, void *out)
{
    const size_t frame = frame_values(decoder);
    for (uint32_t t = 0; t < decoder->fixed; t++)
        for (size_t place = 0; place < frame; place++) {
            size_t at = i * strides->sample + t * strides->frame + place * strides->place;
            if (decoder->dtype == TNM_F64)
                ((double *)out)[at] = grid[t * frame + place];
            else
                ((float *)out)[at] = (float)grid[t * frame + place];
        }
}

static int run_voxel(const tnm_decoder *decoder, const struct decode *what, void *out,
                     struct error *why)
{
    const struct places_strides strides = strides_of(decoder, what);
    double *grid = calloc(decoder->fixed * frame_values(decoder), sizeof *grid);
    int r = grid ? 0 : error_set(why, -ENOMEM, "no memory for a voxel grid");
    for (uint64_t i = 0; r == 0 && i < what->blob.n_samples; i++) {
        r = voxel_fill(&decoder->shape.geometry, sample_of(&what->blob, i), decoder->fixed, grid,
                       why);
        if (r == 0)
            put_grid(decoder, &strides, i, grid, out);
        else
            at_sample(&what->blob, i, r, why);
    }
    free(grid);
    return r;
}

/* ---- Making them ---- */

static int check_choice(const char *name, int choice, size_t n_choices)
{
    if (choice < 0 || (size_t)choice >= n_choices)
        return failure_set(-EINVAL, "%s %d; it has to be 0 to %zu", name, choice, n_choices - 1);
    return 0;
}

static int check_geometry(const tnm_geometry *geometry, struct geometry *ret)
{
    *ret = (struct geometry){geometry->width, geometry->height, geometry->n_labels};
    if (!geometry_is_valid(ret))
        return failure_set(-EINVAL,
                           "a geometry of %u x %u pixels, %u labels; each has to be 1 to %d",
                           ret->width, ret->height, ret->n_labels, GEOMETRY_SIDE_MAX);
    return 0;
}

static int check_timestep(uint32_t timestep_us, uint32_t bins)
{
    if (timestep_us < 1 || timestep_us > FRAMES_TIMESTEP_MAX_US)
        return failure_set(-EINVAL, "a timestep of %u us; it has to be 1 to %d", timestep_us,
                           FRAMES_TIMESTEP_MAX_US);
    if (bins < 1 || bins > FRAMES_BINS_MAX)
        return failure_set(-EINVAL, "%u bins; there have to be 1 to %d", bins, FRAMES_BINS_MAX);
    return 0;
}

int tnm_decoder_frames(const tnm_geometry *geometry, uint32_t timestep_us, uint32_t bins,
                       int binning, int overlap, int axes, int dtype, tnm_decoder **ret)
{
    tnm_decoder made = {.is_frames = true,
                        .is_by_time = true,
                        .run = run_dense,
                        .axes = axes,
                        .dtype = dtype,
                        .most = FRAMES_MOST,
                        .fixed = bins};
    int r = check_geometry(geometry, &made.shape.geometry);
    if (r == 0)
        r = check_timestep(timestep_us, bins);
    if (r == 0)
        r = check_choice("binning", binning, N_OF(binnings));
    if (r == 0)
        r = check_choice("overlap", overlap, N_OF(overlaps));
    if (r == 0)
        r = check_choice("axes", axes, N_AXES);
    if (r == 0)
        r = check_choice("dtype", dtype, TNM_F32 + 1);
    if (r < 0)
        return r;
    made.rule = rule_of_timestep(timestep_us, bins, binnings[binning], overlaps[overlap]);
    made.shape.channels = SENSOR_POLARITIES;
    made.shape.overlap = overlaps[overlap];
    return decoder_new(&made, ret);
}

/* What the decoders of all rules have in common. */
static int begin_rule(const tnm_geometry *geometry, const tnm_rule *rule, tnm_decoder *made)
{
    struct error why;
    int r = rule ? check_geometry(geometry, &made->shape.geometry)
                 : failure_set(-EINVAL, "a decoder needs a rule");
    if (r < 0)
        return r;
    r = rule_check(rule, &made->rule, &why);
    if (r < 0)
        return failure_keep(r, &why);
    made->is_frames = true;
    made->shape.channels = made->rule.filter.merge_polarity ? 1 : SENSOR_POLARITIES;
    made->shape.overlap = made->rule.overlap;
    if (made->rule.is_voxel)
        made->fixed = made->rule.slice.bins;
    else if (!slices_are_fixed(&made->rule.slice, &made->fixed))
        made->fixed = 0;
    return 0;
}

/* Whether common/frames.h makes the same of it: it has two channels, and its floats stop at 255. */
static bool is_by_time(const tnm_decoder *made)
{
    return made->rule.slice.slice == SLICE_TIMESTEP && made->shape.channels == SENSOR_POLARITIES &&
           (made->shape.overlap == FRAMES_OR || made->dtype != TNM_F32);
}

int tnm_decoder_rule(const tnm_geometry *geometry, const tnm_rule *rule, int axes, int dtype,
                     tnm_decoder **ret)
{
    tnm_decoder made = {.axes = axes, .dtype = dtype};
    int r = begin_rule(geometry, rule, &made);
    if (r == 0)
        r = check_choice("axes", axes, N_AXES);
    if (r == 0)
        r = check_choice("dtype", dtype, N_OF(dtypes));
    if (r < 0)
        return r;
    bool is_voxel = made.rule.is_voxel;
    if (is_voxel ? dtype != TNM_F32 && dtype != TNM_F64 : dtype == TNM_F64)
        return failure_set(-EINVAL,
                           "dtype %d; voxel grids are TNM_F32 or TNM_F64, and nothing "
                           "else is TNM_F64",
                           dtype);
    if (is_voxel)
        made.shape.channels = 1;
    made.most = dtypes[dtype].most;
    made.is_by_time = !is_voxel && is_by_time(&made);
    made.run = is_voxel ? run_voxel : run_dense;
    return decoder_new(&made, ret);
}

int tnm_decoder_sparse(const tnm_geometry *geometry, const tnm_rule *rule, tnm_decoder **ret)
{
    tnm_decoder made = {.is_sparse = true, .run = run_sparse};
    int r = begin_rule(geometry, rule, &made);
    if (r < 0)
        return r;
    if (made.rule.is_voxel)
        return failure_set(-EINVAL, "a voxel grid has no places that are set");
    if (!sparse_fits(&made.shape))
        return failure_set(-EINVAL, "%zu places in a frame; a sparse one has up to %d",
                           frame_values(&made), SPARSE_PLACES_MAX);
    return decoder_new(&made, ret);
}

/* ---- What is less to send ---- */

/* Frames that an event lies in, and how many there are, where samples are about as long as
 * N-MNIST's recordings. */
static uint64_t sparse_bytes(const tnm_decoder *decoder, uint64_t n_events)
{
    enum { SPAN_US = 310000 };
    const struct slice_rule *rule = &decoder->rule.slice;
    uint64_t n_frames = slices_most(rule, n_events, SPAN_US), n_places = n_events;
    if (rule->slice == SLICE_WINDOW)
        n_places = n_events * rule->timestep_us / rule->stride_us;
    else if (rule->slice == SLICE_EVENT_COUNT)
        n_places = n_events * rule->n_events / rule->stride_events;
    return n_frames * sizeof(int32_t) + n_places * sizeof(int16_t);
}

const struct rule *decoder_wire_rule(const tnm_decoder *decoder, uint64_t events_per_sample,
                                     bool always)
{
    if (!decoder || !decoder->is_frames || decoder->rule.is_voxel || !sparse_fits(&decoder->shape))
        return NULL;
    bool pays = sparse_bytes(decoder, events_per_sample) < events_per_sample * EVENT_BYTES;
    return pays || always ? &decoder->rule : NULL;
}
