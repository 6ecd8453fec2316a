/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/mt19937 against numbers that NumPy printed: each row says by which line. Over
 * many seeds and sizes tests/test_numpy.py compares with NumPy itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mt19937.h"

enum { NUMBERS = 16 };

static void expect_u32(struct mt19937 *mt, const uint32_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(mt19937_u32(mt), want[i]);
}

/* RandomState(42).randint(0, 2**32, 5, np.uint32) */
static void stream_of_a_seed_is_that_of_numpy(void **state)
{
    (void)state;
    static const uint32_t want[] = {1608637542, 3421126067, 4083286876, 787846414, 3143890026};
    struct mt19937 mt;
    mt19937_init_genrand(&mt, 42);
    expect_u32(&mt, want, 5);
}

/* The number that the C++ standard gives for std::mt19937, [rand.predef]. */
static void stream_is_right_after_many_regenerations(void **state)
{
    (void)state;
    struct mt19937 mt;
    mt19937_init_genrand(&mt, 5489);
    for (int i = 1; i < 10000; i++)
        mt19937_u32(&mt);
    assert_int_equal(mt19937_u32(&mt), 4123659995);
}

/* The first five of the authors' mt19937ar.out. */
static void stream_of_keys_is_that_of_the_authors(void **state)
{
    (void)state;
    static const uint32_t key[] = {0x123, 0x234, 0x345, 0x456};
    static const uint32_t want[] = {1067595299, 955945823, 477289528, 4107218783, 4228976476};
    struct mt19937 mt;
    mt19937_init_by_array(&mt, key, 4);
    expect_u32(&mt, want, 5);
    for (int i = 5; i < 999; i++)
        mt19937_u32(&mt);
    assert_int_equal(mt19937_u32(&mt), 3460025646);
}

/* RandomState(list(range(700))).randint(0, 2**32, 5, np.uint32): more keys than words */
static void stream_of_very_many_keys_is_that_of_numpy(void **state)
{
    (void)state;
    static const uint32_t want[] = {3727595200, 1914792892, 3929396303, 3603564374, 1833578431};
    uint32_t key[700];
    for (uint32_t i = 0; i < 700; i++)
        key[i] = i;
    struct mt19937 mt;
    mt19937_init_by_array(&mt, key, 700);
    expect_u32(&mt, want, 5);
}

/* RandomState(42).randint(0, 2**64 - 1, 3, np.uint64) */
static void numbers_of_64_bits_are_those_of_numpy(void **state)
{
    (void)state;
    static const uint64_t want[] = {6909045637428952499u, 17537583593393853710u,
                                    13502904847239337031u};
    struct mt19937 mt;
    mt19937_init_genrand(&mt, 42);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mt19937_u64(&mt), want[i]);
}

/* RandomState(42).randint(0, max + 1, n, np.uint64) */
static void bounded_numbers_are_those_of_numpy(void **state)
{
    (void)state;
    static const struct {
        uint64_t max;
        size_t n;
        uint64_t want[NUMBERS];
    } rows[] = {
        {1, 16, {0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}},
        {9, 12, {6, 3, 7, 4, 6, 9, 2, 6, 7, 4, 3, 7}},
        {UINT32_MAX, 3, {1608637542, 3421126067, 4083286876}},
        {UINT64_C(1) << 32, 4, {3421126067, 787846414, 3348747335, 2563451924}},
        {(UINT64_C(1) << 33) + 4, 4, {787846414, 2563451924, 4537253172, 7395928407}},
        {UINT64_MAX, 2, {6909045637428952499u, 17537583593393853710u}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mt19937 mt;
        mt19937_init_genrand(&mt, 42);
        for (size_t k = 0; k < rows[i].n; k++)
            assert_int_equal(mt19937_bounded(&mt, rows[i].max), rows[i].want[k]);
    }
}

static void bound_of_zero_takes_nothing_from_the_stream(void **state)
{
    (void)state;
    struct mt19937 mt;
    mt19937_init_genrand(&mt, 42);
    assert_int_equal(mt19937_bounded(&mt, 0), 0);
    assert_int_equal(mt19937_u32(&mt), 1608637542);
}

/* items = np.array([7, 7, 1, 2, 3, 3, 3, 9]); RandomState(7).shuffle(items) */
static void shuffle_is_that_of_numpy(void **state)
{
    (void)state;
    uint32_t items[] = {7, 7, 1, 2, 3, 3, 3, 9};
    static const uint32_t want[] = {1, 3, 7, 3, 2, 7, 3, 9};
    struct mt19937 mt;
    mt19937_init_genrand(&mt, 7);
    mt19937_shuffle(&mt, items, 8);
    assert_memory_equal(items, want, sizeof want);
}

/* RandomState(seed).permutation(10) */
static void permutation_is_that_of_numpy(void **state)
{
    (void)state;
    static const struct {
        uint32_t seed, want[10];
    } rows[] = {
        {42, {8, 1, 5, 0, 7, 2, 9, 4, 3, 6}},
        {0, {2, 8, 4, 9, 1, 6, 7, 3, 0, 5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t got[10];
        struct mt19937 mt;
        mt19937_init_genrand(&mt, rows[i].seed);
        mt19937_permutation(&mt, 10, got);
        assert_memory_equal(got, rows[i].want, sizeof got);
    }
}

static void permutation_of_none_and_of_one_takes_nothing_from_the_stream(void **state)
{
    (void)state;
    uint32_t one = 5;
    struct mt19937 mt;
    mt19937_init_genrand(&mt, 42);
    mt19937_permutation(&mt, 0, &one);
    assert_int_equal(one, 5);
    mt19937_permutation(&mt, 1, &one);
    assert_int_equal(one, 0);
    assert_int_equal(mt19937_u32(&mt), 1608637542);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_of_a_seed_is_that_of_numpy),
        cmocka_unit_test(stream_is_right_after_many_regenerations),
        cmocka_unit_test(stream_of_keys_is_that_of_the_authors),
        cmocka_unit_test(stream_of_very_many_keys_is_that_of_numpy),
        cmocka_unit_test(numbers_of_64_bits_are_those_of_numpy),
        cmocka_unit_test(bounded_numbers_are_those_of_numpy),
        cmocka_unit_test(bound_of_zero_takes_nothing_from_the_stream),
        cmocka_unit_test(shuffle_is_that_of_numpy),
        cmocka_unit_test(permutation_is_that_of_numpy),
        cmocka_unit_test(permutation_of_none_and_of_one_takes_nothing_from_the_stream),
    };
    return cmocka_run_group_tests_name("mt19937", tests, NULL, NULL);
}
