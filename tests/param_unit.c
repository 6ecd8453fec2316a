/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/param. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/param.h"

enum { UNTOUCHED = 77 };

static void check_number(const char *text, uint64_t min, uint64_t max, uint64_t value)
{
    uint64_t got = UNTOUCHED;
    struct error why;
    assert_int_equal(param_number("size", text, strlen(text), min, max, &got, &why), 0);
    assert_true(got == value);
}

static void check_no_number(const char *text, uint64_t min, uint64_t max, int error,
                            const char *words)
{
    uint64_t got = UNTOUCHED;
    struct error why = {""};
    assert_int_equal(param_number("size", text, strlen(text), min, max, &got, &why), error);
    assert_int_equal(got, UNTOUCHED);
    if (!strstr(why.text, words) || strncmp(why.text, "size ", 5) != 0)
        fail_msg("%s: %s", text, why.text);
}

static void a_number_is_whole_and_in_its_range(void **state)
{
    (void)state;
    check_number("0", 0, 0, 0);
    check_number("1", 1, 5, 1);
    check_number("5", 1, 5, 5);
    check_number("0005", 1, 5, 5);
    check_number("0000000000000000000000000000000000000000000000005", 1, 5, 5);
    check_number("18446744073709551615", 0, UINT64_MAX, UINT64_MAX);
    check_no_number("0", 1, 5, -ERANGE, "from 1 to 5");
    check_no_number("6", 1, 5, -ERANGE, "size is 6; it goes from 1 to 5");
    check_no_number("18446744073709551616", 0, UINT64_MAX, -ERANGE, "to 18446744073709551615");
    check_no_number("99999999999999999999999999999999999999999999999999", 0, UINT64_MAX, -ERANGE,
                    "is 9999999999999999999999999999999999999999;");
}

static void what_is_no_number_is_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"-1",  "+1", " 1", "1 ", "1e3", "1.0", "0x1", "a",
                                        "1,2", "١",  "/",  ":",  "1\n", "−1",  "1_0"};
    check_no_number("", 0, 9, -EINVAL, "is empty");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_no_number(texts[i], 0, 9, -EINVAL, "takes a whole number, not \"");
    check_no_number("x234567890123456789012345678901234567890123456789", 0, 9, -EINVAL,
                    "not \"x234567890123456789012345678901234567890\"");
}

static void only_the_characters_that_are_said_are_read(void **state)
{
    (void)state;
    uint64_t value;
    struct error why;
    assert_int_equal(param_number("k", "123x", 2, 0, 99, &value, &why), 0);
    assert_int_equal(value, 12);
}

static void a_list_has_its_numbers_in_order(void **state)
{
    (void)state;
    struct numbers numbers;
    struct error why;
    const char *text = "7,0,7,2147483647";
    assert_int_equal(param_numbers("indices", text, strlen(text), 4, INT32_MAX, &numbers, &why), 0);
    static const uint64_t want[] = {7, 0, 7, INT32_MAX};
    assert_int_equal(numbers.n, 4);
    assert_memory_equal(numbers.items, want, sizeof want);
    free(numbers.items);
    assert_int_equal(param_numbers("indices", "1,2,3", 3, 2, 9, &numbers, &why), 0);
    assert_int_equal(numbers.n, 2);
    assert_int_equal(numbers.items[1], 2);
    free(numbers.items);
}

