/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/folder: which file of a folder is which split. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generator/folder.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

static void names_are_those_that_the_daemon_serves(void **state)
{
    (void)state;
    static const char *const names[N_FOLDER_KINDS][N_PARTS] = {
        [FOLDER_SOURCE] = {"nmnist-train", "nmnist-test"},
        [FOLDER_2NMNIST] = {"train", "test"},
    };
    for (enum folder_kind kind = 0; kind < N_FOLDER_KINDS; kind++)
        for (enum part part = 0; part < N_PARTS; part++) {
            const char *file = folder_file_name(kind, part);
            size_t length = strlen(names[kind][part]);
            assert_string_equal(folder_split_name(kind, part), names[kind][part]);
            assert_memory_equal(file, names[kind][part], length);
            assert_string_equal(file + length, SPLIT_SUFFIX);
        }
}

static void folder_is_told_from_what_is_none(void **state)
{
    (void)state;
    struct error why = {""};
    assert_int_equal(folder_check(scratch_folder(), &why), 0);
    scratch_write("file", "", 0);
    assert_int_equal(folder_check(scratch_path("file"), &why), -ENOTDIR);
    assert_non_null(strstr(why.text, scratch_path("file")));
    assert_int_equal(folder_check(scratch_path("nothing"), &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("nothing")));
}

static void split_is_opened_by_kind_and_part(void **state)
{
    (void)state;
    small_source_write(scratch_path("nmnist-test.safetensors"));
    struct error why = {""};
    struct split *split = NULL;
    if (folder_open_split(scratch_folder(), FOLDER_SOURCE, PART_TEST, &split, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(split_n_samples(split), SMALL_N);
    split_close(split);
}

static void split_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    struct split *split = NULL;
    assert_int_equal(folder_open_split(scratch_folder(), FOLDER_2NMNIST, PART_TRAIN, &split, &why),
                     -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("train.safetensors")));
    assert_null(split);
}

static void split_of_the_other_kind_is_refused(void **state)
{
    (void)state;
    small_source_write(scratch_path("train.safetensors"));
    struct error why = {""};
    struct split *split = NULL;
    assert_int_equal(folder_open_split(scratch_folder(), FOLDER_2NMNIST, PART_TRAIN, &split, &why),
                     -EBADMSG);
    assert_non_null(strstr(why.text, "its kind is \"source\", not \"2nmnist\""));
    assert_null(split);
}

static int open_split(void *user, struct error *why)
{
    struct split *split;
    (void)user;
    int r = folder_open_split(scratch_folder(), FOLDER_SOURCE, PART_TRAIN, &split, why);
    if (r == 0)
        split_close(split);
    return r;
}

static void folder_without_memory_says_so(void **state)
{
    (void)state;
    small_source_write(scratch_path("nmnist-train.safetensors"));
    assert_true(scarce_try(open_split, NULL) > 0);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_that_the_daemon_serves),
        UNIT(folder_is_told_from_what_is_none),
        UNIT(split_is_opened_by_kind_and_part),
        UNIT(split_that_is_not_there_is_named),
        UNIT(split_of_the_other_kind_is_refused),
        UNIT(folder_without_memory_says_so),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
