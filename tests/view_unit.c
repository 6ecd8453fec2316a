/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/view: which samples a rule keeps, against lists that NumPy made and against the
 * rule once more, written down as slowly as it is said. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mt19937.h"
#include "common/view.h"
#include "common/view_words.h"
#include "tests/scarce.h"

enum { N = 12, N_MANY = 400, END = -1 };

/* 3, 8, 3 with 8, …, 0 with 5 */
static const uint8_t labels[N][N_DIGITS] = {
#define A          \
    {              \
        0, 0, 0, 1 \
    }
#define B                         \
    {                             \
        0, 0, 0, 0, 0, 0, 0, 0, 1 \
    }
#define C                         \
    {                             \
        0, 0, 0, 1, 0, 0, 0, 0, 1 \
    }
    A, B, C, A, B, C, A, B, C, {1, 0, 0, 0, 0, 1}, A, A,
#undef A
#undef B
#undef C
};

static const struct view_of few = {.name = "t", .labels = labels[0], .n = N, .n_labels = N_DIGITS};

static int keep(const char *words, const struct view_of *of, uint32_t **ret, uint32_t *ret_n,
                struct error *why)
{
    struct view_rule rule;
    int r = view_parse(words, &rule, why);
    return r < 0 ? r : view_positions(&rule, of, ret, ret_n, why);
}

static void words_keep_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int want[N + 1];
    } rows[] = {
        {"", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, END}},
        {"kind=single", {0, 1, 3, 4, 6, 7, 10, 11, END}},
        {"kind=pair", {2, 5, 8, 9, END}},
        {"any=8,5", {1, 2, 4, 5, 7, 8, 9, END}},
        {"all=8,3", {2, 5, 8, END}},
        {"none=8", {0, 3, 6, 9, 10, 11, END}},
        {"any=3&none=8&kind=single", {0, 3, 6, 10, 11, END}},
        /* numpy.random.RandomState([seed]).permutation(12) */
        {"folds=3&fold=1&part=held", {1, 3, 5, 11, END}},
        {"folds=3&fold=1&part=rest", {0, 2, 4, 6, 7, 8, 9, 10, END}},
        {"per_class=2", {1, 3, 5, 6, 7, 8, 9, END}},
        {"folds=3&fold=0&part=held&per_class=2", {6, 7, 8, 9, END}},
        {"folds=3&fold=1&part=held&fold_seed=7", {0, 5, 7, 10, END}},
        {"per_class=2&fold_seed=7", {1, 2, 5, 6, 7, 9, 10, END}},
        {"folds=3&part=held&per_class=2&fold_seed=7", {1, 2, 6, 9, END}},
        {"folds=3&fold=1&part=held&fold_seed=4294967295", {1, 5, 10, 11, END}},
        {"per_class=2&fold_seed=4294967295", {1, 2, 5, 6, 7, 9, 11, END}},
        /* folds do not move with the other words */
        {"kind=pair&folds=3&fold=1&part=held", {5, END}},
        /* more than there are */
        {"per_class=5", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, END}},
        {"folds=1000&fold=4&part=held", {11, END}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t *got, n, n_want = 0;
        struct error why;
        if (keep(rows[i].words, &few, &got, &n, &why) < 0)
            fail_msg("%s: %s", rows[i].words, why.text);
        for (; rows[i].want[n_want] != END; n_want++)
            assert_true(n_want < n && got[n_want] == (uint32_t)rows[i].want[n_want]);
        assert_int_equal(n, n_want);
        free(got);
    }
}

static void a_view_of_nothing_says_which_word_left_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *words, *text;
    } rows[] = {
        {"any=1", "the view any=1 of t is empty: any=1 leaves no sample"},
        {"kind=pair&any=1,2", "the view kind=pair&any=1,2 of t is empty: any=1,2 leaves no sample"},
        {"kind=single&all=3,8",
         "the view kind=single&all=3,8 of t is empty: all=3,8 leaves no sample"},
        {"kind=pair&none=0,3", "the view kind=pair&none=0,3 of t is empty: none=0,3 leaves no "
                               "sample"},
        {"any=5&folds=3&fold=1&part=held",
         "the view any=5&folds=3&fold=1&part=held&fold_seed=0 of t is empty: folds=3 leaves no "
         "sample"},
        {"folds=3&fold=2&part=held&per_class=1",
         "the view folds=3&fold=2&part=held&per_class=1&fold_seed=0 of t is empty: per_class=1 "
         "leaves no sample"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t *got = NULL, n;
        struct error why;
        assert_int_equal(keep(rows[i].words, &few, &got, &n, &why), -EINVAL);
        assert_string_equal(why.text, rows[i].text);
        assert_null(got);
    }
}

static void labels_that_there_are_not_are_refused(void **state)
{
    (void)state;
    uint32_t *got = NULL, n;
    struct error why;
    assert_int_equal(keep("kind=pair&none=3,10", &few, &got, &n, &why), -EINVAL);
    assert_string_equal(why.text, "none names label 10; there are 0 to 9");
    assert_null(got);
}

