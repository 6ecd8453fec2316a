/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/command_line: the arguments taken apart, and what is wrong with them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/command_line.h"

#define PARSE(ret, why, ...) parse((char *const[]){"twonmnistd", __VA_ARGS__, NULL}, ret, why)

static int parse(char *const argv[], struct command_line *ret, struct error *why)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return command_line_parse(argc, argv, ret, why);
}

static void command_line_keeps_options_in_their_order(void **state)
{
    (void)state;
    struct command_line line;
    assert_int_equal(
        PARSE(&line, NULL, "--data", "/a", "--listen=[::1]:1", "--config", "-", "--x="), 0);
    static const char *const expected[][2] = {
        {"data", "/a"}, {"listen", "[::1]:1"}, {"config", "-"}, {"x", ""}};
    assert_int_equal(line.command, COMMAND_SERVE);
    assert_int_equal(line.n, 4);
    for (unsigned i = 0; i < line.n; i++) {
        assert_string_equal(line.options[i].name, expected[i][0]);
        assert_string_equal(line.options[i].value, expected[i][1]);
    }
    command_line_free(&line);
}

static void command_line_knows_its_commands(void **state)
{
    (void)state;
    static const struct {
        char *text;
        enum command command;
    } commands[] = {{"--help", COMMAND_HELP},
                    {"--version", COMMAND_VERSION},
                    {"--sample-config", COMMAND_SAMPLE},
                    {"--check-config", COMMAND_CHECK}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct command_line line;
        assert_int_equal(PARSE(&line, NULL, commands[i].text, "--data", "/a"), 0);
        assert_int_equal(line.command, commands[i].command);
        assert_int_equal(line.n, 1);
        command_line_free(&line);
    }
}

static void command_line_takes_a_commands_argument_where_it_has_one(void **state)
{
    (void)state;
    struct command_line line;
    assert_int_equal(PARSE(&line, NULL, "--reference"), 0);
    assert_int_equal(line.command, COMMAND_REFERENCE);
    assert_null(line.argument);
    command_line_free(&line);
    assert_int_equal(PARSE(&line, NULL, "--reference=settings"), 0);
    assert_int_equal(line.command, COMMAND_REFERENCE);
    assert_string_equal(line.argument, "settings");
    command_line_free(&line);
}

static void command_line_serves_where_there_is_none(void **state)
{
    (void)state;
    struct command_line line;
    assert_int_equal(command_line_parse(0, (char *const[]){NULL}, &line, NULL), 0);
    assert_int_equal(line.command, COMMAND_SERVE);
    assert_int_equal(line.n, 0);
    command_line_free(&line);
}

static void command_line_names_the_argument_that_is_wrong(void **state)
{
    (void)state;
    struct command_line line;
    struct error why;
    assert_int_equal(PARSE(&line, &why, "--threads"), -EINVAL);
    assert_string_equal(why.text, "--threads takes a value");
    assert_int_equal(PARSE(&line, &why, "--listen", "--threads", "1"), -EINVAL);
    assert_string_equal(why.text, "--listen takes a value");
    assert_int_equal(PARSE(&line, &why, "--threads", "1", "word"), -EINVAL);
    assert_string_equal(why.text, "\"word\" is not an option");
    assert_int_equal(PARSE(&line, &why, "-h"), -EINVAL);
    assert_string_equal(why.text, "\"-h\" is not an option");
    assert_int_equal(PARSE(&line, &why, "--", "x"), -EINVAL);
    assert_string_equal(why.text, "\"--\" is not an option");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line_keeps_options_in_their_order),
        cmocka_unit_test(command_line_knows_its_commands),
        cmocka_unit_test(command_line_takes_a_commands_argument_where_it_has_one),
        cmocka_unit_test(command_line_serves_where_there_is_none),
        cmocka_unit_test(command_line_names_the_argument_that_is_wrong),
    };
    return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
