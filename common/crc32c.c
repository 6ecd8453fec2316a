/* SPDX-License-Identifier: Apache-2.0
 * CRC-32C (Castagnoli), the checksum of a sample's event bytes. */
#include "common/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "common/cpu.h"

enum { POLYNOMIAL_REFLECTED = 0x82F63B78 };

/* One step along the message; bits are reflected. */
static uint32_t times_x(uint32_t value)
{
    return value >> 1 ^ (value & 1 ? (uint32_t)POLYNOMIAL_REFLECTED : 0);
}

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = times_x(crc);
        table[i] = crc;
    }
}

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t size)
{
    pthread_once(&table_once, table_fill);
    const uint8_t *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ at[i]) & 0xff];
    return ~crc;
}

static uint32_t over_x(uint32_t value)
{
    bool one = value >> 31;
    return (one ? value ^ (uint32_t)POLYNOMIAL_REFLECTED : value) << 1 | one;
}

/* a · b modulo the polynomial; bits are reflected: the top one is x^0. */
static uint32_t multiply_portable(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (int bit = 31; bit >= 0; bit--) {
        product ^= b & -(a >> bit & 1);
        b = times_x(b);
    }
    return product;
}

/* What a CRC is multiplied by to stand further left by as many bytes as one byte of a length says:
 * x^(8 · b · 256^place), and times x^-33 for those that multiply by the instruction below. */
enum { PLACES = 8 };
static uint32_t shifts[PLACES][256], shifts_sse42[PLACES][256];
static pthread_once_t shifts_once = PTHREAD_ONCE_INIT;

static void shifts_fill(void)
{
    uint32_t one = 1u << 31, unit = one, step = one;
    for (int i = 0; i < 33; i++)
        unit = over_x(unit);
    for (int i = 0; i < 8; i++)
        step = times_x(step);
    for (int place = 0; place < PLACES; place++) {
        shifts[place][0] = one;
        for (int b = 1; b < 256; b++)
            shifts[place][b] = multiply_portable(shifts[place][b - 1], step);
        for (int b = 0; b < 256; b++)
            shifts_sse42[place][b] = multiply_portable(shifts[place][b], unit);
        step = multiply_portable(shifts[place][255], step);
    }
}

uint32_t crc32c_combine_portable(uint32_t a, uint32_t b, uint64_t size_b)
{
    pthread_once(&shifts_once, shifts_fill);
    for (int place = 0; size_b; place++, size_b >>= 8)
        a = multiply_portable(a, shifts[place][size_b & 0xff]);
    return a ^ b;
}

#if CPU_X86
#include <immintrin.h>

#define SSE42        __attribute__((target("sse4.2,pclmul")))
#define SSE42_INLINE SSE42 __attribute__((always_inline)) static inline

enum { PART = 512 }; /* bytes of each of the three streams */

/* x^(8n - 33): what a CRC is multiplied by to stand n bytes further left. */
static uint64_t shift_one_part, shift_two_parts;
static pthread_once_t shift_once = PTHREAD_ONCE_INIT;

static uint64_t power_of_x(unsigned exponent)
{
    uint32_t value = 1u << 31; /* x^0: bits are reflected */
    while (exponent-- > 0)
        value = times_x(value);
    return value;
}

static void shift_fill(void)
{
    shift_one_part = power_of_x(8 * PART - 33);
    shift_two_parts = power_of_x(2 * 8 * PART - 33);
}

SSE42_INLINE uint64_t add_word(uint64_t crc, const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return _mm_crc32_u64(crc, word);
}

SSE42_INLINE __m128i multiply(uint64_t crc, uint64_t factor)
{
    return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
                                _mm_cvtsi64_si128((long long)factor), 0);
}

/* The instruction takes three cycles but one can begin in each: so three streams at a time, whose
 * CRCs are then moved to their places. Its own multiplication by x^32, and the x that reflection
 * adds to a product, are the 33 above.
 * Source: V. Gopal et al., Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction,
 * Intel, 2011. */
SSE42_INLINE uint64_t add_three_parts(uint64_t crc, const uint8_t *at)
{
    uint64_t b = 0, c = 0;
    for (size_t i = 0; i < PART; i += 8) {
        crc = add_word(crc, at + i);
        b = add_word(b, at + PART + i);
        c = add_word(c, at + 2 * PART + i);
    }
    __m128i sum = _mm_xor_si128(multiply(crc, shift_two_parts), multiply(b, shift_one_part));
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(sum)) ^ c;
}

