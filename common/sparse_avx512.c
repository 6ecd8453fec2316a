/* SPDX-License-Identifier: Apache-2.0
 * Sparse frames with AVX-512. */
#include "common/sparse.h"

#if CPU_X86
#include <immintrin.h>

#define LEVEL              __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")))
#define SPARSE_WRITE_LEVEL sparse_write_avx512
#define OP                 LEVEL __attribute__((always_inline)) static inline

enum { LANES = 32 };

typedef __m512i vector;

/* All are read, since to load some lanes is slow. */
OP vector load(const uint32_t *places, uint32_t n)
{
    const __m512i lower =
        _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26,
                         24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    vector all = _mm512_permutex2var_epi16(_mm512_loadu_si512(places), lower,
                                           _mm512_loadu_si512(places + LANES / 2));
    return _mm512_mask_blend_epi16(_bzhi_u32(UINT32_MAX, n), _mm512_set1_epi16(-1), all);
}

OP vector lesser(vector v, vector w)
{
    return _mm512_min_epu16(v, w);
}

OP vector greater(vector v, vector w)
{
    return _mm512_max_epu16(v, w);
}

OP vector swap(vector v, int distance)
{
    switch (distance) {
    case 1:
        return _mm512_rol_epi32(v, 16);
    case 2:
        return _mm512_shuffle_epi32(v, _MM_PERM_CDAB);
    case 4:
        return _mm512_shuffle_epi32(v, _MM_PERM_BADC);
    case 8:
        return _mm512_shuffle_i32x4(v, v, _MM_PERM_CDAB);
    default:
        return _mm512_shuffle_i32x4(v, v, _MM_PERM_BADC);
    }
}

/* A flip is all swaps within it, one behind the other; here, as few as there are. */
OP vector flip(vector v, int width)
{
    const __m512i within_8 =
        _mm512_broadcast_i32x4(_mm_setr_epi8(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1));
    switch (width) {
    case 2:
        return swap(v, 1);
    case 4:
        return swap(_mm512_shuffle_epi8(v, within_8), 4);
    case 8:
        return _mm512_shuffle_epi8(v, within_8);
    case 16:
        return swap(_mm512_shuffle_epi8(v, within_8), 8);
    default:
        return _mm512_shuffle_i32x4(_mm512_shuffle_epi8(v, within_8),
                                    _mm512_shuffle_epi8(v, within_8), _MM_PERM_ABCD);
    }
}

/* The lanes whose numbers have a bit, in registers of masks: the compiler would rather make them
 * anew each time, which is slow. */
struct lanes {
    __mmask32 with_1, with_2, with_4, with_8, with_16;
};

OP struct lanes lanes_make(void)
{
    struct lanes lanes = {0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000};
    __asm__(""
            : "+Yk"(lanes.with_1), "+Yk"(lanes.with_2), "+Yk"(lanes.with_4), "+Yk"(lanes.with_8),
              "+Yk"(lanes.with_16));
    return lanes;
}

OP vector order(const struct lanes *lanes, vector v, vector w, int distance)
{
    __mmask32 upper = distance == 1   ? lanes->with_1
                      : distance == 2 ? lanes->with_2
                      : distance == 4 ? lanes->with_4
                      : distance == 8 ? lanes->with_8
                                      : lanes->with_16;
    return _mm512_mask_max_epu16(lesser(v, w), upper, v, w);
}

/* More than the kept ones are written, where there is room: to store some lanes is slow. */
OP int16_t *store(vector v, vector before, bool repeats, int16_t *at, const int16_t *end)
{
    /* Each lane's neighbour on the left. */
    const __m512i one_less =
        _mm512_set_epi16(30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12,
                         11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 63);
    __m512i left = _mm512_permutex2var_epi16(v, one_less, before);
    __mmask32 keep = _mm512_cmpneq_epu16_mask(v, _mm512_set1_epi16(-1)) &
                     (_mm512_cmpneq_epu16_mask(v, left) | (__mmask32)-repeats);
    uint32_t n = (uint32_t)__builtin_popcount(keep);
    __m512i kept = _mm512_maskz_compress_epi16(keep, v);
    if (end - at >= LANES)
        _mm512_storeu_si512(at, kept);
    else
        _mm512_mask_storeu_epi16(at, _bzhi_u32(UINT32_MAX, n), kept);
    return at + n;
}

#include "common/sparse_network.h"
#endif
