/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/log: what may stand in a line, and which lines are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/log.h"

static void check_clean(const char *text, const char *expected)
{
    char out[256];
    assert_int_equal(log_clean(text, out, sizeof out), strlen(expected));
    assert_string_equal(out, expected);
}

static void log_keeps_what_can_be_printed(void **state)
{
    (void)state;
    check_clean("", "");
    check_clean("plain ~ text \\ %s", "plain ~ text \\ %s");
    check_clean("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void log_escapes_controls_of_both_kinds(void **state)
{
    (void)state;
    check_clean("a\nb\r\tc", "a\\x0ab\\x0d\\x09c");
    check_clean("\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f");
    check_clean("\xc2\x9b"
                "31m",
                "\\xc2\\x9b31m"); /* CSI in one character */
    check_clean("\xc2\xa0", "\xc2\xa0");
}

static void log_escapes_ends_of_lines_and_turns_of_direction(void **state)
{
    (void)state;
    check_clean("\xe2\x80\xa8", "\\xe2\\x80\\xa8");
    check_clean("\xe2\x80\xae"
                "txt",
                "\\xe2\\x80\\xaetxt");
    check_clean("\xe2\x81\xa6", "\\xe2\\x81\\xa6");
}

static void log_escapes_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    check_clean("\x80", "\\x80");
    check_clean("\xff"
                "a",
                "\\xffa");
    check_clean("\xc3(", "\\xc3(");
    check_clean("\xe2\x82", "\\xe2\\x82");                   /* cut */
    check_clean("\xc0\xaf", "\\xc0\\xaf");                   /* longer than need be */
    check_clean("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
    check_clean("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
}

static void log_cuts_at_a_whole_character(void **state)
{
    (void)state;
    char out[6];
    assert_int_equal(log_clean("abc\xe2\x82\xac", out, sizeof out), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(log_clean("ab\xe2\x82\xac"
                               "c",
                               out, sizeof out),
                     5);
    assert_string_equal(out, "ab\xe2\x82\xac");
    assert_int_equal(log_clean("ab\n", out, sizeof out), 2);
    assert_int_equal(log_clean("a", out, 1), 0);
}

/* Standard error is a file while `write_lines` runs. */
static char *written(void (*write_lines)(void))
{
    static char text[8192];
    FILE *file = tmpfile();
    assert_non_null(file);
    int before = dup(STDERR_FILENO);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    write_lines();
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void write_each_level(void)
{
    log_error("a %d", 1);
    log_warning("b\n%s", "forged");
    log_info("c");
    log_debug("d");
}

static void log_writes_the_levels_up_to_the_one_that_is_set(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_LEVEL_INFO);
    assert_string_equal(written(write_each_level), "twonmnistd: error: a 1\n"
                                                   "twonmnistd: warning: b\\x0aforged\n"
                                                   "twonmnistd: c\n");
    log_set_level(LOG_LEVEL_ERROR);
    assert_string_equal(written(write_each_level), "twonmnistd: error: a 1\n");
    log_set_level(LOG_LEVEL_DEBUG);
    assert_non_null(strstr(written(write_each_level), "twonmnistd: debug: d\n"));
}

static void log_puts_the_priority_first_for_the_journal(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_string_equal(written(write_each_level), "<3>a 1\n<4>b\\x0aforged\n<6>c\n<7>d\n");
    unsetenv("JOURNAL_STREAM");
}

static void write_a_long_line(void)
{
    char text[4096];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 3);
    log_error("%s", text);
}

static void log_ends_a_long_line_with_a_whole_character_and_a_newline(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    const char *line = written(write_a_long_line);
    size_t n = strlen(line);
    assert_in_range(n, 1500, 2100);
    assert_string_equal(line + n - 3, "\xc3\xa4\n");
    assert_null(strchr(line, '\\'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_keeps_what_can_be_printed),
        cmocka_unit_test(log_escapes_controls_of_both_kinds),
        cmocka_unit_test(log_escapes_ends_of_lines_and_turns_of_direction),
        cmocka_unit_test(log_escapes_bytes_that_are_no_utf8),
        cmocka_unit_test(log_cuts_at_a_whole_character),
        cmocka_unit_test(log_writes_the_levels_up_to_the_one_that_is_set),
        cmocka_unit_test(log_puts_the_priority_first_for_the_journal),
        cmocka_unit_test(log_ends_a_long_line_with_a_whole_character_and_a_newline),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
