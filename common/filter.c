/* SPDX-License-Identifier: Apache-2.0
 * Which events of a sample are kept, and where: one step behind the other, each in place. */
#include "common/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cpu.h"
#include "common/event_codec.h"

const struct filter filter_none = {
    .stabilize = false,
    .t0_us = 0,
    .t1_us = FILTER_T1_NONE,
    .denoise_us = 0,
    .merge_polarity = false,
};

bool filter_keeps_all(const struct filter *filter)
{
    return !filter->stabilize && filter->t0_us == 0 && filter->t1_us > EVENT_T_MAX &&
           filter->denoise_us == 0 && !filter->merge_polarity;
}

static struct event event_at(const uint8_t *events, size_t i)
{
    return event_unpack(events + i * EVENT_BYTES);
}

/* Where a pixel that was seen at x lies once the sensor's path is taken off: in steps of 1 /
 * 30,000, which hold every value of the path exactly. Tonic computes 4 + x - 3.5 t / 105e3, and so
 * on, in binary64, and rounds half to even. All halves are at multiples of 15,000 us, where its
 * quotients are exact, and anything else is a thirty-thousandth away from one: whole numbers come
 * to the same. */
enum { STEPS = 30000, HALF = STEPS / 2, SACCADE_US = 105000 };

enum { BLOCK = 256 }; /* events unpacked at a time: columns stay in the L1 cache */

struct columns {
    uint32_t t_us[BLOCK];
    uint8_t x[BLOCK], y[BLOCK], p[BLOCK];
    uint8_t is_inside[BLOCK];
};

/* Half to even. */
__attribute__((always_inline)) static inline uint8_t to_pixel(uint32_t steps)
{
    uint32_t up = (steps + HALF) / STEPS;
    return (uint8_t)(up - (up & (up * STEPS == steps + HALF)));
}

/* Whole blocks only, and nothing that depends on the data: the compiler makes vector code of it. */
__attribute__((always_inline)) static inline void take_off_path(const struct geometry *geometry,
                                                                struct columns *events)
{
    const uint32_t most_x = (geometry->width - 1) * STEPS, most_y = (geometry->height - 1) * STEPS;
    for (size_t i = 0; i < BLOCK; i++) {
        const uint32_t t_us = events->t_us[i];
        const bool is_second = t_us > SACCADE_US, is_third = t_us > 2 * SACCADE_US;
        uint32_t x = events->x[i] * (uint32_t)STEPS, y = events->y[i] * (uint32_t)STEPS;
        x += is_third ? 2 * t_us - 34 * HALF : 8 * HALF - t_us;
        y += is_third ? 4 * HALF : is_second ? 2 * t_us - 24 * HALF : 4 * HALF - 2 * t_us;
        events->is_inside[i] = (x <= most_x) & (y <= most_y);
        events->x[i] = to_pixel(x);
        events->y[i] = to_pixel(y);
    }
}

static void take_off_path_portable(const struct geometry *geometry, struct columns *events)
{
    take_off_path(geometry, events);
}

#if CPU_X86
__attribute__((target("avx2"))) static void take_off_path_avx2(const struct geometry *geometry,
                                                               struct columns *events)
{
    take_off_path(geometry, events);
}
#else
#define take_off_path_avx2 take_off_path_portable
#endif

static size_t stabilize(const struct geometry *geometry, const uint8_t *events, size_t n,
                        uint8_t *out)
{
    size_t n_kept = 0;
    struct columns columns;
    for (size_t begin = 0, n_block; begin < n; begin += n_block) {
        n_block = n - begin < BLOCK ? n - begin : BLOCK;
        event_columns((struct event_span){events + begin * EVENT_BYTES, n_block}, columns.t_us,
                      columns.x, columns.y, columns.p);
        (cpu_level() >= CPU_AVX2 ? take_off_path_avx2 : take_off_path_portable)(geometry, &columns);
        for (size_t i = 0; i < n_block; i++) {
            event_pack((struct event){columns.t_us[i], columns.x[i], columns.y[i], columns.p[i]},
                       out + n_kept * EVENT_BYTES);
            n_kept += columns.is_inside[i];
        }
    }
    return n_kept;
}

