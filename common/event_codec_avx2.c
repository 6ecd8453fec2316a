/* SPDX-License-Identifier: Apache-2.0
 * AVX2 kernels: eight events, 40 bytes, at a time.
 *
 * A byte shuffle stays within 16 bytes, so each 16-byte lane takes two events. The four loads of a
 * block begin at its bytes 0, 10, 20 and 24: the last one further left than its events need, so
 * that no byte behind the block is read. */
#include "common/event_kernels.h"

#if CPU_X86
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/event_codec.h"
#include "common/key.h"

#define AVX2        __attribute__((target("avx2")))
#define AVX2_INLINE AVX2 __attribute__((always_inline)) static inline

enum { BLOCK = 8, BLOCK_BYTES = BLOCK * EVENT_BYTES, LANE_LAST = 24 };

/* Where the two events of a lane begin; those of the last lane lie 6 bytes further. */
#define Z                 -1
#define PAIR(f)           f(0), f(5)
#define PAIR_LAST(f)      f(6), f(11)
#define PAIR_BACK(f)      f(5), f(0)
#define PAIR_BACK_LAST(f) f(11), f(6)

#define KEY_FROM(o)    (o), (o) + 1, Z, Z, Z, (o) + 4, (o) + 3, (o) + 2
#define STRUCT_FROM(o) (o) + 4, (o) + 3, (o) + 2, Z, (o), (o) + 1, (o) + 2, Z
#define FIELDS_FROM(o) (o), (o) + 1, (o) + 4, (o) + 3, (o) + 2, Z, (o) + 2

AVX2_INLINE __m256i ones64(uint64_t value)
{
    return _mm256_set1_epi64x((long long)value);
}

AVX2_INLINE __m128i load16(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i_u *)bytes);
}

AVX2_INLINE __m256i load_lanes(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load16(low)), load16(high), 1);
}

AVX2_INLINE void store32(void *at, __m256i value)
{
    _mm256_storeu_si256((__m256i_u *)at, value);
}

/* The polarity comes along in the time's top bit, bit 63 of the key: move it to its place. */
AVX2_INLINE __m256i key_place_polarity(__m256i shuffled)
{
    __m256i p = _mm256_srli_epi64(shuffled, 63 - KEY_P_SHIFT);
    return _mm256_or_si256(_mm256_and_si256(shuffled, ones64(KEY_T | 0xffff)),
                           _mm256_and_si256(p, ones64(1u << KEY_P_SHIFT)));
}

AVX2 static size_t keys(struct event_span events, uint32_t seq, uint64_t *ret)
{
    const __m256i front = _mm256_setr_epi8(PAIR(KEY_FROM), PAIR(KEY_FROM));
    const __m256i back = _mm256_setr_epi8(PAIR(KEY_FROM), PAIR_LAST(KEY_FROM));
    const __m256i step = ones64(BLOCK / 2 * KEY_SEQ_ONE);
    __m256i number =
        _mm256_add_epi64(ones64(seq * KEY_SEQ_ONE),
                         _mm256_setr_epi64x(0, KEY_SEQ_ONE, 2 * KEY_SEQ_ONE, 3 * KEY_SEQ_ONE));
    size_t i = 0;
    for (const uint8_t *at = events.bytes; i + BLOCK <= events.n_events;
         i += BLOCK, at += BLOCK_BYTES) {
        __m256i v = _mm256_shuffle_epi8(load_lanes(at, at + 10), front);
        __m256i w = _mm256_shuffle_epi8(load_lanes(at + 20, at + LANE_LAST), back);
        store32(ret + i, _mm256_or_si256(key_place_polarity(v), number));
        number = _mm256_add_epi64(number, step);
        store32(ret + i + 4, _mm256_or_si256(key_place_polarity(w), number));
        number = _mm256_add_epi64(number, step);
    }
    return i;
}

