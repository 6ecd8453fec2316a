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

enum {
    PIXELS = SENSOR_WIDTH * SENSOR_HEIGHT,
    BLOCK = 512, /* events unpacked at a time: columns and places stay in the L1 cache */
};

static const uint32_t NOWHERE = UINT32_MAX;

size_t frames_size(const struct frames_rule *rule)
{
    return (size_t)rule->bins * SENSOR_POLARITIES * PIXELS;
}

void frames_shape(const struct frames_rule *rule, uint64_t ret[FRAMES_DIMS])
{
    bool time_first = rule->axes == FRAMES_TCHW;
    uint64_t *chw = time_first ? ret + 1 : ret;
    ret[time_first ? 0 : FRAMES_DIMS - 1] = rule->bins;
    chw[0] = SENSOR_POLARITIES;
    chw[1] = SENSOR_HEIGHT;
    chw[2] = SENSOR_WIDTH;
}

struct layout {
    struct timestep step;
    bool round;
    uint32_t bins, bin_stride, place_stride;
};

static struct layout layout_of(const struct frames_rule *rule)
{
    bool time_first = rule->axes == FRAMES_TCHW;
    return (struct layout){
        .step = timestep_of(rule->timestep_us),
        .round = rule->binning == FRAMES_ROUND,
        .bins = rule->bins,
        .bin_stride = time_first ? SENSOR_POLARITIES * PIXELS : 1,
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
    const uint32_t bins = layout->bins;
    const uint32_t bin_stride = layout->bin_stride, place_stride = layout->place_stride;
    for (size_t i = 0; i < BLOCK; i++) {
        uint32_t bin = events->t_us[i], x = events->x[i], y = events->y[i];
        uint32_t place = (uint32_t)events->p[i] * PIXELS + y * SENSOR_WIDTH + x;
        uint32_t outside = (bin >= bins) | (x >= SENSOR_WIDTH) | (y >= SENSOR_HEIGHT);
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

__attribute__((always_inline)) static inline void fill_places(const uint32_t *places, size_t n,
                                                              bool count, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (places[i] == NOWHERE)
            continue;
        uint8_t *value = out + places[i];
        *value = count ? (uint8_t)(*value + (*value < UINT8_MAX)) : 1;
    }
}

/* Zeroing each bin only when its events come, so that memory passes through the cache once, was no
 * faster than zeroing all of it at once. */
void frames_fill(const struct frames_rule *rule, struct event_span events, uint8_t *out)
{
    struct layout layout = layout_of(rule);
    struct columns columns = {0};
    uint32_t places[BLOCK];

    memset(out, 0, frames_size(rule));
    for (size_t i = 0; i < events.n_events; i += BLOCK) {
        size_t left = events.n_events - i, n = left < BLOCK ? left : BLOCK;
        event_columns((struct event_span){events.bytes + i * EVENT_BYTES, n}, columns.t_us,
                      columns.x, columns.y, columns.p);
        timestep_count(layout.step, columns.t_us, n, layout.round);
        (cpu_level() >= CPU_AVX2 ? find_places_avx2 : find_places_portable)(&columns, &layout,
                                                                            places);
        if (rule->overlap == FRAMES_OR)
            fill_places(places, n, false, out);
        else
            fill_places(places, n, true, out);
    }
}
