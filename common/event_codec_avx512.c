/* SPDX-License-Identifier: Apache-2.0
 * AVX-512 kernels: eight events are 40 bytes of one register, and one instruction (vpermb, of the
 * extension VBMI) puts each byte where it belongs. */
#include "common/event_kernels.h"

#if CPU_X86
#include <immintrin.h>

#include "common/event_codec.h"
#include "common/key.h"

#define AVX512        __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

enum { BLOCK = 8, BLOCK_BYTES = BLOCK * EVENT_BYTES, WIDE = 16, WIDE_BYTES = WIDE * EVENT_BYTES };

/* Tables of where each byte comes from. Those above 39 are zero in a block of eight. */
#define Z              63
#define EIGHT(f)       f(0), f(5), f(10), f(15), f(20), f(25), f(30), f(35)
#define EIGHT_BACK(f)  f(35), f(30), f(25), f(20), f(15), f(10), f(5), f(0)
#define SIXTEEN(f)     EIGHT(f), f(40), f(45), f(50), f(55), f(60), f(65), f(70), f(75)
#define KEY_FROM(o)    (o), (o) + 1, Z, Z, Z, (o) + 4, (o) + 3, (o) + 2
#define FIELDS_FROM(o) (o), (o) + 1, (o) + 4, (o) + 3, (o) + 2, Z, (o) + 2
#define TIME_FROM(o)   (o) + 4, (o) + 3, (o) + 2, Z
#define X_FROM(o)      (o)
#define Y_FROM(o)      (o) + 1
#define P_FROM(o)      (o) + 2
#define PACKED(o)      (o), (o) + 1, (o) + 7, (o) + 6, (o) + 5

static const uint8_t key_order[64] = {EIGHT(KEY_FROM)};
static const uint8_t key_order_back[64] = {EIGHT_BACK(KEY_FROM)};
static const uint8_t fields_order[64] = {EIGHT(FIELDS_FROM)};
static const uint8_t time_order[64] = {SIXTEEN(TIME_FROM)};
static const uint8_t place_order[64] = {SIXTEEN(X_FROM), SIXTEEN(Y_FROM), SIXTEEN(P_FROM)};
static const uint8_t packed_order[64] = {PACKED(0),  PACKED(8),  PACKED(16), PACKED(24),
                                         PACKED(32), PACKED(40), PACKED(48), PACKED(56)};

AVX512_INLINE __m512i ones64(uint64_t value)
{
    return _mm512_set1_epi64((long long)value);
}

AVX512_INLINE __m512i load64(const void *at)
{
    return _mm512_loadu_si512(at);
}

/* The bytes of eight events in the order of a table; no byte behind them is touched. */
AVX512_INLINE __m512i load_ordered(const uint8_t *at, __m512i order)
{
    return _mm512_permutexvar_epi8(order, _mm512_maskz_loadu_epi8(0xffffffffff, at));
}

AVX512_INLINE __m512i keep(__m512i value, uint64_t bits)
{
    return _mm512_and_si512(value, ones64(bits));
}

AVX512_INLINE __m512i count_from(uint64_t first, uint64_t step)
{
    const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm512_add_epi64(ones64(first), _mm512_mullo_epi32(lanes, ones64(step)));
}

/* The polarity comes along in the time's top bit, bit 63 of the key: move it to its place. */
AVX512_INLINE __m512i key_place_polarity(__m512i ordered)
{
    __m512i p = _mm512_srli_epi64(ordered, 63 - KEY_P_SHIFT);
    return _mm512_or_si512(keep(ordered, KEY_T | 0xffff), keep(p, 1u << KEY_P_SHIFT));
}

AVX512 static size_t keys(struct event_span events, uint32_t seq, uint64_t *ret)
{
    const __m512i order = load64(key_order), step = ones64(BLOCK * KEY_SEQ_ONE);
    __m512i number = count_from(seq * KEY_SEQ_ONE, KEY_SEQ_ONE);
    size_t i = 0;
    for (const uint8_t *at = events.bytes; i + BLOCK <= events.n_events;
         i += BLOCK, at += BLOCK_BYTES) {
        __m512i key = key_place_polarity(load_ordered(at, order));
        _mm512_storeu_si512(ret + i, _mm512_or_si512(key, number));
        number = _mm512_add_epi64(number, step);
    }
    return i;
}

