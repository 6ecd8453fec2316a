/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/number: whole numbers in text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/number.h"
#include "tests/scarce.h"

enum { UNTOUCHED = 77 };

static int parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct error *why)
{
    return number_parse("size", text, strlen(text), min, max, ret, why);
}

static void number_is_read_up_to_the_last_one_of_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"7", 7},
                {"00010", 10},
                {"4294967296", 4294967296},
                {"18446744073709551615", UINT64_MAX},
                {"000000000000000000000000000000000000001", 1}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t value = UNTOUCHED;
        assert_int_equal(parse(good[i].text, 0, UINT64_MAX, &value, NULL), 0);
        assert_true(value == good[i].value);
    }
}

static void only_so_many_characters_are_looked_at(void **state)
{
    (void)state;
    uint64_t value;
    assert_int_equal(number_parse("k", "123x", 3, 0, 999, &value, NULL), 0);
    assert_int_equal(value, 123);
    assert_int_equal(number_parse("k", "12\0003", 4, 0, 999, &value, NULL), -EINVAL);
}

static void what_is_no_number_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"x",  "1x",  "-1",   "+1",  " 1",
                                      "1 ", "1e3", "0x10", "1.0", "1,2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        uint64_t value = UNTOUCHED;
        assert_int_equal(parse(bad[i], 0, 9999, &value, &why), -EINVAL);
        assert_int_equal(value, UNTOUCHED);
        assert_non_null(strstr(why.text, "size takes a whole number, not \""));
        assert_non_null(strstr(why.text, bad[i]));
    }
    struct error why = {""};
    uint64_t value = UNTOUCHED;
    assert_int_equal(parse("", 0, 9999, &value, &why), -EINVAL);
    assert_string_equal(why.text, "size is empty; it takes a whole number");
}

static void number_outside_its_range_is_told_with_the_range(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "6", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        uint64_t value = UNTOUCHED;
        assert_int_equal(parse(bad[i], 1, 5, &value, &why), -ERANGE);
        assert_int_equal(value, UNTOUCHED);
        assert_non_null(strstr(why.text, bad[i]));
        assert_non_null(strstr(why.text, "; it goes from 1 to 5"));
    }
    uint64_t value;
    assert_int_equal(parse("1", 1, 5, &value, NULL), 0);
    assert_int_equal(parse("5", 1, 5, &value, NULL), 0);
}

static void long_texts_are_shown_in_part(void **state)
{
    (void)state;
    char text[2000];
    memset(text, '9', sizeof text);
    struct error why = {""};
    uint64_t value;
    assert_int_equal(number_parse("k", text, sizeof text, 0, 9, &value, &why), -ERANGE);
    assert_in_range(strlen(why.text), 40, 80);
    text[0] = 'x';
    assert_int_equal(number_parse("k", text, sizeof text, 0, 9, &value, &why), -EINVAL);
    assert_in_range(strlen(why.text), 40, 80);
}

static int parse_list(const char *text, size_t most, struct numbers *ret, struct error *why)
{
    return number_parse_list("indices", text, strlen(text), most, 100, ret, why);
}

static void list_holds_the_numbers_between_its_commas(void **state)
{
    (void)state;
    struct numbers numbers;
    assert_int_equal(parse_list("5,0,100", 3, &numbers, NULL), 0);
    assert_int_equal(numbers.n, 3);
    assert_int_equal(numbers.items[0], 5);
    assert_int_equal(numbers.items[1], 0);
    assert_int_equal(numbers.items[2], 100);
    free(numbers.items);
    assert_int_equal(parse_list("7", 3, &numbers, NULL), 0);
    assert_int_equal(numbers.n, 1);
    free(numbers.items);
}

static void list_that_is_none_or_too_long_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *words;
    } bad[] = {{"", -EINVAL, "indices is empty"},
               {",", -EINVAL, "indices is empty"},
               {"1,", -EINVAL, "indices is empty"},
               {",1", -EINVAL, "indices is empty"},
               {"1,,2", -EINVAL, "indices is empty"},
               {"1, 2", -EINVAL, "whole number, not \" 2\""},
               {"1,101", -ERANGE, "indices is 101; it goes from 0 to 100"},
               {"1,2,3,4", -E2BIG, "indices lists 4 numbers; the limit is 3"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct numbers numbers = {.n = UNTOUCHED};
        struct error why = {""};
        assert_int_equal(parse_list(bad[i].text, 3, &numbers, &why), bad[i].code);
        assert_non_null(strstr(why.text, bad[i].words));
        assert_int_equal(numbers.n, UNTOUCHED);
    }
}

static int list_scarcely(void *user, struct error *why)
{
    (void)user;
    struct numbers numbers;
    int r = parse_list("1,2", 3, &numbers, why);
    if (r == 0)
        free(numbers.items);
    return r;
}

static void list_without_memory_says_so(void **state)
{
    (void)state;
    assert_true(scarce_try(list_scarcely, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_is_read_up_to_the_last_one_of_64_bits),
        cmocka_unit_test(only_so_many_characters_are_looked_at),
        cmocka_unit_test(what_is_no_number_is_named),
        cmocka_unit_test(number_outside_its_range_is_told_with_the_range),
        cmocka_unit_test(long_texts_are_shown_in_part),
        cmocka_unit_test(list_holds_the_numbers_between_its_commas),
        cmocka_unit_test(list_that_is_none_or_too_long_is_refused),
        cmocka_unit_test(list_without_memory_says_so),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
