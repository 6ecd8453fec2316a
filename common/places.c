/* SPDX-License-Identifier: Apache-2.0
 * Where events lie in a frame. */
#include "common/places.h"

#include <assert.h>
#include <string.h>

#include "common/cpu.h"
#include "common/event_codec.h"

struct place_rule place_rule_of(const struct geometry *geometry, uint32_t channels)
{
    assert(geometry->width > 0 && geometry->height > 0);
    return (struct place_rule){
        .width = geometry->width,
        .height = geometry->height,
        .channel = channels > 1 ? geometry->width * geometry->height : 0,
    };
}

struct columns {
    uint8_t x[PLACES_BLOCK], y[PLACES_BLOCK], p[PLACES_BLOCK];
};

/* Whole blocks only, and nothing that depends on the data: the compiler makes vector code of it. */
__attribute__((always_inline)) static inline void
find(const struct place_rule *rule, const struct columns *columns, uint32_t *restrict ret)
{
    const uint32_t width = rule->width, height = rule->height, channel = rule->channel;
    for (size_t i = 0; i < PLACES_BLOCK; i++) {
        uint32_t x = columns->x[i], y = columns->y[i];
        uint32_t outside = (x >= width) | (y >= height);
        ret[i] = (columns->p[i] * channel + y * width + x) | -outside;
    }
}

static void find_portable(const struct place_rule *rule, const struct columns *columns,
                          uint32_t *restrict ret)
{
    find(rule, columns, ret);
}

#if CPU_X86
__attribute__((target("avx2"))) static void
find_avx2(const struct place_rule *rule, const struct columns *columns, uint32_t *restrict ret)
{
    find(rule, columns, ret);
}

__attribute__((target("avx512bw,avx512vl"))) static void
find_avx512(const struct place_rule *rule, const struct columns *columns, uint32_t *restrict ret)
{
    find(rule, columns, ret);
}
#else
#define find_avx2   find_portable
#define find_avx512 find_portable
#endif

void places_find(const struct place_rule *rule, struct event_span events,
                 uint32_t t_us[PLACES_BLOCK], uint32_t ret[PLACES_BLOCK])
{
    static void (*const finders[CPU_LEVELS])(
        const struct place_rule *rule, const struct columns *columns, uint32_t *restrict ret) = {
        [CPU_PORTABLE] = find_portable, [CPU_AVX2] = find_avx2, [CPU_AVX512] = find_avx512};
    struct columns columns;
    event_columns(events, t_us, columns.x, columns.y, columns.p);
    finders[cpu_level()](rule, &columns, ret);
}

/* Not all of it: of a few KB nothing is read that was not written, but the slack. */
void places_open(struct places *places, const struct geometry *geometry, uint32_t channels,
                 struct event_span events)
{
    places->rule = place_rule_of(geometry, channels);
    places->events = events;
    places->begin = places->end = 0;
    memset(places->at + PLACES_BLOCK, 0, PLACES_SLACK * sizeof *places->at);
}

static void read_from(struct places *places, uint32_t begin)
{
    size_t left = places->events.n_events - begin, n = left < PLACES_BLOCK ? left : PLACES_BLOCK;
    places->begin = begin;
    places->end = begin + (uint32_t)n;
    places_find(&places->rule,
                (struct event_span){places->events.bytes + begin * (size_t)EVENT_BYTES, n},
                places->t_us, places->at);
}

const uint32_t *places_at(struct places *places, uint32_t begin, uint32_t end, uint32_t *ret_n)
{
    if (begin < places->begin || begin >= places->end)
        read_from(places, begin);
    *ret_n = (end < places->end ? end : places->end) - begin;
    return places->at + (begin - places->begin);
}

const uint32_t *places_run(struct places *places, uint32_t begin, uint32_t end)
{
    if (begin < places->begin || end > places->end)
        read_from(places, begin);
    return places->at + (begin - places->begin);
}