/* The first event at t_us or later. */
static size_t first_at(const uint8_t *events, size_t n, uint32_t t_us)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (event_at(events, middle).t_us < t_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t crop(const struct filter *filter, const uint8_t *events, size_t n, uint8_t *out)
{
    size_t begin = first_at(events, n, filter->t0_us), end = first_at(events, n, filter->t1_us);
    if (begin >= end)
        return 0;
    memmove(out, events + begin * EVENT_BYTES, (end - begin) * EVENT_BYTES);
    return end - begin;
}

/* A number for each pixel up to the largest x and y of the events, and for a border around them. */
struct pixels {
    uint32_t width, height; /* without the border */
    uint32_t stride;        /* of y */
    uint32_t *at;           /* of (-1, -1) */
};

static int pixels_new(const uint8_t *events, size_t n, struct pixels *ret)
{
    uint32_t width = 1, height = 1;
    for (size_t i = 0; i < n; i++) {
        struct event event = event_at(events, i);
        width = event.x < width ? width : event.x + 1u;
        height = event.y < height ? height : event.y + 1u;
    }
    uint32_t *at = calloc((size_t)(width + 2) * (height + 2), sizeof *at);
    if (!at)
        return -ENOMEM;
    *ret = (struct pixels){.width = width, .height = height, .stride = width + 2, .at = at};
    return 0;
}

static uint32_t *pixels_of(const struct pixels *pixels, struct event event)
{
    return pixels->at + (event.y + 1u) * pixels->stride + event.x + 1;
}

/* Each pixel says until when it vouches for its neighbours: at first as if it had had an event at
 * time 0; the border vouches for nobody. */
static int denoise(uint32_t us, const uint8_t *events, size_t n, uint8_t *out, size_t *ret_n)
{
    struct pixels until;
    int r = pixels_new(events, n, &until);
    if (r < 0)
        return r;
    us = us > EVENT_T_MAX ? EVENT_T_MAX + 1 : us;
    for (uint32_t y = 0; y < until.height; y++)
        for (uint32_t x = 0; x < until.width; x++)
            until.at[(y + 1) * until.stride + x + 1] = us;
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct event event = event_at(events, i);
        uint32_t *here = pixels_of(&until, event), t = event.t_us;
        *here = t + us;
        event_pack(event, out + n_kept * EVENT_BYTES);
        n_kept += (here[-1] > t) | (here[1] > t) | (here[-(ptrdiff_t)until.stride] > t) |
                  (here[until.stride] > t);
    }
    free(until.at);
    *ret_n = n_kept;
    return 0;
}

/* Each pixel says when it was seen last, counted from 1. */
static int merge_polarity(const uint8_t *events, size_t n, uint8_t *out, size_t *ret_n)
{
    struct pixels seen;
    int r = pixels_new(events, n, &seen);
    if (r < 0)
        return r;
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct event event = event_at(events, i);
        uint32_t *last = pixels_of(&seen, event), now = event.t_us + 1;
        event.p = 0;
        event_pack(event, out + n_kept * EVENT_BYTES);
        n_kept += *last != now;
        *last = now;
    }
    free(seen.at);
    *ret_n = n_kept;
    return 0;
}

int filter_events(const struct filter *filter, const struct geometry *geometry,
                  struct event_span events, uint8_t *out, size_t *ret_n)
{
    const uint8_t *from = events.bytes;
    size_t n = events.n_events;
    int r = 0;
    if (filter->stabilize) {
        n = stabilize(geometry, from, n, out);
        from = out;
    }
    n = crop(filter, from, n, out);
    if (filter->denoise_us > 0)
        r = denoise(filter->denoise_us, out, n, out, &n);
    if (r == 0 && filter->merge_polarity)
        r = merge_polarity(out, n, out, &n);
    if (r < 0)
        return r;
    *ret_n = n;
    return 0;
}