static void a_list_that_is_not_one_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        const char *words;
    } cases[] = {
        {"", -EINVAL, "is empty"},
        {",", -EINVAL, "is empty"},
        {"1,", -EINVAL, "is empty"},
        {",1", -EINVAL, "is empty"},
        {"1,,2", -EINVAL, "is empty"},
        {"1,a", -EINVAL, "not \"a\""},
        {"1, 2", -EINVAL, "not \" 2\""},
        {"1;2", -EINVAL, "not \"1;2\""},
        {"1,2147483648", -ERANGE, "to 2147483647"},
        {"0,0,0,0,0,0", -E2BIG, "indices lists 6 numbers; the limit is 5"},
        {",,,,,,,", -E2BIG, "lists 8 numbers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct numbers numbers = {.n = UNTOUCHED};
        struct error why;
        int r = param_numbers("indices", cases[i].text, strlen(cases[i].text), 5, INT32_MAX,
                              &numbers, &why);
        if (r != cases[i].error || !strstr(why.text, cases[i].words))
            fail_msg("\"%s\": %d, %s", cases[i].text, r, why.text);
        assert_null(numbers.items);
        assert_int_equal(numbers.n, UNTOUCHED);
    }
}

static void every_choice_has_its_place(void **state)
{
    (void)state;
    for (enum param param = 0; param < N_PARAMS; param++) {
        const struct param_row *row = &param_rows[param];
        struct error why;
        uint64_t value = UNTOUCHED;
        if (row->kind != PARAM_CHOICE)
            continue;
        assert_non_null(row->choices[row->standard]);
        for (uint64_t i = 0; row->choices[i]; i++) {
            assert_int_equal(param_value(param, row->choices[i], &value, &why), 0);
            assert_int_equal(value, i);
            assert_int_equal(param_value(param, "other", &value, &why), -EINVAL);
            assert_non_null(strstr(why.text, row->choices[i]));
            assert_non_null(strstr(why.text, row->name));
            assert_int_equal(value, i);
        }
        assert_int_equal(param_value(param, "", &value, &why), -EINVAL);
    }
}

static void every_number_is_taken_up_to_both_ends_of_its_range(void **state)
{
    (void)state;
    for (enum param param = 0; param < N_PARAMS; param++) {
        const struct param_row *row = &param_rows[param];
        struct error why;
        char text[24];
        uint64_t value = UNTOUCHED;
        if (row->kind != PARAM_NUMBER)
            continue;
        assert_true(row->min <= row->standard && row->standard <= row->max);
        for (int end = 0; end < 2; end++) {
            uint64_t last = end ? row->max : row->min;
            snprintf(text, sizeof text, "%" PRIu64, last);
            assert_int_equal(param_value(param, text, &value, &why), 0);
            assert_int_equal(value, last);
            if (last == 0)
                continue;
            snprintf(text, sizeof text, "%" PRIu64, end ? last + 1 : last - 1);
            assert_int_equal(param_value(param, text, &value, &why), -ERANGE);
            assert_int_equal(value, last);
        }
    }
}

static void rows_are_found_by_their_names(void **state)
{
    (void)state;
    for (enum param param = 0; param < N_PARAMS; param++) {
        assert_int_equal(param_find(param_rows[param].name), param);
        assert_true(strlen(param_rows[param].help) > 0);
    }
    for (enum variable variable = 0; variable < N_VARIABLES; variable++) {
        const char *name = variable_rows[variable].name;
        assert_int_equal(variable_find(name, strlen(name)), variable);
        assert_int_equal(variable_find(name, strlen(name) + 1), N_VARIABLES);
        assert_true(strlen(variable_rows[variable].help) > 0);
    }
    assert_int_equal(param_find(""), N_PARAMS);
    assert_int_equal(param_find("Size"), N_PARAMS);
    assert_int_equal(param_find("sizes"), N_PARAMS);
    assert_int_equal(variable_find("splits", 5), VARIABLE_SPLIT);
    assert_int_equal(variable_find("", 0), N_VARIABLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_whole_and_in_its_range),
        cmocka_unit_test(what_is_no_number_is_named),
        cmocka_unit_test(only_the_characters_that_are_said_are_read),
        cmocka_unit_test(a_list_has_its_numbers_in_order),
        cmocka_unit_test(a_list_that_is_not_one_is_refused),
        cmocka_unit_test(every_choice_has_its_place),
        cmocka_unit_test(every_number_is_taken_up_to_both_ends_of_its_range),
        cmocka_unit_test(rows_are_found_by_their_names),
    };
    return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
