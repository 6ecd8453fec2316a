/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/options. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/options.h"
#include "tests/scarce.h"
#include "tests/scratch.h"

/* Each number of the table, whatever rows it has. */
static const struct {
    const char *name;
    uint64_t standard, min, max;
    size_t at;
} numbers[] = {
#define X(name, standard, min, max, help) {#name, standard, min, max, offsetof(tnm_options, name)},
    OPTIONS_NUMBERS(X)
#undef X
};

enum { N_NUMBERS = sizeof numbers / sizeof *numbers };

static tnm_options *fresh(void)
{
    tnm_options *options;
    assert_int_equal(tnm_options_new(&options), 0);
    return options;
}

static uint64_t number_of(const tnm_options *options, size_t i)
{
    uint64_t number;
    memcpy(&number, (const char *)options + numbers[i].at, sizeof number);
    return number;
}

static int set_number(tnm_options *options, size_t i, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return tnm_options_set(options, numbers[i].name, text);
}

static void numbers_have_their_defaults_and_ranges(void **state)
{
    (void)state;
    tnm_options *options = fresh();
    for (size_t i = 0; i < N_NUMBERS; i++) {
        assert_int_equal(number_of(options, i), numbers[i].standard);
        assert_in_range(numbers[i].standard, numbers[i].min, numbers[i].max);
        assert_int_equal(set_number(options, i, numbers[i].min), 0);
        assert_int_equal(number_of(options, i), numbers[i].min);
        assert_int_equal(set_number(options, i, numbers[i].max), 0);
        assert_int_equal(number_of(options, i), numbers[i].max);
        assert_int_equal(set_number(options, i, numbers[i].max + 1), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), numbers[i].name));
        if (numbers[i].min > 0)
            assert_int_equal(set_number(options, i, numbers[i].min - 1), -EINVAL);
        assert_int_equal(number_of(options, i), numbers[i].max);
    }
    tnm_options_free(options);
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", " 1", "1 ", "-1", "+1", "1.5", "1e3", "0x10", "many"};
    tnm_options *options = fresh();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(tnm_options_set(options, "retries", wrong[i]), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), "option retries"));
    }
    tnm_options *untouched = fresh();
    assert_int_equal(options->retries, untouched->retries);
    tnm_options_free(untouched);
    tnm_options_free(options);
}

static void the_wire_is_one_of_three(void **state)
{
    (void)state;
    static const char *const names[] = {"auto", "events", "sparse"};
    tnm_options *options = fresh(), *copy;
    assert_int_equal(options->wire, OPTION_WIRE_AUTO);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tnm_options_set(options, "wire", names[i]), 0);
        assert_int_equal(options->wire, i);
        assert_int_equal(options_copy(options, &copy), 0);
        assert_int_equal(copy->wire, i);
        tnm_options_free(copy);
    }
    assert_int_equal(tnm_options_set(options, "wire", "dense"), -EINVAL);
    assert_string_equal(tnm_last_error(), "option wire is \"dense\"; it is auto, events or sparse");
    assert_int_equal(options->wire, OPTION_WIRE_SPARSE);
    tnm_options_free(options);
}

static void every_option_has_a_name_and_a_line_of_help(void **state)
{
    (void)state;
    static const char *const documented[] = {
        "token",      "certificate_file",   "key_file",     "token_file",
        "ca_file",    "connect_timeout_ms", "timeout_ms",   "retries",
        "backoff_ms", "backoff_max_ms",     "max_answer_mb"};
    unsigned found = 0;
    size_t n = 0;
    for (; tnm_options_name(n); n++) {
        assert_non_null(tnm_options_help(n));
        assert_null(strchr(tnm_options_help(n), '\n'));
        for (size_t i = 0; i < sizeof documented / sizeof *documented; i++)
            found += strcmp(tnm_options_name(n), documented[i]) == 0;
    }
    assert_int_equal(found, sizeof documented / sizeof *documented);
    assert_null(tnm_options_help(n));
    assert_null(tnm_options_name(SIZE_MAX));
}

static void the_help_of_a_number_says_its_range_and_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_NUMBERS; i++) {
        char words[128];
        snprintf(words, sizeof words, "(%" PRIu64 " to %" PRIu64 ", default %" PRIu64 ")",
                 numbers[i].min, numbers[i].max, numbers[i].standard);
        size_t at = 0;
        while (tnm_options_name(at) && strcmp(tnm_options_name(at), numbers[i].name) != 0)
            at++;
        assert_non_null(tnm_options_help(at));
        assert_non_null(strstr(tnm_options_help(at), words));
    }
}

static void texts_are_copied_and_replaced(void **state)
{
    (void)state;
    char value[] = "secret";
    tnm_options *options = fresh();
    assert_null(options->token);
    assert_int_equal(tnm_options_set(options, "token", value), 0);
    value[0] = 'X';
    assert_string_equal(options->token, "secret");
    assert_int_equal(tnm_options_set(options, "token", "other"), 0);
    assert_string_equal(options->token, "other");
    assert_int_equal(tnm_options_set(options, "ca_file", "/some/file.pem"), 0);
    assert_string_equal(options->ca_file, "/some/file.pem");
    tnm_options_free(options);
}

