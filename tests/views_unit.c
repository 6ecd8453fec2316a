/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/views. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/view_words.h"
#include "server/samples/views.h"
#include "tests/scarce.h"
#include "tests/small_catalog.h"

/* Views that are there for their size alone: `none` with label 9, fold_seed says how long. */
int __real_view_positions(const struct view_rule *rule, const struct view_of *of, uint32_t **ret,
                          uint32_t *ret_n, struct error *why);
int __wrap_view_positions(const struct view_rule *rule, const struct view_of *of, uint32_t **ret,
                          uint32_t *ret_n, struct error *why);
int __wrap_view_positions(const struct view_rule *rule, const struct view_of *of, uint32_t **ret,
                          uint32_t *ret_n, struct error *why)
{
    if (!view_labels_has(&rule->none, 9))
        return __real_view_positions(rule, of, ret, ret_n, why);
    *ret_n = rule->fold_seed;
    *ret = calloc(rule->fold_seed, sizeof **ret);
    return *ret ? 0 : -ENOMEM;
}

int __real_view_sha256(const uint32_t *positions, uint32_t n, char ret[SHA256_HEX + 1]);
int __wrap_view_sha256(const uint32_t *positions, uint32_t n, char ret[SHA256_HEX + 1]);
int __wrap_view_sha256(const uint32_t *positions, uint32_t n, char ret[SHA256_HEX + 1])
{
    return __real_view_sha256(positions, n < 1000 ? n : 0, ret);
}

struct fixture {
    struct small_catalog small;
    struct views *views;
};

static int open_fixture(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    small_catalog_open(&fixture->small);
    *state = fixture;
    return views_new(&fixture->views);
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    views_free(fixture->views);
    small_catalog_close(&fixture->small);
    free(fixture);
    return 0;
}

static struct view_rule rule_of(const char *words)
{
    struct view_rule rule;
    assert_int_equal(view_parse(words, &rule, NULL), 0);
    return rule;
}

static struct view *borrow(struct fixture *fixture, const struct entry *entry, const char *words)
{
    const struct view_rule rule = rule_of(words);
    struct view *view = NULL;
    assert_int_equal(views_borrow(fixture->views, entry, &rule, &view, NULL), 0);
    return view;
}

static void use(struct fixture *fixture, const char *words)
{
    views_return(borrow(fixture, fixture->small.timed, words));
}

static bool has(struct fixture *fixture, const struct entry *entry, const char *words)
{
    const struct view_rule rule = rule_of(words);
    struct view *view = views_find(fixture->views, entry, &rule);
    views_return(view);
    return view;
}

static void a_view_has_the_positions_of_its_rule(void **state)
{
    struct fixture *fixture = *state;
    const struct split *split = fixture->small.timed->split;
    char sha256[SHA256_HEX + 1];
    for (int again = 0; again < 2; again++) {
        struct view *view = borrow(fixture, fixture->small.timed, "kind=pair");
        uint32_t n = 0;
        for (uint32_t i = 0; i < split_n_samples(split); i++) {
            unsigned digits = 0;
            for (unsigned digit = 0; digit < N_DIGITS; digit++)
                digits += split_sample(split, i).labels[digit];
            if (digits == 2)
                assert_int_equal(view->positions[n++], i);
        }
        assert_true(n > 1);
        assert_int_equal(view->n, n);
        assert_int_equal(view_sha256(view->positions, n, sha256), 0);
        assert_string_equal(view->sha256, sha256);
        views_return(view);
    }
}

static void rule_and_revision_tell_views_apart(void **state)
{
    struct fixture *fixture = *state;
    const struct entry *timed = fixture->small.timed, *other = fixture->small.published;
    struct view *view = borrow(fixture, timed, "kind=pair"),
                *again = borrow(fixture, timed, "kind=pair");
    assert_ptr_equal(view, again);
    assert_true(has(fixture, timed, "kind=pair"));
    assert_false(has(fixture, timed, "kind=single"));
    assert_false(has(fixture, other, "kind=pair"));
    views_return(again);
    views_return(view);
    views_return(NULL);
}

static void an_empty_view_is_none(void **state)
{
    struct fixture *fixture = *state;
    const struct view_rule rule = rule_of("kind=single&all=0,1");
    struct view *view = NULL;
    struct error why;
    assert_int_equal(views_borrow(fixture->views, fixture->small.timed, &rule, &view, &why),
                     -EINVAL);
    assert_string_equal(why.text, "the view kind=single&all=0,1 of timed is empty: all=0,1 leaves "
                                  "no sample");
    assert_null(view);
    assert_false(has(fixture, fixture->small.timed, "kind=single&all=0,1"));
}

static void what_was_not_used_for_longest_goes_first(void **state)
{
    struct fixture *fixture = *state;
    const struct entry *timed = fixture->small.timed;
    struct view *held = borrow(fixture, timed, "kind=pair");
    for (unsigned seed = 1; seed < 400; seed++) {
        char words[64];
        snprintf(words, sizeof words, "per_class=1&fold_seed=%u", seed);
        use(fixture, words);
        assert_true(has(fixture, timed, "per_class=1&fold_seed=1")); /* and so it was used */
    }
    assert_false(has(fixture, timed, "kind=pair"));
    assert_false(has(fixture, timed, "per_class=1&fold_seed=2"));
    assert_true(has(fixture, timed, "per_class=1&fold_seed=399"));
    assert_true(held->n > 1 && held->positions[0] < held->positions[1]);
    views_return(held);
}

static void the_cache_holds_a_bounded_number_of_bytes(void **state)
{
    struct fixture *fixture = *state;
    const struct entry *timed = fixture->small.timed;
    enum { THIRD = VIEWS_MAX_BYTES / 3 / sizeof(uint32_t) };
    char first[64], second[64], third[64];
    snprintf(first, sizeof first, "none=9&per_class=1&fold_seed=%d", (int)THIRD);
    snprintf(second, sizeof second, "none=9&per_class=2&fold_seed=%d", (int)THIRD);
    snprintf(third, sizeof third, "none=9&per_class=3&fold_seed=%d", (int)THIRD);
    use(fixture, first);
    use(fixture, second);
    assert_true(has(fixture, timed, first) && has(fixture, timed, second));
    use(fixture, third);
    assert_false(has(fixture, timed, first));
    assert_true(has(fixture, timed, second) && has(fixture, timed, third));
}

struct scarce_view {
    struct fixture *fixture;
    unsigned seed;
};

static int borrow_scarcely(void *user, struct error *why)
{
    struct scarce_view *scarce = user;
    const struct view_rule rule = {.given = VIEW_BIT(VIEW_PER_CLASS) | VIEW_BIT(VIEW_FOLD_SEED),
                                   .per_class = 1,
                                   .fold_seed = scarce->seed++};
    struct view *view;
    int r = views_borrow(scarce->fixture->views, scarce->fixture->small.timed, &rule, &view, why);
    if (r == 0)
        views_return(view);
    return r;
}

static void without_memory_there_is_a_reason(void **state)
{
    struct scarce_view scarce = {.fixture = *state};
    assert_true(scarce_try(borrow_scarcely, &scarce) > 3);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_view_has_the_positions_of_its_rule),
        TEST(rule_and_revision_tell_views_apart),
        TEST(an_empty_view_is_none),
        TEST(what_was_not_used_for_longest_goes_first),
        TEST(the_cache_holds_a_bounded_number_of_bytes),
        TEST(without_memory_there_is_a_reason),
    };
    return cmocka_run_group_tests_name("views", tests, NULL, NULL);
}