/* t_last - t is (t ^ all bits) + t_last + 1, so one addition sets time and number together. */
AVX512 static size_t keys_reversed(struct event_span events, uint32_t seq, uint64_t *ret)
{
    const __m512i order = load64(key_order_back), step = ones64(BLOCK * KEY_SEQ_ONE);
    size_t n = events.n_events;
    if (n < BLOCK)
        return 0;
    uint64_t t_last = event_unpack(events.bytes + (n - 1) * EVENT_BYTES).t_us;
    __m512i number = count_from((t_last + 1) * KEY_T_ONE + seq * KEY_SEQ_ONE, KEY_SEQ_ONE);
    size_t i = 0;
    for (const uint8_t *at = events.bytes + (n - BLOCK) * EVENT_BYTES; i + BLOCK <= n;
         i += BLOCK, at -= BLOCK_BYTES) {
        __m512i key = key_place_polarity(load_ordered(at, order));
        key = _mm512_add_epi64(_mm512_xor_si512(key, ones64(KEY_T)), number);
        _mm512_storeu_si512(ret + i, keep(key, KEY_END));
        number = _mm512_add_epi64(number, step);
    }
    return i;
}

/* Exactly 40 bytes, as two plain stores: masked ones cost more. */
AVX512_INLINE void pack8(__m512i key, uint8_t *out)
{
    __m512i p = keep(_mm512_slli_epi64(key, 63 - KEY_P_SHIFT), UINT64_C(1) << 63);
    __m512i packed = _mm512_permutexvar_epi8(load64(packed_order), _mm512_or_si512(key, p));
    _mm256_storeu_si256((__m256i_u *)out, _mm512_castsi512_si256(packed));
    _mm_storel_epi64((__m128i_u *)(out + 32), _mm512_extracti32x4_epi32(packed, 2));
}

AVX512 static size_t pack(const uint64_t *keys_in, size_t n, uint8_t *ret)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        pack8(load64(keys_in + i), ret + i * EVENT_BYTES);
    return i;
}

AVX512 static size_t pack_distinct(const uint64_t *keys_in, size_t n, uint8_t *ret)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        __m512i key = load64(keys_in + i);
        __m512i one = _mm512_xor_si512(key, load64(keys_in + i - 1));
        __m512i two = _mm512_xor_si512(key, load64(keys_in + i - 2));
        if (_mm512_testn_epi64_mask(one, ones64(KEY_T | KEY_PLACE)) |
            _mm512_testn_epi64_mask(two, ones64(KEY_T)))
            break;
        pack8(key, ret + i * EVENT_BYTES);
    }
    return i;
}

AVX512 static size_t columns(struct event_span events, uint32_t *t_us, uint8_t *x, uint8_t *y,
                             uint8_t *p)
{
    const __m512i times = load64(time_order), places = load64(place_order);
    const __m512i t_bits = _mm512_set1_epi32(EVENT_T_MAX);
    size_t i = 0;
    for (const uint8_t *at = events.bytes; i + WIDE <= events.n_events;
         i += WIDE, at += WIDE_BYTES) {
        __m512i low = load64(at);
        __m512i high = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i_u *)(at + 64)));
        __m512i t = _mm512_permutex2var_epi8(low, times, high);
        __m512i xyp = _mm512_permutex2var_epi8(low, places, high);
        __m128i top = _mm512_extracti32x4_epi32(xyp, 2);
        __m128i on = _mm_and_si128(_mm_srli_epi16(top, 7), _mm_set1_epi8(1));
        _mm512_storeu_si512(t_us + i, _mm512_and_si512(t, t_bits));
        _mm_storeu_si128((__m128i_u *)(x + i), _mm512_castsi512_si128(xyp));
        _mm_storeu_si128((__m128i_u *)(y + i), _mm512_extracti32x4_epi32(xyp, 1));
        _mm_storeu_si128((__m128i_u *)(p + i), on);
    }
    return i;
}

/* Exactly 56 bytes, as three stores. */
AVX512 static size_t structured(struct event_span events, uint8_t *ret)
{
    static const uint8_t keep_bits[64] = {
#define KEEP 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0
        KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP};
    static const uint8_t on_bits[64] = {
#define ON 0, 0, 0, 0, 0, 0, 1
        ON, ON, ON, ON, ON, ON, ON, ON};
    const __m512i order = load64(fields_order), kept = load64(keep_bits), on = load64(on_bits);
    size_t i = 0;
    for (const uint8_t *at = events.bytes; i + BLOCK <= events.n_events;
         i += BLOCK, at += BLOCK_BYTES, ret += BLOCK * EVENT_STRUCTURED_BYTES) {
        __m512i v = load_ordered(at, order);
        v = _mm512_or_si512(_mm512_and_si512(v, kept),
                            _mm512_and_si512(_mm512_srli_epi16(v, 7), on));
        _mm256_storeu_si256((__m256i_u *)ret, _mm512_castsi512_si256(v));
        _mm_storeu_si128((__m128i_u *)(ret + 32), _mm512_extracti32x4_epi32(v, 2));
        _mm_storel_epi64((__m128i_u *)(ret + 48), _mm512_extracti32x4_epi32(v, 3));
    }
    return i;
}

const struct event_kernels event_kernels_avx512 = {
    .columns = columns,
    .structured = structured,
    .keys = keys,
    .keys_reversed = keys_reversed,
    .pack = pack,
    .pack_distinct = pack_distinct,
};
#endif
