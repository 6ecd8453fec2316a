/* SPDX-License-Identifier: Apache-2.0
 * Times in steps, exactly and without a division per event: whole lists. */
#include "common/timestep.h"

#include "common/cpu.h"
#include "common/key.h"

#if CPU_X86
#include <immintrin.h>

#define AVX2        __attribute__((target("avx2")))
#define AVX2_INLINE AVX2 __attribute__((always_inline)) static inline

/* What timestep_floor() does with n = 2t; n is in the lower half of each 64-bit lane. */
AVX2_INLINE __m256i divide(struct timestep step, __m256i n)
{
    __m256i product = _mm256_mul_epu32(n, _mm256_set1_epi64x((long long)step.factor));
    return _mm256_srl_epi64(product, _mm_cvtsi32_si128((int)step.shift));
}

/* The half that was rounded up to an odd number of steps goes back down. */
AVX2_INLINE __m256i half_to_even(struct timestep step, __m256i steps, __m256i n)
{
    __m256i back = _mm256_mullo_epi32(steps, _mm256_set1_epi32((int)(2 * step.us)));
    __m256i odd_half = _mm256_and_si256(_mm256_cmpeq_epi32(back, n), _mm256_set1_epi32(1));
    return _mm256_sub_epi32(steps, _mm256_and_si256(steps, odd_half));
}

AVX2 static size_t round_keys(struct timestep step, uint64_t *keys, size_t n)
{
    const __m256i us = _mm256_set1_epi64x(step.us);
    const __m256i below_t = _mm256_set1_epi64x((long long)KEY_BELOW_T);
    const __m256i t_bits = _mm256_set1_epi64x((long long)KEY_T);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        __m256i key = _mm256_loadu_si256((const __m256i_u *)(keys + i));
        __m256i twice = _mm256_slli_epi64(_mm256_srli_epi64(key, KEY_T_SHIFT), 1);
        __m256i half_up = _mm256_add_epi64(twice, us);
        __m256i steps = half_to_even(step, divide(step, half_up), half_up);
        __m256i t = _mm256_slli_epi64(_mm256_mul_epu32(steps, us), KEY_T_SHIFT);
        key = _mm256_or_si256(_mm256_and_si256(key, below_t), _mm256_and_si256(t, t_bits));
        _mm256_storeu_si256((__m256i_u *)(keys + i), key);
    }
    return i;
}

/* Eight times are two registers of four: those in even places, and those in odd ones. */
AVX2 static size_t count(struct timestep step, uint32_t *t_us, size_t n, bool round)
{
    const __m256i half = _mm256_set1_epi32(round ? (int)step.us : 0);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i t = _mm256_loadu_si256((const __m256i_u *)(t_us + i));
        __m256i twice = _mm256_add_epi32(_mm256_slli_epi32(t, 1), half);
        __m256i even = divide(step, twice), odd = divide(step, _mm256_srli_epi64(twice, 32));
        __m256i steps = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
        if (round)
            steps = half_to_even(step, steps, twice);
        _mm256_storeu_si256((__m256i_u *)(t_us + i), steps);
    }
    return i;
}
#else
static size_t round_keys(struct timestep step, uint64_t *keys, size_t n)
{
    (void)step, (void)keys, (void)n;
    return 0;
}

static size_t count(struct timestep step, uint32_t *t_us, size_t n, bool round)
{
    (void)step, (void)t_us, (void)n, (void)round;
    return 0;
}
#endif

void timestep_round_keys(struct timestep step, uint64_t *keys, size_t n)
{
    size_t i = cpu_level() >= CPU_AVX2 ? round_keys(step, keys, n) : 0;
    for (; i < n; i++) {
        uint64_t rounded_us = timestep_round(step, key_time(keys[i])) * step.us;
        keys[i] = (rounded_us << KEY_T_SHIFT & KEY_T) | (keys[i] & KEY_BELOW_T);
    }
}

void timestep_count(struct timestep step, uint32_t *t_us, size_t n, bool round)
{
    size_t i = cpu_level() >= CPU_AVX2 ? count(step, t_us, n, round) : 0;
    if (round)
        for (; i < n; i++)
            t_us[i] = timestep_round(step, t_us[i]);
    else
        for (; i < n; i++)
            t_us[i] = timestep_floor(step, t_us[i]);
}
