/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/plan: NumPy's plans, and what is true of every plan. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/plan.h"
#include "tests/scarce.h"

/* rows by: l = list(range(10)); rs = RandomState(seed); rs.shuffle(l); then from the front, two if
 * rs.randint(1, 3) == 2 and there is a next one of another digit, else one */
static const uint8_t digits[] = {0, 0, 0, 1, 1, 2, 3, 3, 4, 9};

enum { N = sizeof digits };

static const struct {
    uint32_t seed;
    size_t n_rows;
    struct plan_row rows[N];
} known[] = {
    {PLAN_PUBLISHED_SEED,
     8,
     {{8, -1}, {1, -1}, {5, -1}, {0, -1}, {7, 2}, {9, -1}, {4, -1}, {3, 6}}},
    {0, 8, {{2, -1}, {8, 4}, {9, -1}, {1, -1}, {6, -1}, {7, -1}, {3, -1}, {0, 5}}},
    {UINT32_MAX, 6, {{6, 9}, {5, -1}, {1, 8}, {0, 7}, {4, -1}, {2, 3}}},
};

static void plan_is_that_of_numpy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct plan_row *rows;
        size_t n_rows;
        assert_int_equal(plan_make(digits, N, known[i].seed, &rows, &n_rows, NULL), 0);
        assert_int_equal(n_rows, known[i].n_rows);
        assert_memory_equal(rows, known[i].rows, n_rows * sizeof *rows);
        free(rows);
    }
}

static void check_plan(const uint8_t *shown, size_t n, uint32_t seed)
{
    struct plan_row *rows;
    size_t n_rows, n_used = 0;
    assert_int_equal(plan_make(shown, n, seed, &rows, &n_rows, NULL), 0);
    assert_in_range(n_rows, (n + 1) / 2, n);
    uint8_t used[64] = {0};
    for (size_t i = 0; i < n_rows; i++) {
        assert_in_range(rows[i].a, 0, n - 1);
        assert_int_equal(used[rows[i].a]++, 0);
        n_used++;
        if (rows[i].b == -1)
            continue;
        assert_in_range(rows[i].b, 0, n - 1);
        assert_int_equal(used[rows[i].b]++, 0);
        assert_int_not_equal(shown[rows[i].a], shown[rows[i].b]);
        n_used++;
    }
    assert_int_equal(n_used, n);
    free(rows);
}

static void plan_uses_each_recording_once_and_pairs_different_digits(void **state)
{
    (void)state;
    uint8_t shown[64];
    for (uint32_t seed = 0; seed < 300; seed++)
        for (size_t n = 1; n <= 64; n += 1 + seed % 7) {
            for (size_t i = 0; i < n; i++)
                shown[i] = (uint8_t)(i * (2 + seed % 9) / n);
            check_plan(shown, n, seed);
        }
}

static void plan_over_one_digit_has_no_pairs(void **state)
{
    (void)state;
    const uint8_t sevens[] = {7, 7, 7, 7, 7, 7, 7, 7};
    for (uint32_t seed = 0; seed < 50; seed++) {
        struct plan_row *rows;
        size_t n_rows;
        assert_int_equal(plan_make(sevens, sizeof sevens, seed, &rows, &n_rows, NULL), 0);
        assert_int_equal(n_rows, sizeof sevens);
        for (size_t i = 0; i < n_rows; i++)
            assert_int_equal(rows[i].b, -1);
        free(rows);
    }
}

static void plan_over_none_or_too_many_is_refused(void **state)
{
    (void)state;
    static const size_t bad[] = {0, (size_t)INT32_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        struct plan_row *rows = NULL;
        size_t n_rows = 77;
        char words[64];
        snprintf(words, sizeof words, "%zu recordings", bad[i]);
        assert_int_equal(plan_make(digits, bad[i], 1, &rows, &n_rows, &why), -ERANGE);
        assert_non_null(strstr(why.text, words));
        assert_null(rows);
        assert_int_equal(n_rows, 77);
    }
}

static int make(void *user, struct error *why)
{
    struct plan_row *rows = user;
    size_t n_rows;
    int r = plan_make(digits, N, 1, &rows, &n_rows, why);
    if (r == 0)
        free(rows);
    return r;
}

static void plan_without_memory_says_so(void **state)
{
    (void)state;
    assert_true(scarce_try(make, NULL) > 0);
}

static void name_is_that_of_the_published_archive(void **state)
{
    (void)state;
    char name[PLAN_NAME_SIZE];
    plan_name(name, 0, &(struct plan_row){.a = 9, .b = -1}, digits);
    assert_string_equal(name, "0_9.bin");
    plan_name(name, 41269, &(struct plan_row){.a = 5, .b = 0}, digits);
    assert_string_equal(name, "41269_2-0.bin");
    plan_name(name, INT32_MAX, &(struct plan_row){.a = 8, .b = 9}, digits);
    assert_string_equal(name, "2147483647_4-9.bin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_is_that_of_numpy),
        cmocka_unit_test(plan_uses_each_recording_once_and_pairs_different_digits),
        cmocka_unit_test(plan_over_one_digit_has_no_pairs),
        cmocka_unit_test(plan_over_none_or_too_many_is_refused),
        cmocka_unit_test(plan_without_memory_says_so),
        cmocka_unit_test(name_is_that_of_the_published_archive),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
