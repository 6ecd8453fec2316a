/* SPDX-License-Identifier: Apache-2.0
 * What the events of a sample become, once they are cut (slices.h). */
#include "common/tensors.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const uint32_t NOWHERE = UINT32_MAX;

static uint32_t n_places(const struct tensor_shape *shape)
{
    return shape->channels * shape->geometry.height * shape->geometry.width;
}

static uint32_t place_of(const struct tensor_shape *shape, struct event event)
{
    const struct geometry *geometry = &shape->geometry;
    if (event.x >= geometry->width || event.y >= geometry->height)
        return NOWHERE;
    uint32_t channel = shape->channels > 1 ? event.p : 0;
    return (channel * geometry->height + event.y) * geometry->width + event.x;
}

static uint32_t place_at(const struct tensor_shape *shape, struct event_span events, uint32_t i)
{
    return place_of(shape, event_unpack(events.bytes + i * (size_t)EVENT_BYTES));
}

size_t dense_size(const struct tensor_shape *shape, uint32_t t, enum frames_values values)
{
    return (size_t)t * n_places(shape) * frames_value_size(values);
}

static void count(void *out, size_t at, enum frames_values values, bool once)
{
    uint8_t *u8 = (uint8_t *)out + at;
    uint16_t *u16 = (uint16_t *)out + at;
    float *f32 = (float *)out + at;
    switch (values) {
    case FRAMES_U8:
        *u8 = once ? 1 : (uint8_t)(*u8 + (*u8 < UINT8_MAX));
        break;
    case FRAMES_U16:
        *u16 = once ? 1 : (uint16_t)(*u16 + (*u16 < UINT16_MAX));
        break;
    case FRAMES_F32:
        *f32 = once ? 1.0F : *f32 + (*f32 < UINT16_MAX ? 1.0F : 0.0F);
        break;
    }
}

/* Frames that lie `frame_stride` values apart, places `place_stride`, into zeros. */
static void fill(const struct tensor_shape *shape, struct event_span events,
                 const struct slices *slices, size_t frame_stride, size_t place_stride,
                 enum frames_values values, void *out)
{
    for (uint32_t t = 0; t < slices->n; t++)
        for (uint32_t i = slices->at[t].begin; i < slices->at[t].end; i++) {
            uint32_t place = place_at(shape, events, i);
            if (place != NOWHERE)
                count(out, t * frame_stride + place * place_stride, values,
                      shape->overlap == FRAMES_OR);
        }
}

void dense_fill(const struct tensor_shape *shape, struct event_span events,
                const struct slices *slices, uint32_t t, enum frames_axes axes,
                enum frames_values values, void *out)
{
    assert(t >= slices->n);
    bool time_first = axes == FRAMES_TCHW;
    memset(out, 0, dense_size(shape, t, values));
    fill(shape, events, slices, time_first ? n_places(shape) : 1, time_first ? 1 : t, values, out);
}

void dense_fill_among(const struct tensor_shape *shape, struct event_span events,
                      const struct slices *slices, enum frames_values values, uint64_t i,
                      uint64_t n_samples, void *out)
{
    size_t frame = n_places(shape);
    fill(shape, events, slices, n_samples * frame, 1, values,
         (uint8_t *)out + i * frame * frames_value_size(values));
}

bool sparse_fits(const struct tensor_shape *shape)
{
    return n_places(shape) <= SPARSE_PLACES_MAX;
}

uint64_t sparse_most(const struct slices *slices)
{
    uint64_t n = 0;
    for (uint32_t t = 0; t < slices->n; t++)
        n += slices->at[t].end - slices->at[t].begin;
    return n;
}

uint64_t sparse_fill(const struct tensor_shape *shape, struct event_span events,
                     const struct slices *slices, int16_t *places, int32_t *counts)
{
    assert(sparse_fits(shape));
    uint64_t set[SPARSE_PLACES_MAX / 64] = {0};
    uint32_t times[SPARSE_PLACES_MAX];
    int16_t *at = places;
    for (uint32_t t = 0; t < slices->n; t++) {
        int16_t *frame = at;
        for (uint32_t i = slices->at[t].begin; i < slices->at[t].end; i++) {
            uint32_t place = place_at(shape, events, i);
            if (place == NOWHERE)
                continue;
            uint64_t bit = UINT64_C(1) << place % 64, *word = &set[place / 64];
            times[place] = *word & bit && shape->overlap == FRAMES_SUM ? times[place] + 1 : 1;
            *word |= bit;
        }
        for (uint32_t word = 0; word < (n_places(shape) + 63) / 64; word++)
            for (; set[word]; set[word] &= set[word] - 1) {
                uint32_t place = word * 64 + (uint32_t)__builtin_ctzll(set[word]);
                for (uint32_t n = times[place]; n > 0; n--)
                    *at++ = (int16_t)place;
            }
        counts[t] = (int32_t)(at - frame);
    }
    return (uint64_t)(at - places);
}

size_t bits_size(const struct tensor_shape *shape, uint32_t t)
{
    return ((size_t)t + 7) / 8 * n_places(shape);
}

void bits_fill(const struct tensor_shape *shape, struct event_span events,
               const struct slices *slices, uint32_t t, uint8_t *out)
{
    assert(t >= slices->n);
    memset(out, 0, bits_size(shape, t));
    for (uint32_t frame = 0; frame < slices->n; frame++)
        for (uint32_t i = slices->at[frame].begin; i < slices->at[frame].end; i++) {
            uint32_t place = place_at(shape, events, i);
            if (place != NOWHERE)
                out[(size_t)(frame / 8) * n_places(shape) + place] |= (uint8_t)(0x80 >> frame % 8);
        }
}

/* Where an event lies among the bins; what is behind the point is the next bin's share of it. */
static double bin_of(const struct event *event, uint32_t first_us, uint32_t span_us, uint32_t bins)
{
    return (double)bins * (double)(event->t_us - first_us) / (double)span_us;
}

int voxel_fill(const struct geometry *geometry, struct event_span events, uint32_t bins,
               double *out, struct error *why)
{
    const struct tensor_shape shape = {.geometry = *geometry, .channels = 1};
    const uint32_t frame = n_places(&shape);
    if (events.n_events == 0)
        return error_set(why, -EINVAL, "it has no events for a voxel grid");
    uint32_t first_us = event_unpack(events.bytes).t_us;
    uint32_t last_us = event_unpack(events.bytes + (events.n_events - 1) * EVENT_BYTES).t_us;
    if (last_us <= first_us)
        return error_set(why, -EINVAL,
                         "its last event, at %" PRIu32 " us, is not later than its first: there is "
                         "no time for a voxel grid",
                         last_us);
    memset(out, 0, (size_t)bins * frame * sizeof *out);
    for (uint32_t next = 0; next < 2; next++)
        for (size_t i = 0; i < events.n_events; i++) {
            struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
            uint32_t place = place_of(&shape, event);
            if (event.t_us < first_us || event.t_us > last_us || place == NOWHERE)
                continue;
            double exact = bin_of(&event, first_us, last_us - first_us, bins);
            uint32_t bin = (uint32_t)exact;
            double share = next ? exact - bin : 1.0 - (exact - bin);
            if (bin + next < bins)
                out[(size_t)(bin + next) * frame + place] += event.p ? share : -share;
        }
    return 0;
}
