/* SPDX-License-Identifier: Apache-2.0
 * Dense frames from events. */
#include "common/frames.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/cpu.h"
#include "common/event_codec.h"
#include "common/timestep.h"

static_assert((int)FRAMES_TIMESTEP_MAX_US <= (int)TIMESTEP_MAX_US,
              "timesteps that can be divided by");

enum { BLOCK = 512 }; /* events unpacked at a time: columns and places stay in the L1 cache */

static const uint32_t NOWHERE = UINT32_MAX;

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
    uint32_t width, height, pixels;
    uint32_t first_bin, bins, bin_stride, place_stride;
};

static struct layout layout_of(const struct frames_rule *rule)
{
    bool time_first = rule->axes == FRAMES_TCHW;
    return (struct layout){
        .step = timestep_of(rule->timestep_us),
        .round = rule->binning == FRAMES_ROUND,
        .width = rule->geometry.width,
        .height = rule->geometry.height,
        .pixels = n_pixels(rule),
        .bins = rule->bins,
        .bin_stride = time_first ? n_places(rule) : 1,
        .place_stride = time_first ? 1 : rule->bins,
    };
}

struct columns {
    uint32_t t_us[BLOCK]; /* then the bin */
    uint8_t x[BLOCK], y[BLOCK], p[BLOCK];
};

/* Where in the tensor each event belongs. Whole blocks only, and nothing that depends on the data:
 * the compiler makes vector code of it. */
__attribute__((always_inline)) static inline void
find_places(const struct columns *events, const struct layout *layout, uint32_t *restrict ret)
{
    const uint32_t first_bin = layout->first_bin, bins = layout->bins;
    const uint32_t bin_stride = layout->bin_stride, place_stride = layout->place_stride;
    const uint32_t width = layout->width, height = layout->height, pixels = layout->pixels;
    for (size_t i = 0; i < BLOCK; i++) {
        uint32_t bin = events->t_us[i] - first_bin, x = events->x[i], y = events->y[i];
        uint32_t place = (uint32_t)events->p[i] * pixels + y * width + x;
        uint32_t outside = (bin >= bins) | (x >= width) | (y >= height);
        ret[i] = (bin * bin_stride + place * place_stride) | -outside;
    }
}

static void find_places_portable(const struct columns *events, const struct layout *layout,
                                 uint32_t *restrict ret)
{
    find_places(events, layout, ret);
}

#if CPU_X86
__attribute__((target("avx2"))) static void
find_places_avx2(const struct columns *events, const struct layout *layout, uint32_t *restrict ret)
{
    find_places(events, layout, ret);
}
#else
#define find_places_avx2 find_places_portable
#endif

/* A count of each type, up to the largest; 1 once there is one. */
#define FILLERS(name, type, most)                                                \
    static void fill_or_##name(const uint32_t *places, size_t n, void *out)      \
    {                                                                            \
        for (size_t i = 0; i < n; i++)                                           \
            if (places[i] != NOWHERE)                                            \
                ((type *)out)[places[i]] = 1;                                    \
    }                                                                            \
    static void fill_sum_##name(const uint32_t *places, size_t n, void *out)     \
    {                                                                            \
        for (size_t i = 0; i < n; i++)                                           \
            if (places[i] != NOWHERE) {                                          \
                type *value = (type *)out + places[i];                           \
                *value = (type)(*value + (*value < (most) ? (type)1 : (type)0)); \
            }                                                                    \
    }

FILLERS(u8, uint8_t, UINT8_MAX)
FILLERS(u16, uint16_t, UINT16_MAX)
FILLERS(f32, float, UINT8_MAX)

static void (*const fillers[][3])(const uint32_t *places, size_t n, void *out) = {
    [FRAMES_OR] =
        {[FRAMES_U8] = fill_or_u8, [FRAMES_F32] = fill_or_f32, [FRAMES_U16] = fill_or_u16},
    [FRAMES_SUM] =
        {[FRAMES_U8] = fill_sum_u8, [FRAMES_F32] = fill_sum_f32, [FRAMES_U16] = fill_sum_u16},
};

static void fill(const struct frames_rule *rule, const struct layout *layout,
                 struct event_span events, void *out)
{
    struct columns columns = {0};
    uint32_t places[BLOCK];
    for (size_t i = 0; i < events.n_events; i += BLOCK) {
        size_t left = events.n_events - i, n = left < BLOCK ? left : BLOCK;
        event_columns((struct event_span){events.bytes + i * EVENT_BYTES, n}, columns.t_us,
                      columns.x, columns.y, columns.p);
        timestep_count(layout->step, columns.t_us, n, layout->round);
        (cpu_level() >= CPU_AVX2 ? find_places_avx2 : find_places_portable)(&columns, layout,
                                                                            places);
        fillers[rule->overlap][rule->values](places, n, out);
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
    assert(stride <= NOWHERE);
    uint32_t window = (uint32_t)(NOWHERE / stride);
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