/* Labels past the first 64, which take more than one word. */
static void labels_go_up_to_255(void **state)
{
    (void)state;
    static uint8_t wide[4][GEOMETRY_LABELS_MAX];
    wide[0][255] = wide[1][255] = wide[1][64] = wide[2][0] = wide[3][255] = 1;
    const struct view_of of = {.name = "w", .labels = wide[0], .n = 4, .n_labels = 256};
    static const struct {
        const char *words;
        uint32_t n, first;
    } rows[] = {{"all=64,255", 1, 1},
                {"any=64", 1, 1},
                {"none=255", 1, 2},
                {"kind=single&any=255", 2, 0},
                {"per_class=1", 3, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t *got, n;
        assert_int_equal(keep(rows[i].words, &of, &got, &n, NULL), 0);
        assert_int_equal(n, rows[i].n);
        if (i < 4)
            assert_int_equal(got[0], rows[i].first);
        free(got);
    }
}

/* The rank of sample i among those that show the same, by counting those before it. */
static uint32_t slow_rank(const struct view_of *of, const uint32_t *order, uint32_t i)
{
    uint32_t rank = 0;
    for (uint32_t k = 0; order[k] != i; k++)
        rank += memcmp(of->labels + order[k] * of->n_labels, of->labels + i * of->n_labels,
                       of->n_labels) == 0;
    return rank;
}

static void folds_and_few_of_a_class_are_those_of_the_rule(void **state)
{
    (void)state;
    static uint8_t many[N_MANY][N_DIGITS];
    struct mt19937 mt;
    for (uint32_t seed = 0; seed < 20; seed++) {
        memset(many, 0, sizeof many);
        mt19937_init_genrand(&mt, seed);
        uint32_t n = 1 + (uint32_t)mt19937_bounded(&mt, N_MANY - 1), order[N_MANY];
        for (uint32_t i = 0; i < n; i++)
            for (unsigned digits = 0; digits < 2; digits++)
                many[i][mt19937_bounded(&mt, N_DIGITS - 1)] = 1;
        const struct view_of of = {"m", many[0], n, N_DIGITS};
        uint32_t folds = 2 + (uint32_t)mt19937_bounded(&mt, 8), fold = seed % folds;
        uint32_t most = 1 + (uint32_t)mt19937_bounded(&mt, 3);
        mt19937_init_by_array(&mt, &seed, 1);
        mt19937_permutation(&mt, n, order);
        const struct view_rule rules[] = {
            {.given = VIEW_BIT(VIEW_FOLDS), .folds = folds, .fold = fold, .fold_seed = seed},
            {.given = VIEW_BIT(VIEW_FOLDS),
             .folds = folds,
             .fold = fold,
             .part = VIEW_REST,
             .fold_seed = seed},
            {.given = VIEW_BIT(VIEW_PER_CLASS), .per_class = most, .fold_seed = seed},
        };
        for (unsigned k = 0; k < sizeof rules / sizeof *rules; k++) {
            uint32_t *got, n_got, at = 0;
            if (view_positions(&rules[k], &of, &got, &n_got, NULL) < 0)
                n_got = 0; /* of few samples a fold may be empty */
            for (uint32_t i = 0; i < n; i++) {
                uint32_t rank = slow_rank(&of, order, i);
                bool is_held = rank % folds == fold;
                if (k == 0 ? is_held : k == 1 ? !is_held : rank < most)
                    assert_true(at < n_got && got[at++] == i);
            }
            assert_int_equal(at, n_got);
            if (n_got)
                free(got);
        }
    }
}

static void the_hash_is_that_of_u64(void **state)
{
    (void)state;
    char hex[SHA256_HEX + 1];
    assert_int_equal(view_sha256((const uint32_t[]){0, 3, 70000}, 3, hex), 0);
    /* hashlib.sha256(numpy.array([0, 3, 70000], "<u8")) */
    assert_string_equal(hex, "fc31edfc0ddf65944f474e4cd350306320d6258be84c0fdc268fc2044ea47da2");
}

static void rules_are_equal_where_they_say_the_same(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"any=3,8", "any=8,3,3"},
        {"folds=4&part=held", "part=held&fold_seed=0&folds=4&fold=0"},
        {"per_class=2", "fold_seed=0&per_class=2"},
    };
    static const char *const others[] = {"",
                                         "kind=pair",
                                         "kind=single",
                                         "any=3,8",
                                         "any=3",
                                         "all=3",
                                         "none=3",
                                         "per_class=2",
                                         "per_class=3",
                                         "per_class=2&fold_seed=1",
                                         "folds=4&part=held",
                                         "folds=5&part=held",
                                         "folds=4&part=rest",
                                         "folds=4&fold=1&part=held"};
    struct view_rule a, b;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(view_parse(rows[i][0], &a, NULL), 0);
        assert_int_equal(view_parse(rows[i][1], &b, NULL), 0);
        assert_true(view_equal(&a, &b));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            assert_int_equal(view_parse(others[i], &a, NULL), 0);
            assert_int_equal(view_parse(others[k], &b, NULL), 0);
            assert_true(view_equal(&a, &b) == (i == k));
        }
}

static int keep_scarcely(void *user, struct error *why)
{
    uint32_t *got, n;
    int r = keep(user, &few, &got, &n, why);
    if (r == 0)
        free(got);
    return r;
}

static void without_memory_there_is_a_reason(void **state)
{
    (void)state;
    assert_true(scarce_try(keep_scarcely, "kind=pair") > 0);
    assert_true(scarce_try(keep_scarcely, "folds=3&part=held") > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_keep_what_they_say),
        cmocka_unit_test(a_view_of_nothing_says_which_word_left_nothing),
        cmocka_unit_test(labels_that_there_are_not_are_refused),
        cmocka_unit_test(labels_go_up_to_255),
        cmocka_unit_test(folds_and_few_of_a_class_are_those_of_the_rule),
        cmocka_unit_test(the_hash_is_that_of_u64),
        cmocka_unit_test(rules_are_equal_where_they_say_the_same),
        cmocka_unit_test(without_memory_there_is_a_reason),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