static void a_token_cannot_end_its_line(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a\nb", "a\r", "\ta", "a\x7f"};
    tnm_options *options = fresh();
    assert_int_equal(tnm_options_set(options, "token", "kept"), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(tnm_options_set(options, "token", wrong[i]), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), "control character"));
        assert_null(strstr(tnm_last_error(), "a\n"));
    }
    assert_string_equal(options->token, "kept");
    tnm_options_free(options);
}

static void a_token_file_gives_its_first_line(void **state)
{
    (void)state;
    static const char *const files[] = {"secret", "secret\n", "secret\r\nmore\n", "secret\n\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tnm_options *options = fresh();
        scratch_write("token", files[i], strlen(files[i]));
        assert_int_equal(tnm_options_set(options, "token_file", scratch_path("token")), 0);
        assert_string_equal(options->token, "secret");
        tnm_options_free(options);
    }
}

static void a_token_file_that_has_none_is_refused(void **state)
{
    (void)state;
    tnm_options *options = fresh();
    assert_int_equal(tnm_options_set(options, "token_file", scratch_path("missing")), -ENOENT);
    assert_non_null(strstr(tnm_last_error(), "missing"));
    assert_int_equal(tnm_options_set(options, "token_file", scratch_folder()), -EISDIR);
    scratch_write("empty", "", 0);
    assert_int_equal(tnm_options_set(options, "token_file", scratch_path("empty")), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "first line is empty"));
    scratch_write("second", "\nsecret\n", 8);
    assert_int_equal(tnm_options_set(options, "token_file", scratch_path("second")), -EINVAL);
    assert_null(options->token);
    tnm_options_free(options);
}

static void what_is_no_option_is_refused(void **state)
{
    (void)state;
    tnm_options *options = fresh();
    assert_int_equal(tnm_options_set(options, "colour", "1"), -EINVAL);
    assert_string_equal(tnm_last_error(), "there is no option \"colour\"");
    assert_int_equal(tnm_options_set(options, "Token", "1"), -EINVAL);
    assert_int_equal(tnm_options_set(options, "", "1"), -EINVAL);
    assert_int_equal(tnm_options_set(options, "token", NULL), -EINVAL);
    assert_int_equal(tnm_options_set(options, NULL, "1"), -EINVAL);
    assert_int_equal(tnm_options_set(NULL, "token", "1"), -EINVAL);
    tnm_options_free(options);
    tnm_options_free(NULL);
}

static void a_copy_is_alike_and_apart(void **state)
{
    (void)state;
    tnm_options *options = fresh(), *copy, *defaults;
    for (size_t i = 0; i < N_NUMBERS; i++)
        assert_int_equal(set_number(options, i, numbers[i].max), 0);
    assert_int_equal(tnm_options_set(options, "token", "secret"), 0);
    assert_int_equal(options_copy(options, &copy), 0);
    tnm_options_free(options);
    for (size_t i = 0; i < N_NUMBERS; i++)
        assert_int_equal(number_of(copy, i), numbers[i].max);
    assert_string_equal(copy->token, "secret");
    assert_null(copy->ca_file);
    assert_int_equal(options_copy(NULL, &defaults), 0);
    for (size_t i = 0; i < N_NUMBERS; i++)
        assert_int_equal(number_of(defaults, i), numbers[i].standard);
    tnm_options_free(copy);
    tnm_options_free(defaults);
}

static int make_and_copy(void *user, struct error *why)
{
    tnm_options *options = NULL, *copy = NULL;
    (void)user;
    int r = tnm_options_new(&options);
    if (r == 0)
        r = tnm_options_set(options, "token", "secret");
    if (r == 0)
        r = tnm_options_set(options, "ca_file", "file");
    if (r == 0)
        r = options_copy(options, &copy);
    error_set(why, r, "%s", tnm_last_error());
    assert_true(r == 0 || (!copy && why->text[0]));
    tnm_options_free(options);
    tnm_options_free(copy);
    return r;
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(make_and_copy, NULL), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_their_defaults_and_ranges),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(the_wire_is_one_of_three),
        cmocka_unit_test(every_option_has_a_name_and_a_line_of_help),
        cmocka_unit_test(the_help_of_a_number_says_its_range_and_default),
        cmocka_unit_test(texts_are_copied_and_replaced),
        cmocka_unit_test(a_token_cannot_end_its_line),
        cmocka_unit_test_setup_teardown(a_token_file_gives_its_first_line, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_token_file_that_has_none_is_refused, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test(what_is_no_option_is_refused),
        cmocka_unit_test(a_copy_is_alike_and_apart),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
