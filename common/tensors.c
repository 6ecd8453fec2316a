/* SPDX-License-Identifier: Apache-2.0
 * What the events of a sample become, once they are cut (slices.h). */
#include "common/tensors.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/counting.h"
#include "common/cpu.h"
#include "common/places.h"

enum { STEP = 32 }; /* places that are looked at together, and may be read behind the last */

static uint32_t n_places(const struct tensor_shape *shape)
{
    return shape->channels * shape->geometry.height * shape->geometry.width;
}

/* The places of a block of events, found when one of them is asked for. */
struct window {
    struct place_rule rule;
    struct event_span events;
    uint32_t begin, end; /* the block */
    uint32_t t_us[PLACES_BLOCK], places[PLACES_BLOCK + STEP];
};

static void window_open(struct window *window, const struct tensor_shape *shape,
                        struct event_span events)
{
    window->rule = place_rule_of(&shape->geometry, shape->channels);
    window->events = events;
    window->begin = window->end = 0;
}

/* Places of events from `begin` on, as many of those before `end` as are in one block, *ret_n. */
static const uint32_t *window_at(struct window *window, uint32_t begin, uint32_t end,
                                 uint32_t *ret_n)
{
    if (begin < window->begin || begin >= window->end) {
        size_t left = window->events.n_events - begin;
        size_t n = left < PLACES_BLOCK ? left : PLACES_BLOCK;
        window->begin = begin;
        window->end = begin + (uint32_t)n;
        places_find(&window->rule,
                    (struct event_span){window->events.bytes + begin * (size_t)EVENT_BYTES, n},
                    window->t_us, window->places);
    }
    *ret_n = (end < window->end ? end : window->end) - begin;
    return window->places + (begin - window->begin);
}

/* Where a tensor has the value of a place in frame t: place · place + t / 8 · eight + t % 8 · one.
 */
struct strides {
    uint32_t place, eight, one;
};

enum { LIST = PLACES_BLOCK }; /* values that are counted at once, and so many more at most */

/* Without a branch for each event: some too many, which the next ones overwrite. */
__attribute__((always_inline)) static inline void list_append(const uint32_t *restrict places,
                                                              uint32_t n, uint32_t stride,
                                                              uint32_t offset,
                                                              uint32_t *restrict list)
{
    for (uint32_t i = 0; i < n; i += STEP, places += STEP, list += STEP)
        for (uint32_t j = 0; j < STEP; j++)
            list[j] = (places[j] * stride + offset) | -(uint32_t)(places[j] == PLACE_NOWHERE);
}

/* Frames first … end, of which the first begins at `out`. */
__attribute__((always_inline)) static inline void
count_frames(const struct tensor_shape *shape, struct event_span events,
             const struct slices *slices, uint32_t first, uint32_t end, struct strides strides,
             counting *count, uint32_t most, void *out)
{
    struct window window;
    uint32_t list[2 * LIST + STEP], n_listed = 0;
    window_open(&window, shape, events);
    for (uint32_t t = first; t < end; t++) {
        const struct slice_run *run = &slices->at[t];
        uint32_t offset = (t - first) / 8 * strides.eight + (t - first) % 8 * strides.one;
        for (uint32_t i = run->begin, n; i < run->end; i += n) {
            const uint32_t *places = window_at(&window, i, run->end, &n);
            list_append(places, n, strides.place, offset, list + n_listed);
            n_listed += n;
            if (n_listed >= LIST) {
                count(list, n_listed, most, out);
                n_listed = 0;
            }
        }
    }
    count(list, n_listed, most, out);
}

typedef void count_frames_at_level(const struct tensor_shape *shape, struct event_span events,
                                   const struct slices *slices, uint32_t first, uint32_t end,
                                   struct strides strides, counting *count, uint32_t most,
                                   void *out);

static void count_portable(const struct tensor_shape *shape, struct event_span events,
                           const struct slices *slices, uint32_t first, uint32_t end,
                           struct strides strides, counting *count, uint32_t most, void *out)
{
    count_frames(shape, events, slices, first, end, strides, count, most, out);
}

#if CPU_X86
__attribute__((target("avx2"))) static void count_avx2(const struct tensor_shape *shape,
                                                       struct event_span events,
                                                       const struct slices *slices, uint32_t first,
                                                       uint32_t end, struct strides strides,
                                                       counting *count, uint32_t most, void *out)
{
    count_frames(shape, events, slices, first, end, strides, count, most, out);
}

__attribute__((target("avx512bw,avx512vl"))) static void
count_avx512(const struct tensor_shape *shape, struct event_span events,
             const struct slices *slices, uint32_t first, uint32_t end, struct strides strides,
             counting *count, uint32_t most, void *out)
{
    count_frames(shape, events, slices, first, end, strides, count, most, out);
}
#else
#define count_avx2   count_portable
#define count_avx512 count_portable
#endif

static count_frames_at_level *at_level(void)
{
    static count_frames_at_level *const levels[CPU_LEVELS] = {
        [CPU_PORTABLE] = count_portable, [CPU_AVX2] = count_avx2, [CPU_AVX512] = count_avx512};
    return levels[cpu_level()];
}

size_t dense_size(const struct tensor_shape *shape, uint32_t t, enum frames_values values)
{
    return (size_t)t * n_places(shape) * frames_value_size(values);
}

/* Where a count stops. */
static uint32_t most_of(enum frames_values values)
{
    return values == FRAMES_U8 ? UINT8_MAX : UINT16_MAX;
}

void dense_fill(const struct tensor_shape *shape, struct event_span events,
                const struct slices *slices, uint32_t t, enum frames_axes axes,
                enum frames_values values, void *out)
{
    assert(t >= slices->n);
    uint32_t frame = axes == FRAMES_TCHW ? n_places(shape) : 1;
    struct strides strides = {
        .place = axes == FRAMES_TCHW ? 1 : t, .eight = 8 * frame, .one = frame};
    memset(out, 0, dense_size(shape, t, values));
    at_level()(shape, events, slices, 0, slices->n, strides, counting_of(shape->overlap, values),
               most_of(values), out);
}

/* Values are counted in 32 bits: of a larger tensor, some frames at a time. */
void dense_fill_among(const struct tensor_shape *shape, struct event_span events,
                      const struct slices *slices, enum frames_values values, uint64_t i,
                      uint64_t n_samples, void *out)
{
    const uint64_t frame = n_places(shape), stride = n_samples * frame;
    assert(stride < PLACE_NOWHERE / 8);
    const uint32_t most_frames = (uint32_t)(PLACE_NOWHERE / stride);
    const struct strides strides = {
        .place = 1, .eight = 8 * (uint32_t)stride, .one = (uint32_t)stride};
    for (uint32_t first = 0, end; first < slices->n; first = end) {
        end = slices->n - first < most_frames ? slices->n : first + most_frames;
        at_level()(shape, events, slices, first, end, strides, counting_of(shape->overlap, values),
                   most_of(values),
                   (uint8_t *)out + (first * stride + i * frame) * frames_value_size(values));
    }
}

static const uint32_t NOWHERE = UINT32_MAX;

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
    const uint32_t places = n_places(shape);
    const struct strides strides = {.place = 8, .eight = 8 * places, .one = 1};
    memset(out, 0, bits_size(shape, t));
    at_level()(shape, events, slices, 0, slices->n, strides, counting_bits, 1, out);
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
