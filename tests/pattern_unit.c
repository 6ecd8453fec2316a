/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/pattern. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/pattern.h"

static bool matches(const char *pattern, const char *path, struct match *ret)
{
    return pattern_matches(pattern, path, path + strlen(path), ret);
}

static void check_capture(const struct match *match, unsigned i, enum variable variable,
                          const char *text)
{
    assert_true(i < match->n);
    assert_int_equal(match->captures[i].variable, variable);
    assert_int_equal(match->captures[i].n, strlen(text));
    assert_memory_equal(match->captures[i].at, text, strlen(text));
}

static void a_path_without_variables_is_compared_whole(void **state)
{
    (void)state;
    struct match match;
    assert_true(matches("/healthz", "/healthz", &match));
    assert_int_equal(match.n, 0);
    static const char *const others[] = {"",          "/",         "/health", "/healthzz",
                                         "/healthz/", "//healthz", "healthz", "/Healthz"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(matches("/healthz", others[i], &match));
}

static void a_variable_is_one_whole_part_of_a_path(void **state)
{
    (void)state;
    struct match match;
    assert_true(matches("/v1/splits/{split}/samples/{i}", "/v1/splits/train/samples/17", &match));
    assert_int_equal(match.n, 2);
    check_capture(&match, 0, VARIABLE_SPLIT, "train");
    check_capture(&match, 1, VARIABLE_I, "17");
    static const char *const others[] = {
        "/v1/splits/train/samples/", "/v1/splits//samples/17",       "/v1/splits/a/b/samples/17",
        "/v1/splits/train/samples",  "/v1/splits/train/samples/1/",  "/v1/splits/train",
        "/v1/splits/train/sample/1", "/v1/splits/train/samples/1/2", "/v1/splits/",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(matches("/v1/splits/{split}/samples/{i}", others[i], &match));
}

static void the_end_of_the_path_is_where_it_is_said(void **state)
{
    (void)state;
    struct match match;
    const char *path = "/v1/splits/a.b.json";
    assert_true(
        pattern_matches("/v1/splits/{split}", path, path + strlen("/v1/splits/a.b"), &match));
    check_capture(&match, 0, VARIABLE_SPLIT, "a.b");
    assert_false(pattern_matches("/v1/splits/{split}", path, path + strlen("/v1/splits/"), &match));
    assert_false(pattern_matches("/v1/splits/{split}", path, path, &match));
    assert_true(pattern_matches("", path, path, &match));
}

static void a_variable_takes_any_character_but_a_slash(void **state)
{
    (void)state;
    struct match match;
    assert_true(matches("/v1/mix/{source}/{recordings}", "/v1/mix/%\xff@{}/1,2 ?", &match));
    check_capture(&match, 0, VARIABLE_SOURCE, "%\xff@{}");
    check_capture(&match, 1, VARIABLE_RECORDINGS, "1,2 ?");
}

static void as_many_variables_as_a_match_holds_are_found(void **state)
{
    (void)state;
    struct match match;
    assert_true(matches("/{split}/{order_seed}/{epoch}/{k}", "/a/1/2/3", &match));
    assert_int_equal(match.n, PATTERN_MAX_VARIABLES);
    check_capture(&match, 1, VARIABLE_ORDER_SEED, "1");
    check_capture(&match, 2, VARIABLE_EPOCH, "2");
    check_capture(&match, 3, VARIABLE_K, "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_without_variables_is_compared_whole),
        cmocka_unit_test(a_variable_is_one_whole_part_of_a_path),
        cmocka_unit_test(the_end_of_the_path_is_where_it_is_said),
        cmocka_unit_test(a_variable_takes_any_character_but_a_slash),
        cmocka_unit_test(as_many_variables_as_a_match_holds_are_found),
    };
    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
