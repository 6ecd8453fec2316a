/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/pairs: the pairs of NumPy's numbers, and what is true of every pair. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/pairs.h"

enum { MAX_N = 16, DRAWS = 20000 };

/* Recordings in the order of their names: so many of each digit. */
struct source {
    uint64_t counts[N_DIGITS];
    uint64_t n;
    uint8_t labels[MAX_N * N_DIGITS];
    unsigned digits[MAX_N];
};

static struct source source_of(const uint64_t counts[N_DIGITS])
{
    struct source source = {.n = 0};
    for (unsigned d = 0; d < N_DIGITS; d++)
        for (uint64_t i = 0; i < counts[d]; i++, source.n++) {
            assert_true(source.n < MAX_N);
            source.digits[source.n] = d;
            source.labels[source.n * N_DIGITS + d] = 1;
        }
    memcpy(source.counts, counts, sizeof source.counts);
    return source;
}

static const uint64_t tables[][N_DIGITS] = {
    {1, 1},
    {2, 3, 0, 0, 1, 0, 0, 0, 0, 4},
    {0, 0, 0, 0, 0, 0, 0, 0, 7, 1},
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {3, 0, 3, 0, 3, 0, 3, 0, 3, 0},
};

enum { N_TABLES = sizeof tables / sizeof *tables };

static struct pairs pairs_of(const struct source *source)
{
    struct pairs pairs;
    struct error why = {""};
    if (pairs_init(&pairs, source->labels, source->n, &why) < 0)
        fail_msg("%s", why.text);
    return pairs;
}

static void table_says_where_each_digit_stands(void **state)
{
    (void)state;
    for (size_t t = 0; t < N_TABLES; t++) {
        struct source source = source_of(tables[t]);
        struct pairs pairs = pairs_of(&source);
        assert_int_equal(pairs.n, source.n);
        for (unsigned d = 0; d < N_DIGITS; d++) {
            assert_int_equal(pairs.count[d], tables[t][d]);
            for (uint64_t i = 0; i < pairs.count[d]; i++)
                assert_int_equal(source.digits[pairs.first[d] + i], d);
        }
    }
}

static void digits_may_stand_in_any_order(void **state)
{
    (void)state;
    uint8_t labels[3 * N_DIGITS] = {0};
    labels[0 * N_DIGITS + 7] = labels[1 * N_DIGITS + 7] = labels[2 * N_DIGITS + 3] = 1;
    struct pairs pairs;
    assert_int_equal(pairs_init(&pairs, labels, 3, NULL), 0);
    assert_int_equal(pairs.first[7], 0);
    assert_int_equal(pairs.count[7], 2);
    assert_int_equal(pairs.first[3], 2);
    for (uint64_t index = 0; index < 100; index++) {
        uint32_t pair[2];
        pairs_draw(&pairs, 0, index, pair);
        assert_true((pair[0] == 2) != (pair[1] == 2));
    }
}

/* r = np.random.Philox(key=seed, counter=index).random_raw(2) as Python integers; a = r[0] * n >>
 * 64; b = r[1] * (n - counts[digit of a]) >> 64, counted over the recordings of other digits */
static void pairs_are_those_of_numpy(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, index;
        uint32_t a, b;
    } rows[] = {
        {0, 0, 0, 3},  {0, 1, 5, 2},  {0, 2, 2, 1},
        {42, 0, 8, 1}, {42, 7, 4, 1}, {UINT64_MAX, UINT64_MAX, 8, 0},
    };
    struct source source = source_of(tables[1]);
    struct pairs pairs = pairs_of(&source);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t pair[2];
        pairs_draw(&pairs, rows[i].seed, rows[i].index, pair);
        assert_int_equal(pair[0], rows[i].a);
        assert_int_equal(pair[1], rows[i].b);
    }
}

