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
    BLOCK = 512,            /* events unpacked at a time: columns and places stay in the L1 cache */
    WIPED = 8 * 2 * PIXELS, /* bytes zeroed at a time: eight bins, still in the cache when filled */
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

/* The tensor, zeroed just before it is filled while events come in order of time, so that its
 * memory passes through the cache once. Whatever lies before `wiped` is zeroed. */
struct canvas {
    uint8_t *bytes;
    size_t size, wiped;
};

static void wipe_to(struct canvas *canvas, size_t end)
{
    end = end < canvas->size ? end : canvas->size;
    if (end > canvas->wiped) {
        memset(canvas->bytes + canvas->wiped, 0, end - canvas->wiped);
        canvas->wiped = end;
    }
}

/* `bytes` and `wiped` are copies because the compiler must expect a store of a byte to change what
 * `canvas` points to. */
__attribute__((always_inline)) static inline void
fill_places(struct canvas *canvas, const uint32_t *places, size_t n, bool count)
{
    uint8_t *bytes = canvas->bytes;
    size_t wiped = canvas->wiped;
    for (size_t i = 0; i < n; i++) {
        size_t place = places[i];
        if (place >= wiped) {
            if (place == NOWHERE)
                continue;
            wipe_to(canvas, place + WIPED);
            wiped = canvas->wiped;
        }
        bytes[place] = count ? (uint8_t)(bytes[place] + (bytes[place] < UINT8_MAX)) : 1;
    }
}

void frames_fill(const struct frames_rule *rule, struct event_span events, uint8_t *out)
{
    struct layout layout = layout_of(rule);
    struct canvas canvas = {.bytes = out, .size = frames_size(rule)};
    struct columns columns = {0};
    uint32_t places[BLOCK];

    if (rule->axes == FRAMES_CHWT)
        wipe_to(&canvas, canvas.size);
    for (size_t i = 0; i < events.n_events; i += BLOCK) {
        size_t left = events.n_events - i, n = left < BLOCK ? left : BLOCK;
        event_columns((struct event_span){events.bytes + i * EVENT_BYTES, n}, columns.t_us,
                      columns.x, columns.y, columns.p);
        timestep_count(layout.step, columns.t_us, n, layout.round);
        (cpu_level() >= CPU_AVX2 ? find_places_avx2 : find_places_portable)(&columns, &layout,
                                                                            places);
        if (rule->overlap == FRAMES_OR)
            fill_places(&canvas, places, n, false);
        else
            fill_places(&canvas, places, n, true);
    }
    wipe_to(&canvas, canvas.size);
}
