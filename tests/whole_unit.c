/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/whole: what is all of N-MNIST, and what is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "generator/whole.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

static const struct whole_count nmnist[N_PARTS] = {
    {60000, 0, {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
    {10000, 0, {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}},
};

static void mnists_own_counts_are_whole(void **state)
{
    (void)state;
    struct error why = {""};
    for (enum part part = 0; part < N_PARTS; part++)
        assert_int_equal(whole_check(&nmnist[part], FOLDER_SOURCE, part, &why), 0);
    assert_string_equal(why.text, "");
}

static void every_number_that_is_another_is_named_with_what_it_should_be(void **state)
{
    (void)state;
    for (int digit = 0; digit < N_DIGITS; digit++) {
        struct whole_count count = nmnist[PART_TRAIN];
        struct error why = {""};
        char wanted[128];
        count.n_of_digit[digit]--;
        assert_int_equal(whole_check(&count, FOLDER_SOURCE, PART_TRAIN, &why), -ENODATA);
        snprintf(wanted, sizeof wanted, "Train is not all of N-MNIST: digit %d: %d, not %d", digit,
                 (int)count.n_of_digit[digit], (int)count.n_of_digit[digit] + 1);
        assert_string_equal(why.text, wanted);
    }
    struct error why = {""};
    assert_int_equal(whole_check(&nmnist[PART_TRAIN], FOLDER_SOURCE, PART_TEST, &why), -ENODATA);
    assert_non_null(strstr(why.text, "Test is not all of N-MNIST: recordings: 60000, not 10000; "
                                     "digit 0: 5923, not 980; "));
    assert_non_null(strstr(why.text, "digit 9: 5949, not 1009"));
}

static void absurd_numbers_are_cut_and_not_written_past_the_end(void **state)
{
    (void)state;
    struct whole_count count;
    struct error why = {""};
    memset(&count, 0xff, sizeof count);
    assert_int_equal(whole_check(&count, FOLDER_SOURCE, PART_TRAIN, &why), -ENODATA);
    assert_in_range(strlen(why.text), 400, 600);
}

static void published_split_is_whole_by_its_samples_and_pairs(void **state)
{
    (void)state;
    struct whole_count count = {.n_samples = 41270, .n_pairs = 18730};
    struct error why = {""};
    assert_int_equal(whole_check(&count, FOLDER_2NMNIST, PART_TRAIN, &why), 0);
    assert_int_equal(whole_check(&count, FOLDER_2NMNIST, PART_TEST, &why), -ENODATA);
    assert_string_equal(why.text, "Test is not all of 2NMNIST: samples: 41270, not 6886; "
                                  "pairs: 18730, not 3114");
    count = (struct whole_count){.n_samples = 6886, .n_pairs = 3114};
    assert_int_equal(whole_check(&count, FOLDER_2NMNIST, PART_TEST, &why), 0);
}

static void files_are_counted_by_what_their_names_say(void **state)
{
    (void)state;
    struct listing listing = {0};
    static const char *const names[] = {"Train/0_7.bin", "Train/1_7-3.bin", "Test/0_1.bin"};
    for (size_t i = 0; i < 3; i++) {
        struct listing_file *file;
        assert_int_equal(listing_add(&listing, names[i], &file, NULL), 0);
    }
    struct whole_count count = whole_count_listing(&listing, PART_TRAIN);
    assert_int_equal(count.n_samples, 2);
    assert_int_equal(count.n_pairs, 1);
    assert_int_equal(count.n_of_digit[7], 2);
    assert_int_equal(count.n_of_digit[3], 1);
    assert_int_equal(count.n_of_digit[1], 0);
    listing_free(&listing);
}

static void samples_of_a_split_are_counted_by_their_labels(void **state)
{
    (void)state;
    struct split *split;
    struct split_writer *writer = small_split_begin(scratch_path("mixed"), 2);
    small_split_add(writer, small_span(0), 0, -1, 0, -1);
    small_split_add(writer, small_span(1), 3, 7, 1, 2);
    small_split_end(writer, SPLIT_KIND_2NMNIST);
    assert_int_equal(split_open(scratch_path("mixed"), &split, NULL), 0);
    struct whole_count count = whole_count_split(split);
    assert_int_equal(count.n_samples, 2);
    assert_int_equal(count.n_pairs, 1);
    for (int digit = 0; digit < N_DIGITS; digit++)
        assert_int_equal(count.n_of_digit[digit], digit == 0 || digit == 3 || digit == 7);
    split_close(split);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mnists_own_counts_are_whole),
        cmocka_unit_test(every_number_that_is_another_is_named_with_what_it_should_be),
        cmocka_unit_test(absurd_numbers_are_cut_and_not_written_past_the_end),
        cmocka_unit_test(published_split_is_whole_by_its_samples_and_pairs),
        cmocka_unit_test(files_are_counted_by_what_their_names_say),
        UNIT(samples_of_a_split_are_counted_by_their_labels),
    };
    return cmocka_run_group_tests_name("whole", tests, NULL, NULL);
}
