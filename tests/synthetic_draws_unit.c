/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/synthetic_draws: streams that never change, and how their numbers lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "generator/synthetic_draws.h"

enum { N = 40000 };

/* The 16-bit pieces, the lowest first, of np.random.Philox(key=seed, counter=2**63 + stream *
 * 2**18).random_raw(): recordings that were published once depend on them. */
static void stream_is_that_of_numpy(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, stream;
        uint32_t want[6];
    } rows[] = {
        {0, 0, {25331, 31987, 47976, 10175, 4772, 58044}},
        {7, 5, {45488, 697, 40458, 18156, 49725, 45842}},
        {UINT64_MAX, (UINT64_C(1) << 44) - 1, {4120, 15880, 53925, 60499, 56983, 47563}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct draws draws = draws_start(rows[i].seed, rows[i].stream);
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(draws_u16(&draws), rows[i].want[k]);
        for (size_t k = 5; k < 16; k++)
            draws_u16(&draws);
        assert_int_equal(draws_u16(&draws), rows[i].want[5]); /* of the next block */
    }
}

static void each_seed_and_stream_is_another(void **state)
{
    (void)state;
    static const uint64_t starts[][2] = {
        {0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, (UINT64_C(1) << 44) - 1}, {UINT64_MAX, 0}};
    enum { STARTS = sizeof starts / sizeof *starts, NUMBERS = 32 };
    uint32_t numbers[STARTS][NUMBERS];
    for (size_t i = 0; i < STARTS; i++) {
        struct draws draws = draws_start(starts[i][0], starts[i][1]);
        for (size_t k = 0; k < NUMBERS; k++)
            numbers[i][k] = draws_u16(&draws);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(numbers[i], numbers[j], sizeof numbers[i]);
    }
}

static void numbers_are_spread_evenly(void **state)
{
    (void)state;
    unsigned counts[16] = {0};
    struct draws draws = draws_start(3, 4);
    for (int i = 0; i < N; i++) {
        uint32_t number = draws_u16(&draws);
        assert_in_range(number, 0, 65535);
        counts[number >> 12]++;
    }
    for (int i = 0; i < 16; i++) /* ± 6 standard deviations */
        assert_in_range(counts[i], N / 16 - 290, N / 16 + 290);
}

static void between_reaches_both_ends_and_goes_beyond_neither(void **state)
{
    (void)state;
    static const int32_t ranges[][2] = {{0, 0}, {-3, 3}, {5, 6}, {-100, -98}, {7, 16}};
    struct draws draws = draws_start(1, 2);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        int32_t low = ranges[i][0], high = ranges[i][1];
        unsigned counts[10] = {0};
        for (int k = 0; k < 4000; k++) {
            int32_t number = draws_between(&draws, low, high);
            assert_true(number >= low && number <= high);
            counts[number - low]++;
        }
        unsigned fair = 4000 / (unsigned)(high - low + 1);
        for (int32_t k = 0; k <= high - low; k++)
            assert_in_range(counts[k], fair * 7 / 10, fair * 13 / 10);
    }
    for (int k = 0; k < 1000; k++)
        assert_true(abs(draws_between(&draws, -32768, 32767)) <= 32768);
}

static void bell_is_centred_and_as_wide_as_it_is_asked_for(void **state)
{
    (void)state;
    static const int32_t spreads[] = {100, 1000, 32767};
    struct draws draws = draws_start(8, 9);
    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        int64_t sum = 0, squares = 0, spread = spreads[i], within = 0;
        for (int k = 0; k < N; k++) {
            int64_t number = draws_bell(&draws, spreads[i]);
            assert_true(llabs(number) * 100 <= 347 * spread);
            sum += number;
            squares += number * number;
            within += llabs(number) <= spread;
        }
        assert_true(llabs(sum / N) * 40 < spread); /* 5 standard deviations of the mean */
        int64_t variance = squares / N;
        assert_true(variance * 100 > 95 * spread * spread &&
                    variance * 100 < 105 * spread * spread);
        assert_in_range(within, N * 63 / 100, N * 73 / 100);
    }
    assert_int_equal(draws_bell(&draws, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_is_that_of_numpy),
        cmocka_unit_test(each_seed_and_stream_is_another),
        cmocka_unit_test(numbers_are_spread_evenly),
        cmocka_unit_test(between_reaches_both_ends_and_goes_beyond_neither),
        cmocka_unit_test(bell_is_centred_and_as_wide_as_it_is_asked_for),
    };
    return cmocka_run_group_tests_name("synthetic_draws", tests, NULL, NULL);
}
