/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/clean: what a terminal would obey does not reach it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clean.h"

static void expect(const char *text, const char *wanted)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    clean_line(copy);
    assert_string_equal(copy, wanted);
}

static void text_for_people_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const good[] = {"",       "plain", "N-MNIST: Orchard et al.",
                                       "é ü ß",  "数字",  "\U0001f600",
                                       "\u00a0", "~",     "\U0010ffff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        expect(good[i], good[i]);
}

static void control_characters_are_replaced(void **state)
{
    (void)state;
    expect("\033[31mred\a", "?[31mred?");
    expect("two\nlines\r\tand a \x7f", "two?lines??and a ?");
    expect("C1: \xc2\x9b"
           "31m",
           "C1: ?31m");
    expect("\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0");
}

static void characters_that_turn_the_direction_are_replaced(void **state)
{
    (void)state;
    expect("a\u202eb\u202cc", "a?b?c");
    expect("\u061c\u200e\u200f\u2066\u2067\u2068\u2069", "???????");
    expect("line\u2028end\u2029", "line?end?");
    expect("\ufeff", "?");
}

static void bytes_that_are_no_utf_8_are_replaced(void **state)
{
    (void)state;
    expect("\x9b"
           "31m",
           "?31m");      /* C1 in Latin-1 */
    expect("\xc3", "?"); /* cut off */
    expect("\xe2\x80", "??");
    expect("\xc0\x9b", "??"); /* in more bytes than it needs */
    expect("\xe0\x82\x9b", "???");
    expect("\xed\xa0\x80", "?");        /* half a surrogate */
    expect("\xf4\x90\x80\x80", "????"); /* past the last one */
    expect("\xff\xfe", "??");
    expect("a\x80z", "a?z");
}

/* Whatever comes: no byte below a space, none that begins C1, and never longer. */
static void nothing_gets_through(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char text[33];
        for (size_t i = 0; i < sizeof text - 1; i++)
            text[i] = (char)(rand() % 4 ? 0x80 + rand() % 128 : 1 + rand() % 127);
        text[32] = 0;
        clean_line(text);
        assert_true(strlen(text) <= 32);
        for (const char *at = text; *at; at++) {
            assert_true((uint8_t)*at >= ' ' && *at != 0x7f);
            assert_false((uint8_t)at[0] == 0xc2 && (uint8_t)at[1] < 0xa0);
        }
        char again[33];
        strcpy(again, text);
        clean_line(again);
        assert_string_equal(again, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_people_stays_as_it_is),
        cmocka_unit_test(control_characters_are_replaced),
        cmocka_unit_test(characters_that_turn_the_direction_are_replaced),
        cmocka_unit_test(bytes_that_are_no_utf_8_are_replaced),
        cmocka_unit_test(nothing_gets_through),
    };
    return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
