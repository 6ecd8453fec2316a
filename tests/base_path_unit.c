/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/base_path: which prefixes there are, and what is behind one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base_path.h"

static void a_prefix_is_of_whole_parts(void **state)
{
    (void)state;
    static const char *const good[] = {"", "/a", "/a/b", "/A-z_0.9~", "/...", "/.a", "/a./..b"};
    static const char *const bad[] = {"a",     "/",   "//",  "/a/",   "a/b",
                                      "/a//b", "/.",  "/..", "/a/..", "/a b",
                                      "/a%20", "/a?", "/a#", "/a\"b", "/\xc3\xa4"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!base_path_is_valid(good[i], strlen(good[i])))
            fail_msg("\"%s\" is one", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (base_path_is_valid(bad[i], strlen(bad[i])))
            fail_msg("\"%s\" is none", bad[i]);
}

static void a_prefix_has_a_longest(void **state)
{
    (void)state;
    char text[BASE_PATH_MAX + 2];
    memset(text, 'x', sizeof text);
    text[0] = '/';
    assert_true(base_path_is_valid(text, BASE_PATH_MAX));
    assert_false(base_path_is_valid(text, BASE_PATH_MAX + 1));
}

static void no_more_than_its_characters_are_read(void **state)
{
    (void)state;
    assert_true(base_path_is_valid("/a b", 2));
    assert_false(base_path_is_valid("/a\0b", 4));
}

static void what_is_behind_the_prefix_is_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *behind;
    } rows[] = {
        {"", "/v1", "/v1"},         {"/a", "/a/v1", "/v1"}, {"/a", "/a", "/"},
        {"/a", "/a/", "/"},         {"/a", "/v1", "/v1"},   {"/a", "/ab/v1", "/ab/v1"},
        {"/a", "/a/a/v1", "/a/v1"}, {"/a", "", ""},         {"/a/b", "/a/v1", "/a/v1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(base_path_strip(rows[i].base, rows[i].path), rows[i].behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_is_of_whole_parts),
        cmocka_unit_test(a_prefix_has_a_longest),
        cmocka_unit_test(no_more_than_its_characters_are_read),
        cmocka_unit_test(what_is_behind_the_prefix_is_the_path),
    };
    return cmocka_run_group_tests_name("base_path", tests, NULL, NULL);
}
