/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/view_words: rules as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/view_words.h"

static void a_rule_is_written_in_one_way(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"kind=pair", "kind=pair"},
        {"none=5&any=8,3,3&kind=single", "kind=single&any=3,8&none=5"},
        {"part=rest&folds=1000", "folds=1000&fold=0&part=rest&fold_seed=0"},
        {"per_class=2147483647&fold_seed=4294967295", "per_class=2147483647&fold_seed=4294967295"},
        {"all=255,0&folds=2&fold=1&part=held&per_class=1",
         "all=0,255&folds=2&fold=1&part=held&per_class=1&fold_seed=0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view_rule rule, again;
        char text[VIEW_TEXT_SIZE];
        assert_int_equal(view_parse(rows[i].text, &rule, NULL), 0);
        view_text(&rule, text);
        assert_string_equal(text, rows[i].want);
        assert_int_equal(view_parse(text, &again, NULL), 0);
        assert_true(view_equal(&rule, &again));
    }
}

static void what_is_no_rule_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
        int r;
    } rows[] = {
        {"kind=triple", "kind is \"triple\"; it is one of single, pair", -EINVAL},
        {"kind=", "kind is \"\"; it is one of single, pair", -EINVAL},
        {"part=whole", "part is \"whole\"; it is one of held, rest", -EINVAL},
        {"any=", "any is empty; it takes a whole number", -EINVAL},
        {"any=3,", "any is empty; it takes a whole number", -EINVAL},
        {"all=3,x", "all takes a whole number, not \"x\"", -EINVAL},
        {"none=256", "none is 256; it goes from 0 to 255", -ERANGE},
        {"folds=1&part=held", "folds is 1; it goes from 2 to 1000", -ERANGE},
        {"folds=1001&part=held", "folds is 1001; it goes from 2 to 1000", -ERANGE},
        {"folds=10&fold=10&part=held", "fold is 10; of 10 folds the last is 9", -EINVAL},
        {"folds=10", "folds goes with part, which is held or rest", -EINVAL},
        {"fold=1", "fold goes with folds, which says how many there are", -EINVAL},
        {"part=held", "part goes with folds, which says how many there are", -EINVAL},
        {"fold_seed=1", "fold_seed goes with folds or per_class", -EINVAL},
        {"fold_seed=4294967296&per_class=1",
         "fold_seed is 4294967296; it goes from 0 to 4294967295", -ERANGE},
        {"per_class=0", "per_class is 0; it goes from 1 to 2147483647", -ERANGE},
        {"kind=pair&kind=pair", "kind is given twice", -EINVAL},
        {"digits=3", "\"digits=3\" is no word of a view", -EINVAL},
        {"kind", "\"kind\" is no word of a view", -EINVAL},
        {"&", "\"\" is no word of a view", -EINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view_rule rule = {.folds = 77};
        struct error why;
        assert_int_equal(view_parse(rows[i].text, &rule, &why), rows[i].r);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(rule.folds, 77);
    }
}

static void the_longest_rule_has_room(void **state)
{
    (void)state;
    struct view_rule rule = {0};
    for (uint32_t label = 0; label < GEOMETRY_LABELS_MAX; label++) {
        view_labels_add(&rule.any, label);
        view_labels_add(&rule.all, label);
        view_labels_add(&rule.none, label);
    }
    rule.given = VIEW_BIT(N_VIEW_WORDS) - 1;
    rule.folds = VIEW_FOLDS_MAX;
    rule.fold = VIEW_FOLDS_MAX - 1;
    rule.per_class = INT32_MAX;
    rule.fold_seed = UINT32_MAX;
    char text[VIEW_TEXT_SIZE];
    struct view_rule again;
    view_text(&rule, text);
    assert_int_equal(view_parse(text, &again, NULL), 0);
    assert_true(view_equal(&rule, &again));
}

static void names_are_found_whole(void **state)
{
    (void)state;
    for (enum view_word word = 0; word < N_VIEW_WORDS; word++) {
        const char *name = view_word_name(word);
        assert_int_equal(view_word_find(name, strlen(name)), word);
        assert_int_not_equal(view_word_find(name, strlen(name) - 1), word);
    }
    assert_int_equal(view_word_find("kinds", 5), N_VIEW_WORDS);
    assert_int_equal(view_word_find("", 0), N_VIEW_WORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_written_in_one_way),
        cmocka_unit_test(what_is_no_rule_is_refused_with_its_reason),
        cmocka_unit_test(the_longest_rule_has_room),
        cmocka_unit_test(names_are_found_whole),
    };
    return cmocka_run_group_tests_name("view words", tests, NULL, NULL);
}
