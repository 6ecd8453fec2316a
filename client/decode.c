/* SPDX-License-Identifier: Apache-2.0
 * Packed events to columns and to structured items: vector code chosen at run time, with a portable
 * twin. */
#include "client/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/event.h"

enum field { FIELD_X, FIELD_Y, FIELD_T, FIELD_P };
static const char field_names[] = "xytp";

int decode_layout_check(const struct decode_layout *layout, struct error *why)
{
    uint64_t taken = 0;
    if (layout->item_size < 1 || layout->item_size > DECODE_MAX_ITEM)
        return error_set(why, -EINVAL, "items of %u bytes; there have to be 1 to %d",
                         layout->item_size, DECODE_MAX_ITEM);
    for (int i = 0; i < DECODE_FIELDS; i++) {
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

void decode_columns_portable(const uint8_t *events, size_t n_events, struct decode_columns out)
{
    for (size_t i = 0; i < n_events; i++) {
        struct event event = event_unpack(events + i * EVENT_BYTES);
        memcpy(out.t + i * sizeof event.t_us, &event.t_us, sizeof event.t_us);
        out.x[i] = event.x;
        out.y[i] = event.y;
        out.p[i] = event.p;
    }
}

void decode_structured_portable(const struct decode_layout *layout, const uint8_t *events,
                                size_t n_events, uint8_t *out)
{
    for (size_t i = 0; i < n_events; i++, out += layout->item_size) {
        struct event event = event_unpack(events + i * EVENT_BYTES);
        uint64_t values[DECODE_FIELDS] = {event.x, event.y, event.t_us, event.p};
        memset(out, 0, layout->item_size);
        for (int f = 0; f < DECODE_FIELDS; f++)
            memcpy(out + layout->at[f], &values[f], layout->width[f]);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { ZERO = -128 }; /* in a shuffle: this byte becomes 0 */

/* x, y, p and three bytes of t of four packed events, out of two loads that overlap. */
struct quad {
    __m128i t;   /* 4 × u32 */
    __m128i xyp; /* x x x x y y y y p p p p, p in its top bit */
};

__attribute__((target("ssse3"))) static inline struct quad read_quad(const uint8_t *at)
{
    const __m128i t_low =
        _mm_setr_epi8(4, 3, 2, ZERO, 9, 8, 7, ZERO, 14, 13, 12, ZERO, ZERO, ZERO, ZERO, ZERO);
    const __m128i t_high = _mm_setr_epi8(ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO,
                                         ZERO, ZERO, 15, 14, 13, ZERO);
    const __m128i xyp_low =
        _mm_setr_epi8(0, 5, 10, 15, 1, 6, 11, ZERO, 2, 7, 12, ZERO, ZERO, ZERO, ZERO, ZERO);
    const __m128i xyp_high = _mm_setr_epi8(ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, 12, ZERO, ZERO,
                                           ZERO, 13, ZERO, ZERO, ZERO, ZERO);
    __m128i low = _mm_loadu_si128((const __m128i *)at);
    __m128i high = _mm_loadu_si128((const __m128i *)(at + 4)); /* the fourth ends with it */
    __m128i t = _mm_or_si128(_mm_shuffle_epi8(low, t_low), _mm_shuffle_epi8(high, t_high));
    return (struct quad){
        .t = _mm_and_si128(t, _mm_set1_epi32(EVENT_T_MAX)),
        .xyp = _mm_or_si128(_mm_shuffle_epi8(low, xyp_low), _mm_shuffle_epi8(high, xyp_high)),
    };
}

__attribute__((target("ssse3"))) static void columns_ssse3(const uint8_t *events, size_t n_events,
                                                           struct decode_columns out)
{
    const __m128i one = _mm_set1_epi8(1);
    size_t i = 0;
    for (; i + 16 <= n_events; i += 16) {
        __m128i xyp[4];
        for (size_t q = 0; q < 4; q++) {
            struct quad quad = read_quad(events + (i + 4 * q) * EVENT_BYTES);
            _mm_storeu_si128((__m128i *)(out.t + (i + 4 * q) * 4), quad.t);
            xyp[q] = quad.xyp;
        }
        /* transpose the 4 × 4 words */
        __m128i xy01 = _mm_unpacklo_epi32(xyp[0], xyp[1]),
                xy23 = _mm_unpacklo_epi32(xyp[2], xyp[3]);
        __m128i p01 = _mm_unpackhi_epi32(xyp[0], xyp[1]), p23 = _mm_unpackhi_epi32(xyp[2], xyp[3]);
        __m128i p = _mm_unpacklo_epi64(p01, p23);
        _mm_storeu_si128((__m128i *)(out.x + i), _mm_unpacklo_epi64(xy01, xy23));
        _mm_storeu_si128((__m128i *)(out.y + i), _mm_unpackhi_epi64(xy01, xy23));
        _mm_storeu_si128((__m128i *)(out.p + i), _mm_and_si128(_mm_srli_epi16(p, 7), one));
    }
    struct decode_columns rest = {out.t + i * 4, out.x + i, out.y + i, out.p + i};
    decode_columns_portable(events + i * EVENT_BYTES, n_events - i, rest);
}

enum { LANE = 16 };

/* Where each byte of an item comes from, in a vector that holds x, y, t (big-endian) and, at byte
 * 8, p. */
static void make_shuffle(const struct decode_layout *layout, int8_t ret[DECODE_MAX_ITEM])
{
    static const struct {
        int8_t from[3];
        uint32_t n;
    } sources[DECODE_FIELDS] = {{{0}, 1}, {{1}, 1}, {{4, 3, 2}, 3}, {{8}, 1}};
    memset(ret, ZERO, DECODE_MAX_ITEM);
    for (int f = 0; f < DECODE_FIELDS; f++)
        for (uint32_t i = 0; i < sources[f].n; i++)
            ret[layout->at[f] + i] = sources[f].from[i];
}

/* Whole vectors are stored, over the beginning of the next item, which is written after; the last
 * items, behind which there may be nothing, are left to the portable code. */
__attribute__((target("ssse3"))) static void structured_ssse3(const struct decode_layout *layout,
                                                              const uint8_t *events,
                                                              size_t n_events, uint8_t *out)
{
    int8_t bytes[DECODE_MAX_ITEM];
    __m128i shuffles[DECODE_MAX_ITEM / LANE];
    make_shuffle(layout, bytes);
    for (int l = 0; l < DECODE_MAX_ITEM / LANE; l++)
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
    decode_structured_portable(layout, events + i * EVENT_BYTES, n_events - i, out);
}

void decode_columns(const uint8_t *events, size_t n_events, struct decode_columns out)
{
    if (__builtin_cpu_supports("ssse3"))
        columns_ssse3(events, n_events, out);
    else
        decode_columns_portable(events, n_events, out);
}

void decode_structured(const struct decode_layout *layout, const uint8_t *events, size_t n_events,
                       uint8_t *out)
{
    if (__builtin_cpu_supports("ssse3"))
        structured_ssse3(layout, events, n_events, out);
    else
        decode_structured_portable(layout, events, n_events, out);
}
#else
void decode_columns(const uint8_t *events, size_t n_events, struct decode_columns out)
{
    decode_columns_portable(events, n_events, out);
}

void decode_structured(const struct decode_layout *layout, const uint8_t *events, size_t n_events,
                       uint8_t *out)
{
    decode_structured_portable(layout, events, n_events, out);
}
#endif