/* t_last - t is (t ^ all bits) + t_last + 1, so one addition sets time and number together. */
AVX2 static size_t keys_reversed(struct event_span events, uint32_t seq, uint64_t *ret)
{
    const __m256i front = _mm256_setr_epi8(PAIR_BACK_LAST(KEY_FROM), PAIR_BACK(KEY_FROM));
    const __m256i back = _mm256_setr_epi8(PAIR_BACK(KEY_FROM), PAIR_BACK(KEY_FROM));
    const __m256i flip = ones64(KEY_T), clear = ones64(KEY_END);
    const __m256i step = ones64(BLOCK / 2 * KEY_SEQ_ONE);
    size_t n = events.n_events;
    if (n < BLOCK)
        return 0;
    uint64_t t_last = event_unpack(events.bytes + (n - 1) * EVENT_BYTES).t_us;
    __m256i number =
        _mm256_add_epi64(ones64((t_last + 1) * KEY_T_ONE + seq * KEY_SEQ_ONE),
                         _mm256_setr_epi64x(0, KEY_SEQ_ONE, 2 * KEY_SEQ_ONE, 3 * KEY_SEQ_ONE));
    size_t i = 0;
    for (const uint8_t *at = events.bytes + (n - BLOCK) * EVENT_BYTES; i + BLOCK <= n;
         i += BLOCK, at -= BLOCK_BYTES) {
        __m256i v = _mm256_shuffle_epi8(load_lanes(at + LANE_LAST, at + 20), front);
        __m256i w = _mm256_shuffle_epi8(load_lanes(at + 10, at), back);
        v = _mm256_add_epi64(_mm256_xor_si256(key_place_polarity(v), flip), number);
        number = _mm256_add_epi64(number, step);
        w = _mm256_add_epi64(_mm256_xor_si256(key_place_polarity(w), flip), number);
        number = _mm256_add_epi64(number, step);
        store32(ret + i, _mm256_and_si256(v, clear));
        store32(ret + i + 4, _mm256_and_si256(w, clear));
    }
    return i;
}

AVX2_INLINE __m256i pack4(__m256i k)
{
    const __m256i order = _mm256_setr_epi8(0, 1, 7, 6, 5, 8, 9, 15, 14, 13, Z, Z, Z, Z, Z, Z, //
                                           0, 1, 7, 6, 5, 8, 9, 15, 14, 13, Z, Z, Z, Z, Z, Z);
    __m256i p = _mm256_slli_epi64(k, 63 - KEY_P_SHIFT);
    k = _mm256_or_si256(k, _mm256_and_si256(p, ones64(UINT64_C(1) << 63)));
    return _mm256_shuffle_epi8(k, order);
}

/* Each store writes 10 bytes that count and 6 that the next one overwrites; the last is split. */
AVX2_INLINE void pack8(__m256i k, __m256i l, uint8_t *out)
{
    __m256i v = pack4(k), w = pack4(l);
    __m128i last = _mm256_extracti128_si256(w, 1);
    uint16_t end = (uint16_t)_mm_extract_epi16(last, 4);
    _mm_storeu_si128((__m128i_u *)out, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i_u *)(out + 10), _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128((__m128i_u *)(out + 20), _mm256_castsi256_si128(w));
    _mm_storel_epi64((__m128i_u *)(out + 30), last);
    memcpy(out + 38, &end, sizeof end);
}

AVX2_INLINE __m256i load_keys(const uint64_t *keys)
{
    return _mm256_loadu_si256((const __m256i_u *)keys);
}

AVX2 static size_t pack(const uint64_t *keys, size_t n, uint8_t *ret)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        pack8(load_keys(keys + i), load_keys(keys + i + 4), ret + i * EVENT_BYTES);
    return i;
}

/* Lanes where the event equals the one before, or has the time of the one before that. */
AVX2_INLINE __m256i find_repeats(__m256i k, const uint64_t *at)
{
    const __m256i none = _mm256_setzero_si256();
    __m256i one = _mm256_xor_si256(k, load_keys(at - 1));
    __m256i two = _mm256_xor_si256(k, load_keys(at - 2));
    one = _mm256_cmpeq_epi64(_mm256_and_si256(one, ones64(KEY_T | KEY_PLACE)), none);
    two = _mm256_cmpeq_epi64(_mm256_and_si256(two, ones64(KEY_T)), none);
    return _mm256_or_si256(one, two);
}

AVX2 static size_t pack_distinct(const uint64_t *keys, size_t n, uint8_t *ret)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        __m256i k = load_keys(keys + i), l = load_keys(keys + i + 4);
        __m256i repeats = _mm256_or_si256(find_repeats(k, keys + i), find_repeats(l, keys + i + 4));
        if (!_mm256_testz_si256(repeats, repeats))
            break;
        pack8(k, l, ret + i * EVENT_BYTES);
    }
    return i;
}

/* t, then x, y, p, 0, two events per lane. Bytes 2 and 6 both came from the byte that holds the
 * polarity and the time's upper bits. */
AVX2_INLINE __m256i struct_split_polarity(__m256i shuffled)
{
    __m256i p = _mm256_srli_epi64(shuffled, 7);
    return _mm256_or_si256(_mm256_and_si256(shuffled, ones64(0xffff007fffff)),
                           _mm256_and_si256(p, ones64(UINT64_C(1) << 48)));
}

