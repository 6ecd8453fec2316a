/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/summary: what is counted, and the table that shows it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/split.h"
#include "generator/summary.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

static void write_mixed_split(const char *path)
{
    struct split_writer *writer = small_split_begin(path, 3);
    small_split_add(writer, small_span(0), 0, -1, 0, -1);
    small_split_add(writer, small_span(1), 3, 7, 1, 2);
    small_split_add(writer, small_span(2), 1, 9, 3, 4);
    small_split_end(writer, SPLIT_KIND_2NMNIST);
}

static uint64_t size_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(scratch_path(name), &st), 0);
    return (uint64_t)st.st_size;
}

static void split_is_counted(void **state)
{
    (void)state;
    struct summary summary = {0};
    write_mixed_split(scratch_path("mixed"));
    small_source_write(scratch_path("source"));
    assert_int_equal(summary_add(&summary, "train", scratch_path("mixed"), 1.5, NULL), 0);
    assert_int_equal(summary_add(&summary, "nmnist-train", scratch_path("source"), 0, NULL), 0);
    assert_int_equal(summary.n_rows, 2);
    const struct summary_row *row = &summary.rows[0];
    assert_string_equal(row->name, "train");
    assert_int_equal(row->n_samples, 3);
    assert_int_equal(row->n_pairs, 2);
    assert_int_equal(row->n_events, 3 * SMALL_EVENTS);
    assert_int_equal(row->size_bytes, size_of("mixed"));
    assert_true(row->seconds == 1.5);
    row = &summary.rows[1];
    assert_int_equal(row->n_samples, SMALL_N);
    assert_int_equal(row->n_pairs, 0);
    assert_int_equal(row->size_bytes, size_of("source"));
}

static void split_that_cannot_be_opened_adds_no_row(void **state)
{
    (void)state;
    struct summary summary = {0};
    struct error why = {""};
    assert_int_equal(summary_add(&summary, "train", scratch_path("nothing"), 1, &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("nothing")));
    scratch_write("bad", "no split", 8);
    assert_int_equal(summary_add(&summary, "train", scratch_path("bad"), 1, &why), -EBADMSG);
    assert_int_equal(summary.n_rows, 0);
}

/* What is printed on stdout, to compare with. */
static void print_into(const struct summary *summary, char *ret, size_t size)
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    int fd = open(scratch_path("out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(before >= 0 && fd >= 0);
    dup2(fd, STDOUT_FILENO);
    summary_print(summary);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(fd);
    ret[scratch_read("out", ret, size - 1)] = '\0';
}

static void table_has_a_line_for_each_split(void **state)
{
    (void)state;
    const struct summary summary = {
        .rows = {{"nmnist-train", 60000, 0, 247000000, 1234567890, 12.346},
                 {"train", 41270, 18730, 246999999, 1000, 3}},
        .n_rows = 2,
    };
    char text[1024];
    print_into(&summary, text, sizeof text);
    assert_string_equal(text, "split             samples      pairs    singles         events      "
                              "      bytes   seconds\n"
                              "nmnist-train       60,000          0     60,000    247,000,000    "
                              "1,234,567,890     12.35\n"
                              "train              41,270     18,730     22,540    246,999,999      "
                              "      1,000      3.00\n");
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(split_is_counted),
        UNIT(split_that_cannot_be_opened_adds_no_row),
        UNIT(table_has_a_line_for_each_split),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
