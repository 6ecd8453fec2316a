/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/listing: which files are taken, in which order, and what their names say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "generator/listing.h"

static struct listing_file *add(struct listing *listing, const char *path)
{
    struct listing_file *file;
    struct error why = {""};
    assert_int_equal(listing_add(listing, path, &file, &why), 0);
    return file;
}

static void listing_reads_digit_and_number_of_a_recording(void **state)
{
    (void)state;
    struct listing listing = {0};
    struct listing_file *file = add(&listing, "some/where/Test/7/00123.bin");
    assert_string_equal(file->name, "Test/7/00123.bin");
    assert_int_equal(file->digits[0], 7);
    assert_int_equal(file->number, 123);
    assert_false(file->pair);
    assert_int_equal(listing.content, CONTENT_RECORDINGS);
    assert_int_equal(listing.parts[PART_TEST].n, 1);
    assert_int_equal(listing.parts[PART_TRAIN].n, 0);
    listing_free(&listing);
}

static void listing_reads_number_and_digits_of_a_sample(void **state)
{
    (void)state;
    struct listing listing = {0};
    struct listing_file *file = add(&listing, "2nmnist/data/Train/41269_3-0.bin");
    assert_int_equal(file->number, 41269);
    assert_true(file->pair);
    assert_int_equal(file->digits[0], 3);
    assert_int_equal(file->digits[1], 0);
    assert_false(add(&listing, "Train/0_9.bin")->pair);
    assert_int_equal(listing.content, CONTENT_SAMPLES);
    listing_free(&listing);
}

static void listing_passes_over_what_is_no_recording(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",           ".bin",          "00001.bin",          "0/00001.bin",
        "Train/0",    "Train/0/1.txt", "Train/0/.1.bin",     "__MACOSX/Train/0/1.bin",
        "Train/.bin", "Other/0/1.bin", ".old/Train/0/1.bin", "/",
    };
    struct listing listing = {0};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_null(add(&listing, paths[i]));
    assert_int_equal(listing.content, CONTENT_NONE);
    assert_non_null(add(&listing, "./Train/0/1.bin"));
    assert_non_null(add(&listing, "../Train/0/2.bin"));
    listing_free(&listing);
}

static void listing_orders_recordings_by_the_bytes_of_their_names(void **state)
{
    (void)state;
    struct listing listing = {0};
    static const char *const paths[] = {"Train/1/00001.bin", "Train/0/9.bin", "Train/0/10.bin",
                                        "Train/0/00012.bin"};
    static const char *const wanted[] = {"Train/0/00012.bin", "Train/0/10.bin", "Train/0/9.bin",
                                         "Train/1/00001.bin"};
    for (size_t i = 0; i < 4; i++)
        add(&listing, paths[i]);
    assert_int_equal(listing_sort(&listing, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(listing.parts[PART_TRAIN].files[i].name, wanted[i]);
    listing_free(&listing);
}

static void listing_orders_samples_by_number(void **state)
{
    (void)state;
    struct listing listing = {0};
    for (int32_t i = 11; i >= 0; i--) {
        char path[32];
        snprintf(path, sizeof path, "Test/%d_%d.bin", i, i % 10);
        add(&listing, path);
    }
    assert_int_equal(listing_sort(&listing, NULL), 0);
    for (int32_t i = 0; i < 12; i++)
        assert_int_equal(listing.parts[PART_TEST].files[i].number, i);
    listing_free(&listing);
}

static void listing_rejects_holes_and_repetitions(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{"Train/0_1.bin", "Train/2_1.bin"},
                                         {"Train/0_1.bin", "Train/0_2.bin"},
                                         {"Train/1/1.bin", "x/Train/1/1.bin"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct listing listing = {0};
        struct error why = {""};
        add(&listing, bad[i][0]);
        add(&listing, bad[i][1]);
        assert_int_equal(listing_sort(&listing, &why), -EBADMSG);
        assert_non_null(strstr(why.text, "Train/"));
        listing_free(&listing);
    }
}

static void listing_rejects_names_that_say_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Train/a/1.bin",  "Train/10/1.bin", "Train/1/-1.bin",    "Train/1/2147483648.bin",
        "Train/1/1 .bin", "Train/1_.bin",   "Train/_1.bin",      "Train/1_1-1.bin",
        "Train/1_12.bin", "Train/1_1-.bin", "Train/1_1-2-3.bin", "Train/1.bin",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct listing listing = {0};
        struct listing_file *file;
        struct error why = {""};
        assert_int_equal(listing_add(&listing, bad[i], &file, &why), -EBADMSG);
        assert_non_null(strstr(why.text, bad[i]));
        assert_int_equal(listing.parts[PART_TRAIN].n, 0);
        listing_free(&listing);
    }
}

static void listing_knows_both_spellings_but_does_not_mix_them(void **state)
{
    (void)state;
    struct listing listing = {0};
    struct listing_file *file;
    struct error why = {""};
    assert_string_equal(add(&listing, "x/train/0/1.bin")->name, "train/0/1.bin");
    assert_string_equal(add(&listing, "Test/0/1.bin")->name, "Test/0/1.bin");
    assert_int_equal(listing_add(&listing, "Train/0/2.bin", &file, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "train/0/1.bin and Train/0/2.bin"));
    assert_null(add(&listing, "TRAIN/0/3.bin"));
    assert_int_equal(listing.parts[PART_TRAIN].n, 1);
    assert_int_equal(listing.parts[PART_TEST].n, 1);
    listing_free(&listing);
}

static void listing_says_of_each_file_whether_it_follows(void **state)
{
    (void)state;
    struct listing listing = {0};
    static const char *const names[] = {"Test/0_1.bin", "Test/3_1.bin", "Test/4_1.bin",
                                        "Test/4_2.bin", "Test/7_1.bin"};
    static const char *const wanted[] = {"", "sample 1 is missing", "", "Test/4_1.bin already",
                                         "sample 5 is missing"};
    for (size_t i = 5; i-- > 0;)
        add(&listing, names[i]);
    assert_int_equal(listing_sort(&listing, NULL), -EBADMSG);
    for (size_t i = 0; i < 5; i++) {
        struct error why = {""};
        int r = listing_check(&listing, PART_TEST, i, &why);
        assert_int_equal(r, *wanted[i] ? -EBADMSG : 0);
        assert_non_null(strstr(why.text, wanted[i]));
    }
    listing_free(&listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listing_reads_digit_and_number_of_a_recording),
        cmocka_unit_test(listing_reads_number_and_digits_of_a_sample),
        cmocka_unit_test(listing_passes_over_what_is_no_recording),
        cmocka_unit_test(listing_orders_recordings_by_the_bytes_of_their_names),
        cmocka_unit_test(listing_orders_samples_by_number),
        cmocka_unit_test(listing_rejects_holes_and_repetitions),
        cmocka_unit_test(listing_rejects_names_that_say_nothing),
        cmocka_unit_test(listing_knows_both_spellings_but_does_not_mix_them),
        cmocka_unit_test(listing_says_of_each_file_whether_it_follows),
    };
    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