/* With events 0, 1, 4, 5 in one register and 2, 3, 6, 7 in the other, one shuffle brings all times
 * into order, another all places. */
AVX2 static size_t columns(struct event_span events, uint32_t *t_us, uint8_t *x, uint8_t *y,
                           uint8_t *p)
{
    const __m256i front = _mm256_setr_epi8(PAIR(STRUCT_FROM), PAIR(STRUCT_FROM));
    const __m256i back = _mm256_setr_epi8(PAIR(STRUCT_FROM), PAIR_LAST(STRUCT_FROM));
    const __m256i bytes = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, Z, Z, Z, Z, //
                                           0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, Z, Z, Z, Z);
    const __m256i words = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    size_t i = 0;
    for (const uint8_t *at = events.bytes; i + BLOCK <= events.n_events;
         i += BLOCK, at += BLOCK_BYTES) {
        __m256i v = _mm256_shuffle_epi8(load_lanes(at, at + 20), front);
        __m256i w = _mm256_shuffle_epi8(load_lanes(at + 10, at + LANE_LAST), back);
        __m256 vf = _mm256_castsi256_ps(struct_split_polarity(v));
        __m256 wf = _mm256_castsi256_ps(struct_split_polarity(w));
        store32(t_us + i, _mm256_castps_si256(_mm256_shuffle_ps(vf, wf, _MM_SHUFFLE(2, 0, 2, 0))));
        __m256i places = _mm256_castps_si256(_mm256_shuffle_ps(vf, wf, _MM_SHUFFLE(3, 1, 3, 1)));
        places = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(places, bytes), words);
        __m128i xy = _mm256_castsi256_si128(places);
        _mm_storel_epi64((__m128i_u *)(x + i), xy);
        _mm_storel_epi64((__m128i_u *)(y + i), _mm_unpackhi_epi64(xy, xy));
        _mm_storel_epi64((__m128i_u *)(p + i), _mm256_extracti128_si256(places, 1));
    }
    return i;
}

/* Each store writes 14 bytes that count and 2 that the next one overwrites: one event at least is
 * left to the plain loop. */
AVX2 static size_t structured(struct event_span events, uint8_t *ret)
{
    const __m256i front = _mm256_setr_epi8(PAIR(FIELDS_FROM), Z, Z, PAIR(FIELDS_FROM), Z, Z);
    const __m256i back = _mm256_setr_epi8(PAIR(FIELDS_FROM), Z, Z, PAIR_LAST(FIELDS_FROM), Z, Z);
    const __m256i keep = _mm256_setr_epi8(Z, Z, Z, Z, 0x7f, 0, 0, Z, Z, Z, Z, 0x7f, 0, 0, 0, 0, //
                                          Z, Z, Z, Z, 0x7f, 0, 0, Z, Z, Z, Z, 0x7f, 0, 0, 0, 0);
    const __m256i ons = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, //
                                         0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    size_t i = 0;
    for (const uint8_t *at = events.bytes; i + BLOCK < events.n_events;
         i += BLOCK, at += BLOCK_BYTES, ret += BLOCK * EVENT_STRUCTURED_BYTES) {
        __m256i v = _mm256_shuffle_epi8(load_lanes(at, at + 10), front);
        __m256i w = _mm256_shuffle_epi8(load_lanes(at + 20, at + LANE_LAST), back);
        v = _mm256_or_si256(_mm256_and_si256(v, keep),
                            _mm256_and_si256(_mm256_srli_epi16(v, 7), ons));
        w = _mm256_or_si256(_mm256_and_si256(w, keep),
                            _mm256_and_si256(_mm256_srli_epi16(w, 7), ons));
        _mm_storeu_si128((__m128i_u *)ret, _mm256_castsi256_si128(v));
        _mm_storeu_si128((__m128i_u *)(ret + 14), _mm256_extracti128_si256(v, 1));
        _mm_storeu_si128((__m128i_u *)(ret + 28), _mm256_castsi256_si128(w));
        _mm_storeu_si128((__m128i_u *)(ret + 42), _mm256_extracti128_si256(w, 1));
    }
    return i;
}

const struct event_kernels event_kernels_avx2 = {
    .columns = columns,
    .structured = structured,
    .keys = keys,
    .keys_reversed = keys_reversed,
    .pack = pack,
    .pack_distinct = pack_distinct,
};
#endif
