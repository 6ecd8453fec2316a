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

enum { STEP = 32 }; /* places that are looked at together */
_Static_assert((int)STEP <= (int)PLACES_SLACK, "places behind the last are read");

static uint32_t n_places(const struct tensor_shape *shape)
{
    return shape->channels * shape->geometry.height * shape->geometry.width;
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
    struct places places;
    uint32_t list[2 * LIST + STEP], n_listed = 0;
    places_open(&places, &shape->geometry, shape->channels, events);
    for (uint32_t t = first; t < end; t++) {
        const struct slice_run *run = &slices->at[t];
        uint32_t offset = (t - first) / 8 * strides.eight + (t - first) % 8 * strides.one;
        for (uint32_t i = run->begin, n; i < run->end; i += n) {
            const uint32_t *at = places_at(&places, i, run->end, &n);
            list_append(at, n, strides.place, offset, list + n_listed);
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
    assert(stride <=
           PLACE_NOWHERE); /* where eight of them are more, no eight are counted at once */
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

/* Where a time lies among the bins; what is behind the point is the next one's share. */
static double bin_of(uint32_t t_us, uint32_t span_us, uint32_t bins)
{
    return (double)bins * (double)t_us / (double)span_us;
}

/* `next`: 0 for the shares of the bins themselves, 1 for those of the next ones. */
static void add_shares(const struct geometry *geometry, struct event_span events, uint32_t first_us,
                       uint32_t span_us, uint32_t bins, uint32_t next, double *out)
{
    const size_t frame = (size_t)geometry->width * geometry->height;
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        uint32_t t_us = event.t_us - first_us;
        if (t_us > span_us || event.x >= geometry->width || event.y >= geometry->height)
            continue;
        double exact = bin_of(t_us, span_us, bins);
        uint32_t bin = (uint32_t)exact;
        double share = next ? exact - bin : 1.0 - (exact - bin);
        if (bin + next < bins)
            out[(bin + next) * frame + event.y * geometry->width + event.x] +=
                event.p ? share : -share;
    }
}

int voxel_fill(const struct geometry *geometry, struct event_span events, uint32_t bins,
               double *out, struct error *why)
{
    if (events.n_events == 0)
        return error_set(why, -EINVAL, "it has no events for a voxel grid");
    uint32_t first_us = event_unpack(events.bytes).t_us;
    uint32_t last_us = event_unpack(events.bytes + (events.n_events - 1) * EVENT_BYTES).t_us;
    if (last_us <= first_us)
        return error_set(why, -EINVAL,
                         "its last event, at %" PRIu32 " us, is not later than its first: there is "
                         "no time for a voxel grid",
                         last_us);
    memset(out, 0, (size_t)bins * geometry->width * geometry->height * sizeof *out);
    add_shares(geometry, events, first_us, last_us - first_us, bins, 0, out);
    add_shares(geometry, events, first_us, last_us - first_us, bins, 1, out);
    return 0;
}