/* Every pair of different digits comes, in both orders, and nothing else does. */
static void pairs_are_all_pairs_of_different_digits(void **state)
{
    (void)state;
    for (size_t t = 0; t < N_TABLES; t++) {
        static unsigned seen[MAX_N][MAX_N];
        memset(seen, 0, sizeof seen);
        struct source source = source_of(tables[t]);
        struct pairs pairs = pairs_of(&source);
        for (uint64_t index = 0; index < DRAWS; index++) {
            uint32_t pair[2];
            pairs_draw(&pairs, t, index, pair);
            assert_true(pair[0] < source.n && pair[1] < source.n);
            seen[pair[0]][pair[1]]++;
        }
        for (uint64_t a = 0; a < source.n; a++)
            for (uint64_t b = 0; b < source.n; b++)
                assert_int_equal(seen[a][b] > 0, source.digits[a] != source.digits[b]);
    }
}

static void first_of_a_pair_is_any_recording_alike(void **state)
{
    (void)state;
    unsigned seen[MAX_N] = {0};
    struct source source = source_of(tables[1]);
    struct pairs pairs = pairs_of(&source);
    for (uint64_t index = 0; index < DRAWS; index++) {
        uint32_t pair[2];
        pairs_draw(&pairs, 3, index, pair);
        seen[pair[0]]++;
    }
    for (uint64_t a = 0; a < source.n; a++) /* ± 6 standard deviations */
        assert_in_range(seen[a], 1745, 2255);
}

static void pair_depends_on_seed_and_index_alone(void **state)
{
    (void)state;
    struct source source = source_of(tables[4]);
    struct pairs pairs = pairs_of(&source);
    uint32_t forward[200][2], other[2];
    for (uint64_t index = 0; index < 200; index++)
        pairs_draw(&pairs, 9, index, forward[index]);
    unsigned n_same = 0;
    for (uint64_t index = 200; index-- > 0;) {
        uint32_t again[2];
        pairs_draw(&pairs, 10, index, other);
        pairs_draw(&pairs, 9, index, again);
        assert_memory_equal(again, forward[index], sizeof again);
        n_same += memcmp(other, again, sizeof again) == 0;
    }
    assert_in_range(n_same, 0, 20); /* about 1 in 180 by chance */
}

static void expect_refused(const uint8_t *labels, uint64_t n, const char *words)
{
    struct error why = {""};
    struct pairs pairs = {.n = 77};
    assert_int_equal(pairs_init(&pairs, labels, n, &why), -EINVAL);
    assert_non_null(strstr(why.text, words));
    assert_int_equal(pairs.n, 77);
}

static void recording_without_exactly_one_digit_is_refused(void **state)
{
    (void)state;
    struct source source = source_of(tables[3]);
    source.labels[4 * N_DIGITS + 4] = 0;
    expect_refused(source.labels, source.n, "recording 4 ");
    source.labels[4 * N_DIGITS + 4] = source.labels[4 * N_DIGITS + 9] = 1;
    expect_refused(source.labels, source.n, "recording 4 ");
}

static void digit_that_is_not_kept_together_is_refused(void **state)
{
    (void)state;
    uint8_t labels[4 * N_DIGITS] = {0};
    labels[0 * N_DIGITS + 5] = labels[1 * N_DIGITS + 6] = labels[2 * N_DIGITS + 6] = 1;
    labels[3 * N_DIGITS + 5] = 1;
    expect_refused(labels, 4, "recording 3: digit 5 ");
}

static void pairs_need_two_digits(void **state)
{
    (void)state;
    uint8_t labels[3 * N_DIGITS] = {0};
    expect_refused(labels, 0, "two digits");
    for (int i = 0; i < 3; i++)
        labels[i * N_DIGITS + 8] = 1;
    expect_refused(labels, 3, "two digits");
    assert_int_equal(pairs_init(&(struct pairs){0}, labels, 3, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_says_where_each_digit_stands),
        cmocka_unit_test(digits_may_stand_in_any_order),
        cmocka_unit_test(pairs_are_those_of_numpy),
        cmocka_unit_test(pairs_are_all_pairs_of_different_digits),
        cmocka_unit_test(first_of_a_pair_is_any_recording_alike),
        cmocka_unit_test(pair_depends_on_seed_and_index_alone),
        cmocka_unit_test(recording_without_exactly_one_digit_is_refused),
        cmocka_unit_test(digit_that_is_not_kept_together_is_refused),
        cmocka_unit_test(pairs_need_two_digits),
    };
    return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
