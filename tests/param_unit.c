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

#include "common/view_words.h"
#include "server/param.h"

enum { UNTOUCHED = 77 };

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

static void a_real_is_read_from_zero_to_below_one(void **state)
{
    (void)state;
    unsigned n = 0;
    for (enum param param = 0; param < N_PARAMS; param++) {
        struct error why;
        uint64_t value = UNTOUCHED;
        if (param_rows[param].kind != PARAM_REAL)
            continue;
        n++;
        assert_int_equal(param_value(param, "0", &value, &why), 0);
        assert_true(param_real(value) == 0 && value == param_rows[param].standard);
        assert_int_equal(param_value(param, "0.5", &value, &why), 0);
        assert_true(param_real(value) == 0.5 && value == param_of_real(0.5));
        assert_int_equal(param_value(param, "1", &value, &why), -ERANGE);
        assert_non_null(strstr(why.text, param_rows[param].name));
        assert_int_equal(param_value(param, ".5", &value, &why), -EINVAL);
        assert_true(param_real(value) == 0.5);
    }
    assert_int_equal(n, 1);
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

static void words_of_views_are_said_as_they_are_read(void **state)
{
    (void)state;
    for (enum param param = PARAM_KIND; param <= PARAM_FOLD_SEED; param++) {
        const struct param_row *row = &param_rows[param];
        enum view_word word = (enum view_word)(param - PARAM_KIND);
        struct view_rule rule;
        char text[24];
        assert_string_equal(view_word_name(word), row->name);
        for (uint64_t i = 0; row->kind == PARAM_CHOICE && row->choices[i]; i++) {
            const char *choice = row->choices[i];
            assert_int_equal(view_set(&rule, word, choice, strlen(choice), NULL), 0);
        }
        for (int end = 0; row->kind != PARAM_CHOICE && end < 2; end++) {
            uint64_t last = end ? row->max : row->min;
            snprintf(text, sizeof text, "%" PRIu64, last);
            assert_int_equal(view_set(&rule, word, text, strlen(text), NULL), 0);
            snprintf(text, sizeof text, "%" PRIu64, end ? last + 1 : last - 1);
            if (end || last > 0)
                assert_int_equal(view_set(&rule, word, text, strlen(text), NULL), -ERANGE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_has_its_place),
        cmocka_unit_test(every_number_is_taken_up_to_both_ends_of_its_range),
        cmocka_unit_test(a_real_is_read_from_zero_to_below_one),
        cmocka_unit_test(rows_are_found_by_their_names),
        cmocka_unit_test(words_of_views_are_said_as_they_are_read),
    };
    return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
