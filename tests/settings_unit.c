/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/settings: what can be set, by whom, within which limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/settings.h"

static int init(void **state)
{
    struct settings *settings = malloc(sizeof *settings);
    *state = settings;
    return settings ? settings_init(settings) : -1;
}

static int release(void **state)
{
    settings_free(*state);
    free(*state);
    return 0;
}

static void refuse(struct settings *settings, const char *name, const char *value, int code,
                   const char *words)
{
    struct error why = {""};
    assert_int_equal(settings_set(settings, SETTING_OPTION, name, value, &why), code);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

static int read_text(struct settings *settings, const char *text, size_t n, struct error *why)
{
    char path[] = "settings_unit.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (int)n);
    close(fd);
    int r = settings_read(settings, path, why);
    unlink(path);
    return r;
}

static void refuse_file(struct settings *settings, const char *text, size_t n, int code,
                        const char *words)
{
    struct error why = {""};
    assert_int_equal(read_text(settings, text, n, &why), code);
    if (!strstr(why.text, words) || strncmp(why.text, "settings_unit.", 14) != 0)
        fail_msg("\"%s\" does not name the file and say \"%s\"", why.text, words);
}

static void settings_begin_with_the_defaults_of_the_table(void **state)
{
    struct settings *settings = *state;
    assert_string_equal(settings->data, "/var/lib/twonmnist");
    assert_int_equal(settings->max_batch_size, 1024);
    assert_false(settings->allow_anonymous);
    assert_int_equal(settings->listen.n, 1);
    assert_string_equal(settings->listen.items[0], "127.0.0.1:8642");
}

static void settings_take_each_kind_of_value_and_dashes_for_underscores(void **state)
{
    struct settings *settings = *state;
    const char *const names[][2] = {{"max-batch-size", "7"},
                                    {"max_url_bytes", "256"},
                                    {"allow-anonymous", "yes"},
                                    {"data", "/srv"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(settings_set(settings, SETTING_OPTION, names[i][0], names[i][1], NULL), 0);
    assert_int_equal(settings->max_batch_size, 7);
    assert_int_equal(settings->max_url_bytes, 256);
    assert_true(settings->allow_anonymous);
    assert_string_equal(settings->data, "/srv");
    assert_int_equal(settings_set(settings, SETTING_OPTION, "allow_anonymous", "no", NULL), 0);
    assert_false(settings->allow_anonymous);
}

static void settings_refuse_names_that_are_none(void **state)
{
    const char *const names[] = {"", "colour", "dat", "dataa", "max-batch-siz", "listen "};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuse(*state, names[i], "1", -ENOENT, "there is no setting");
}

static void settings_refuse_what_is_no_whole_number(void **state)
{
    const char *const values[] = {"", "many", "-1", "+1", " 1", "1 ", "1.5", "0x10", "1k"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        refuse(*state, "threads", values[i], -EINVAL, "whole number");
}

static void settings_refuse_numbers_outside_their_range_by_name(void **state)
{
    refuse(*state, "max_batch_size", "0", -ERANGE, "goes from 1 to 65536");
    refuse(*state, "max_batch_size", "65537", -ERANGE, "max_batch_size is 65537");
    refuse(*state, "threads", "257", -ERANGE, "goes from 0 to 256");
    refuse(*state, "threads", "18446744073709551616", -ERANGE, "goes from 0 to 256");
    struct settings *settings = *state;
    assert_int_equal(settings->max_batch_size, 1024);
    assert_int_equal(settings->threads, 0);
}

static void settings_take_both_ends_of_every_range(void **state)
{
    struct settings *settings = *state;
    char text[24];
#define TRY(name, value)                                                               \
    do {                                                                               \
        snprintf(text, sizeof text, "%llu", (unsigned long long)(value));              \
        assert_int_equal(settings_set(settings, SETTING_OPTION, name, text, NULL), 0); \
    } while (0)
#define ENDS_UINT(name, min, max) \
    TRY(#name, min);              \
    TRY(#name, max);
#define ENDS_BOOL(...)
#define ENDS_TEXT(...)
#define ENDS_PATH(...)
#define ENDS_LIST(...)
#define ENDS(kind, name, standard, min, max, ...) ENDS_##kind(name, min, max)
    SETTINGS(ENDS)
    assert_int_equal(settings->log_level, 3);
}

static void settings_refuse_other_words_than_yes_and_no(void **state)
{
    const char *const values[] = {"", "true", "YES", "1", "yes "};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        refuse(*state, "allow_anonymous", values[i], -EINVAL, "neither yes nor no");
}

static void settings_refuse_an_empty_text_and_keep_the_one_before(void **state)
{
    struct settings *settings = *state;
    refuse(settings, "data", "", -EINVAL, "data: the value is missing");
    assert_string_equal(settings->data, "/var/lib/twonmnist");
}

static void settings_refuse_addresses_that_are_none_and_keep_the_list(void **state)
{
    struct settings *settings = *state;
    refuse(settings, "listen", "", -EINVAL, "listen: \"\" is neither");
    refuse(settings, "listen", "127.0.0.1:99999", -EINVAL, "listen: \"127.0.0.1:99999\": the port");
    assert_int_equal(settings->listen.n, 1);
    assert_int_equal(settings->listen.source, SETTING_DEFAULT);
}

static void settings_grow_a_list_within_a_source_and_replace_it_by_a_later_one(void **state)
{
    struct settings *settings = *state;
    const enum setting_source sources[] = {SETTING_FILE, SETTING_OPTION};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(settings_set(settings, sources[i], "listen", "127.0.0.1:1", NULL), 0);
        assert_int_equal(settings->listen.n, 1);
        assert_int_equal(settings_set(settings, sources[i], "listen", "unix:/run/x", NULL), 0);
        assert_int_equal(settings->listen.n, 2);
        assert_string_equal(settings->listen.items[1], "unix:/run/x");
    }
}

static void settings_refuse_a_list_that_is_too_long(void **state)
{
    for (int i = 0; i < SETTINGS_LIST_MAX; i++)
        assert_int_equal(settings_set(*state, SETTING_OPTION, "listen", "[::1]:1", NULL), 0);
    refuse(*state, "listen", "[::1]:1", -ERANGE, "more than 16");
}

static void settings_read_lines_with_comments_blanks_and_no_last_newline(void **state)
{
    struct settings *settings = *state;
    static const char text[] = "# all\n\n \t threads\t=  3 # few\r\ndata = /a folder \nlog_level=0";
    assert_int_equal(read_text(settings, text, sizeof text - 1, NULL), 0);
    assert_int_equal(settings->threads, 3);
    assert_int_equal(settings->log_level, 0);
    assert_string_equal(settings->data, "/a folder");
}

static void settings_name_the_file_and_line_of_a_fault(void **state)
{
#define FILE_OF(text) text, sizeof(text) - 1
    refuse_file(*state, FILE_OF("threads = 1\nthreads\n"), -EINVAL, ": line 2: \"threads\" is not");
    refuse_file(*state, FILE_OF("\n\nno = 1"), -ENOENT, ": line 3: there is no setting \"no\"");
    refuse_file(*state, FILE_OF("= 1"), -ENOENT, ": line 1: there is no setting \"\"");
    refuse_file(*state, FILE_OF("threads = 300"), -ERANGE, ": line 1: threads is 300");
    refuse_file(*state, FILE_OF("data ="), -EINVAL, ": line 1: data: the value is missing");
    refuse_file(*state, FILE_OF("listen = x"), -EINVAL, ": line 1: listen: \"x\"");
}

static void settings_refuse_a_byte_that_hides_the_rest_of_a_line(void **state)
{
    struct settings *settings = *state;
    refuse_file(settings, FILE_OF("log_level = 1\nthreads = 1\0 = 2\n"), -EINVAL,
                ": line 2: there is a NUL byte");
    assert_int_equal(settings->threads, 0);
}

static void settings_refuse_a_file_that_cannot_be_read(void **state)
{
    struct error why = {""};
    assert_int_equal(settings_read(*state, "/nowhere/at/all", &why), -ENOENT);
    assert_non_null(strstr(why.text, "/nowhere/at/all: No such file"));
    assert_int_equal(settings_read(*state, "/", &why), -EISDIR);
    assert_string_equal(why.text, "/: Is a directory");
}

static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}

static void
settings_print_every_row_for_help_the_manual_and_as_a_file_that_can_be_read(void **state)
{
    char *help = printed(settings_print_help), *sample = printed(settings_print_sample);
    char *manual = printed(settings_print_manual);
    assert_non_null(strstr(help, "  --max-batch-size N"));
    assert_non_null(strstr(help, "(1 to 65536 samples, default 1024)"));
#define IN_SAMPLE(kind, name, standard, ...) \
    assert_non_null(strstr(sample, "\n#" #name " = " standard "\n"));
    SETTINGS(IN_SAMPLE)
#define IN_MANUAL(kind, name, ...) assert_non_null(strstr(manual, "\n.It Ic " #name " Pq "));
    SETTINGS(IN_MANUAL)
    assert_non_null(strstr(manual, "\n.It Ic max_batch_size Pq 1 to 65536 samples, default 1024\n"
                                   "most samples one request may ask for\n"));
    assert_int_equal(read_text(*state, sample, strlen(sample), NULL), 0);
    free(help);
    free(sample);
    free(manual);
}

static void count_limit(const char *name, uint64_t value, void *user)
{
    unsigned *n = user;
    if (strcmp(name, "max_batch_size") == 0)
        assert_int_equal(value, 1024);
    assert_string_not_equal(name, "threads"); /* limits nothing */
    ++*n;
}

static void settings_tell_each_limit(void **state)
{
    unsigned n = 0;
    settings_limits(*state, count_limit, &n);
    assert_true(n >= 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, init, release)
    const struct CMUnitTest tests[] = {
        TEST(settings_begin_with_the_defaults_of_the_table),
        TEST(settings_take_each_kind_of_value_and_dashes_for_underscores),
        TEST(settings_refuse_names_that_are_none),
        TEST(settings_refuse_what_is_no_whole_number),
        TEST(settings_refuse_numbers_outside_their_range_by_name),
        TEST(settings_take_both_ends_of_every_range),
        TEST(settings_refuse_other_words_than_yes_and_no),
        TEST(settings_refuse_an_empty_text_and_keep_the_one_before),
        TEST(settings_refuse_addresses_that_are_none_and_keep_the_list),
        TEST(settings_grow_a_list_within_a_source_and_replace_it_by_a_later_one),
        TEST(settings_refuse_a_list_that_is_too_long),
        TEST(settings_read_lines_with_comments_blanks_and_no_last_newline),
        TEST(settings_name_the_file_and_line_of_a_fault),
        TEST(settings_refuse_a_byte_that_hides_the_rest_of_a_line),
        TEST(settings_refuse_a_file_that_cannot_be_read),
        TEST(settings_print_every_row_for_help_the_manual_and_as_a_file_that_can_be_read),
        TEST(settings_tell_each_limit),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
