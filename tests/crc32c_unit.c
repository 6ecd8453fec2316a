/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/crc32c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "tests/levels.h"

static void crc32c_of_known_bytes_is_as_published(void **state)
{
    (void)state;
    uint8_t bytes[32]; /* RFC 3720, appendix B.4 */
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46dd794e);
    assert_int_equal(crc32c(0, NULL, 0), 0);
}

static void check_lengths(void)
{
    for (size_t n = 0; n < 1700; n += 1 + random_below(9)) {
        struct event_span noise = recording_noise(n);
        size_t size = n * EVENT_BYTES, cut = random_below((uint32_t)size + 1);
        uint32_t want = crc32c_portable(0, noise.bytes, size);
        assert_int_equal(crc32c(0, noise.bytes, size), want);
        assert_int_equal(crc32c(crc32c(0, noise.bytes, cut), noise.bytes + cut, size - cut), want);
        recording_free(noise);
    }
}

static void crc32c_needs_no_special_instructions_for_the_same_result(void **state)
{
    (void)state;
    for_each_level(check_lengths);
}

static void crc32c_of_two_pieces_follows_from_theirs(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {0, 1, 4, 5, 255, 256, 257, 65535, 65536, 1 << 20};
    struct event_span noise = recording_noise(1 << 18);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n_a = 1000 + i, n_b = (size_t)lengths[i];
        uint32_t a = crc32c(0, noise.bytes, n_a), b = crc32c(0, noise.bytes + n_a, n_b);
        uint32_t want = crc32c(0, noise.bytes, n_a + n_b);
        assert_int_equal(crc32c_combine(a, b, n_b), want);
        assert_int_equal(crc32c_combine_portable(a, b, n_b), want);
    }
    recording_free(noise);
    /* Longer than any memory: in two steps as in one. */
    uint64_t long_size = UINT64_C(0x123456789abcdef1);
    uint32_t once = crc32c_combine_portable(0xdeadbeef, 0, long_size);
    assert_int_equal(crc32c_combine(0xdeadbeef, 0, long_size), once);
    assert_int_equal(crc32c_combine(crc32c_combine(0xdeadbeef, 0, 77), 0, long_size - 77), once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_of_known_bytes_is_as_published),
        cmocka_unit_test(crc32c_of_two_pieces_follows_from_theirs),
        cmocka_unit_test(crc32c_needs_no_special_instructions_for_the_same_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
