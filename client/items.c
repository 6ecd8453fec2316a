/* SPDX-License-Identifier: Apache-2.0
 * Packed events to columns and to structured items, by the vector code that common/cpu.h allows. */
#include "client/items.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/cpu.h"
#include "common/event.h"
#include "common/event_codec.h"

enum field { FIELD_X, FIELD_Y, FIELD_T, FIELD_P };
static const char field_names[] = "xytp";

int items_layout_check(const struct items_layout *layout, struct error *why)
{
    uint64_t taken = 0;
    if (layout->item_size < 1 || layout->item_size > ITEMS_MAX_ITEM)
        return error_set(why, -EINVAL, "items of %u bytes; there have to be 1 to %d",
                         layout->item_size, ITEMS_MAX_ITEM);
    for (int i = 0; i < ITEMS_FIELDS; i++) {
        uint32_t at = layout->at[i], width = layout->width[i];
        bool is_width = width == 4 || width == 8 || (i != FIELD_T && (width == 1 || width == 2));
        if (!is_width)
            return error_set(why, -EINVAL, "field %c has a width of %u bytes", field_names[i],
                             width);
        if (width > layout->item_size || at > layout->item_size - width)
            return error_set(why, -EINVAL, "field %c at byte %u is outside the item of %u bytes",
                             field_names[i], at, layout->item_size);
        uint64_t bits = ((1ull << width) - 1) << at;
        if (taken & bits)
            return error_set(why, -EINVAL, "field %c lies upon another", field_names[i]);
        taken |= bits;
    }
    return 0;
}

static void columns_portable(const uint8_t *events, size_t n_events, struct items_columns out)
{
    for (size_t i = 0; i < n_events; i++) {
        struct event event = event_unpack(events + i * EVENT_BYTES);
        memcpy(out.t + i * sizeof event.t_us, &event.t_us, sizeof event.t_us);
        out.x[i] = event.x;
        out.y[i] = event.y;
        out.p[i] = event.p;
    }
}

static void structured_portable(const struct items_layout *layout, const uint8_t *events,
                                size_t n_events, uint8_t *out)
{
    for (size_t i = 0; i < n_events; i++, out += layout->item_size) {
        struct event event = event_unpack(events + i * EVENT_BYTES);
        uint64_t values[ITEMS_FIELDS] = {event.x, event.y, event.t_us, event.p};
        memset(out, 0, layout->item_size);
        for (int f = 0; f < ITEMS_FIELDS; f++)
            memcpy(out + layout->at[f], &values[f], layout->width[f]);
    }
}

void items_columns(const uint8_t *events, size_t n_events, struct items_columns out)
{
    if ((uintptr_t)out.t % _Alignof(uint32_t) == 0)
        event_columns((struct event_span){events, n_events}, (uint32_t *)(void *)out.t, out.x,
                      out.y, out.p);
    else
        columns_portable(events, n_events, out);
}

#if CPU_X86
#include <immintrin.h>

enum { ZERO = -128 }; /* in a shuffle: this byte becomes 0 */

enum { LANE = 16 };

/* Where each byte of an item comes from, in a vector that holds x, y, t (big-endian) and, at byte
 * 8, p. */
static void make_shuffle(const struct items_layout *layout, int8_t ret[ITEMS_MAX_ITEM])
{
    static const struct {
        int8_t from[3];
        uint32_t n;
    } sources[ITEMS_FIELDS] = {{{0}, 1}, {{1}, 1}, {{4, 3, 2}, 3}, {{8}, 1}};
    memset(ret, ZERO, ITEMS_MAX_ITEM);
    for (int f = 0; f < ITEMS_FIELDS; f++)
        for (uint32_t i = 0; i < sources[f].n; i++)
            ret[layout->at[f] + i] = sources[f].from[i];
}

/* Whole vectors are stored, over the beginning of the next item, which is written after; the last
 * items, behind which there may be nothing, are left to the portable code. */
__attribute__((target("ssse3"))) static void structured_ssse3(const struct items_layout *layout,
                                                              const uint8_t *events,
                                                              size_t n_events, uint8_t *out)
{
    int8_t bytes[ITEMS_MAX_ITEM];
    __m128i shuffles[ITEMS_MAX_ITEM / LANE];
    make_shuffle(layout, bytes);
    for (int l = 0; l < ITEMS_MAX_ITEM / LANE; l++)
        shuffles[l] = _mm_loadu_si128((const __m128i *)(bytes + l * LANE));

    size_t n_lanes = (layout->item_size + LANE - 1) / LANE;
    size_t n_last = (LANE + layout->item_size - 1) / layout->item_size;
    size_t i = 0;
    for (; i + n_last < n_events; i++, out += layout->item_size) {
        uint64_t word;
        memcpy(&word, events + i * EVENT_BYTES, sizeof word);
        __m128i event = _mm_set_epi64x((long long)(word >> 23 & 1), /* p, above t's top byte */
                                       (long long)(word & ~(1ull << 23)));
        for (size_t l = 0; l < n_lanes; l++)
            _mm_storeu_si128((__m128i *)(out + l * LANE), _mm_shuffle_epi8(event, shuffles[l]));
    }
    structured_portable(layout, events + i * EVENT_BYTES, n_events - i, out);
}

void items_structured(const struct items_layout *layout, const uint8_t *events, size_t n_events,
                      uint8_t *out)
{
    if (cpu_level() >= CPU_AVX2) /* which has SSSE3 too */
        structured_ssse3(layout, events, n_events, out);
    else
        structured_portable(layout, events, n_events, out);
}
#else
void items_structured(const struct items_layout *layout, const uint8_t *events, size_t n_events,
                      uint8_t *out)
{
    structured_portable(layout, events, n_events, out);
}
#endif
