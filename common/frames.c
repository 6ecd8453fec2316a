/* SPDX-License-Identifier: Apache-2.0
 * Dense frames from events. */
#include "common/frames.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/counting.h"
#include "common/cpu.h"
#include "common/places.h"
#include "common/timestep.h"

static_assert((int)FRAMES_TIMESTEP_MAX_US <= (int)TIMESTEP_MAX_US,
              "timesteps that can be divided by");

size_t frames_value_size(enum frames_values values)
{
    static const size_t sizes[] = {[FRAMES_U8] = sizeof(uint8_t),
                                   [FRAMES_F32] = sizeof(float),
                                   [FRAMES_U16] = sizeof(uint16_t)};
    return sizes[values];
}

static uint32_t n_pixels(const struct frames_rule *rule)
{
    assert(rule->geometry.width > 0 && rule->geometry.height > 0);
    return rule->geometry.width * rule->geometry.height;
}

static uint32_t n_places(const struct frames_rule *rule)
{
    return SENSOR_POLARITIES * n_pixels(rule);
}

size_t frames_size(const struct frames_rule *rule)
{
    return (size_t)rule->bins * n_places(rule) * frames_value_size(rule->values);
}

void frames_shape(const struct frames_rule *rule, uint64_t ret[FRAMES_DIMS])
{
    bool time_first = rule->axes == FRAMES_TCHW;
    uint64_t *chw = time_first ? ret + 1 : ret;
    ret[time_first ? 0 : FRAMES_DIMS - 1] = rule->bins;
    chw[0] = SENSOR_POLARITIES;
    chw[1] = rule->geometry.height;
    chw[2] = rule->geometry.width;
}

/* Bins first_bin … first_bin + bins, and how many values lie between neighbours. */
struct layout {
    struct timestep step;
    bool round;
    struct place_rule places;
    uint32_t first_bin, bins, bin_stride, place_stride;
};

static struct layout layout_of(const struct frames_rule *rule)
{
    bool time_first = rule->axes == FRAMES_TCHW;
    return (struct layout){
        .step = timestep_of(rule->timestep_us),
        .round = rule->binning == FRAMES_ROUND,
        .places = place_rule_of(&rule->geometry, SENSOR_POLARITIES),
        .bins = rule->bins,
        .bin_stride = time_first ? n_places(rule) : 1,
        .place_stride = time_first ? 1 : rule->bins,
    };
}

/* Where in the tensor each event belongs, instead of its place. Whole blocks only, and nothing that
 * depends on the data: the compiler makes vector code of it. */
__attribute__((always_inline)) static inline void
find_values(const uint32_t *restrict bins, const struct layout *layout, uint32_t *restrict places)
{
    const uint32_t first_bin = layout->first_bin, n_bins = layout->bins;
    const uint32_t bin_stride = layout->bin_stride, place_stride = layout->place_stride;
    for (size_t i = 0; i < PLACES_BLOCK; i++) {
        uint32_t bin = bins[i] - first_bin, place = places[i];
        uint32_t outside = (bin >= n_bins) | (place == PLACE_NOWHERE);
        places[i] = (bin * bin_stride + place * place_stride) | -outside;
    }
}

static void find_values_portable(const uint32_t *restrict bins, const struct layout *layout,
                                 uint32_t *restrict places)
{
    find_values(bins, layout, places);
}

#if CPU_X86
__attribute__((target("avx2"))) static void find_values_avx2(const uint32_t *restrict bins,
                                                             const struct layout *layout,
                                                             uint32_t *restrict places)
{
    find_values(bins, layout, places);
}

__attribute__((target("avx512bw,avx512vl"))) static void
find_values_avx512(const uint32_t *restrict bins, const struct layout *layout,
                   uint32_t *restrict places)
{
    find_values(bins, layout, places);
}
#else
#define find_values_avx2   find_values_portable
#define find_values_avx512 find_values_portable
#endif

static void (*const value_finders[CPU_LEVELS])(const uint32_t *restrict bins,
                                               const struct layout *layout,
                                               uint32_t *restrict places) = {
    [CPU_PORTABLE] = find_values_portable,
    [CPU_AVX2] = find_values_avx2,
    [CPU_AVX512] = find_values_avx512,
};

/* Counts of F32 stop where those of U8 do. */
static uint32_t most_of(enum frames_values values)
{
    return values == FRAMES_U16 ? UINT16_MAX : UINT8_MAX;
}

static void fill(const struct frames_rule *rule, const struct layout *layout,
                 struct event_span events, void *out)
{
    counting *count = counting_of(rule->overlap, rule->values);
    uint32_t bins[PLACES_BLOCK] = {0}, places[PLACES_BLOCK];
    for (size_t i = 0; i < events.n_events; i += PLACES_BLOCK) {
        size_t left = events.n_events - i, n = left < PLACES_BLOCK ? left : PLACES_BLOCK;
        places_find(&layout->places, (struct event_span){events.bytes + i * EVENT_BYTES, n}, bins,
                    places);
        timestep_count(layout->step, bins, n, layout->round);
        value_finders[cpu_level()](bins, layout, places);
        count(places, n, most_of(rule->values), out);
    }
}

/* Zeroing each bin only when its events come, so that memory passes through the cache once, was no
 * faster than zeroing all of it at once. */
void frames_fill(const struct frames_rule *rule, struct event_span events, void *out)
{
    struct layout layout = layout_of(rule);
    memset(out, 0, frames_size(rule));
    fill(rule, &layout, events, out);
}

/* Places are counted in 32 bits: of a larger tensor, some bins at a time. */
void frames_fill_among(const struct frames_rule *rule, struct event_span events, uint64_t i,
                       uint64_t n_samples, void *out)
{
    uint64_t stride = n_samples * n_places(rule);
    assert(stride <= PLACE_NOWHERE);
    uint32_t window = (uint32_t)(PLACE_NOWHERE / stride);
    struct layout layout = layout_of(rule);
    layout.bin_stride = (uint32_t)stride;
    layout.place_stride = 1;
    for (uint32_t first = 0; first < rule->bins; first += layout.bins) {
        layout.first_bin = first;
        layout.bins = rule->bins - first < window ? rule->bins - first : window;
        fill(rule, &layout, events,
             (uint8_t *)out +
                 (first * stride + i * n_places(rule)) * frames_value_size(rule->values));
    }
}