SSE42 static uint32_t crc32c_sse42(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t wide = ~crc;
    if (size >= 3 * PART)
        pthread_once(&shift_once, shift_fill);
    for (; size >= 3 * PART; at += 3 * PART, size -= 3 * PART)
        wide = add_three_parts(wide, at);
    for (; size >= 8; at += 8, size -= 8)
        wide = add_word(wide, at);
    crc = (uint32_t)wide;
    for (; size > 0; at++, size--)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}

SSE42 static uint32_t combine_sse42(uint32_t a, uint32_t b, uint64_t size_b)
{
    pthread_once(&shifts_once, shifts_fill);
    for (int place = 0; size_b; place++, size_b >>= 8) {
        __m128i product = multiply(a, shifts_sse42[place][size_b & 0xff]);
        a = (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
    }
    return a ^ b;
}

#define FOLD        __attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.2")))
#define FOLD_INLINE FOLD __attribute__((always_inline)) static inline

enum { REGISTER = 64, BLOCK = 4 * REGISTER }; /* bytes */

/* For each 128 bits of a register, what takes its halves further left by BLOCK bytes, or by
 * REGISTER: the first stands 64 bits further left than the second, and the x that reflection adds
 * to a product is made up for. */
static uint64_t fold_block[2], fold_register[2];
static pthread_once_t fold_once = PTHREAD_ONCE_INIT;

static void fold_fill(void)
{
    fold_block[0] = power_of_x(8 * BLOCK + 31);
    fold_block[1] = power_of_x(8 * BLOCK - 33);
    fold_register[0] = power_of_x(8 * REGISTER + 31);
    fold_register[1] = power_of_x(8 * REGISTER - 33);
}

FOLD_INLINE __m512i load(const uint8_t *at)
{
    return _mm512_loadu_si512((const void *)at);
}

FOLD_INLINE __m512i factors_of(const uint64_t factors[2])
{
    return _mm512_set_epi64((long long)factors[1], (long long)factors[0], (long long)factors[1],
                            (long long)factors[0], (long long)factors[1], (long long)factors[0],
                            (long long)factors[1], (long long)factors[0]);
}

/* What comes before, moved to the left of `next`, and added to it. */
FOLD_INLINE __m512i fold(__m512i before, __m512i factors, __m512i next)
{
    enum { XOR_OF_THREE = 0x96 };
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(before, factors, 0x00),
                                     _mm512_clmulepi64_epi128(before, factors, 0x11), next,
                                     XOR_OF_THREE);
}

/* The bytes are one long polynomial. It is folded, four registers at a time, until it is as long as
 * one of them, which leaves the remainder as it is; the instruction then does that one.
 * Source: V. Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction, Intel, 2009. */
FOLD static uint32_t crc32c_avx512(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    pthread_once(&fold_once, fold_fill);
    const __m512i by_block = factors_of(fold_block), by_register = factors_of(fold_register);
    __m512i a = _mm512_xor_si512(load(at), _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    __m512i b = load(at + REGISTER), c = load(at + 2 * REGISTER), d = load(at + 3 * REGISTER);
    for (at += BLOCK, size -= BLOCK; size >= BLOCK; at += BLOCK, size -= BLOCK) {
        a = fold(a, by_block, load(at));
        b = fold(b, by_block, load(at + REGISTER));
        c = fold(c, by_block, load(at + 2 * REGISTER));
        d = fold(d, by_block, load(at + 3 * REGISTER));
    }
    d = fold(fold(fold(a, by_register, b), by_register, c), by_register, d);
    uint8_t rest[REGISTER];
    _mm512_storeu_si512(rest, d);
    uint64_t wide = 0;
    for (size_t i = 0; i < REGISTER; i += 8)
        wide = add_word(wide, rest + i);
    return crc32c_sse42(~(uint32_t)wide, at, size);
}

static bool has_avx512(void)
{
    return cpu_level() == CPU_AVX512 && __builtin_cpu_supports("vpclmulqdq");
}

static bool has_sse42(void)
{
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    if (size >= BLOCK && has_avx512())
        return crc32c_avx512(crc, bytes, size);
    return has_sse42() ? crc32c_sse42(crc, bytes, size) : crc32c_portable(crc, bytes, size);
}

uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t size_b)
{
    return has_sse42() ? combine_sse42(a, b, size_b) : crc32c_combine_portable(a, b, size_b);
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    return crc32c_portable(crc, bytes, size);
}

uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t size_b)
{
    return crc32c_combine_portable(a, b, size_b);
}
#endif
