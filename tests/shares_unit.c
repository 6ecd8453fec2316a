/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/share_write and generator/shares: a part's file, and all of them opened. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/split.h"
#include "generator/share_write.h"
#include "generator/shares.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

enum { N = 3 };

static int start(void **state)
{
    int r = scratch_setup(state);
    for (size_t i = 0; i < SMALL_N; i++) {
        char name[64];
        snprintf(name, sizeof name, "in/Train/%u/%05zu.bin", small_digits[i], i + 1);
        scratch_write(name, small_span(i).bytes, SMALL_BYTES);
    }
    scratch_make_folder("parts");
    return r;
}

static int write_share(unsigned i, unsigned n, struct error *why)
{
    struct source *source;
    const struct share_how how = {.share = {.i = i, .n = n}, .plan_seed = 42, .n_threads = 1};
    char name[SHARE_NAME_SIZE], path[SHARE_NAME_SIZE + 8];
    uint64_t n_written = 0;
    share_file_name(how.share, name);
    snprintf(path, sizeof path, "parts/%s", name);
    int r = source_open_files(scratch_path("in"), scratch_folder(), &source, why);
    if (r < 0)
        return r;
    r = share_write(&how, source, scratch_path(path), &n_written, why);
    source_close(source);
    if (r == 0)
        assert_true(n_written > 0 || n > SMALL_N);
    return r;
}

static void write_all(unsigned n)
{
    for (unsigned i = 1; i <= n; i++) {
        struct error why = {""};
        if (write_share(i, n, &why) < 0)
            fail_msg("%s", why.text);
    }
}

static struct shares *opened(void)
{
    struct shares *shares;
    struct error why = {""};
    if (shares_open(scratch_path("parts"), &shares, &why) < 0)
        fail_msg("%s", why.text);
    return shares;
}

static void recordings_of_all_parts_are_a_source_in_their_order(void **state)
{
    (void)state;
    write_all(N);
    struct shares *shares = opened();
    struct source *source;
    struct buffer buffer = {0};
    assert_int_equal(shares_source(shares, &source, NULL), 0);
    assert_int_equal(source_content(source), CONTENT_RECORDINGS);
    assert_string_equal(source_origin(source), "recorded");
    assert_int_equal(source_count(source, PART_TEST), 0);
    assert_int_equal(source_count(source, PART_TRAIN), SMALL_N);
    for (size_t i = 0; i < SMALL_N; i++) {
        const struct listing_file *file = source_file(source, PART_TRAIN, i);
        assert_int_equal(file->digits[0], small_digits[i]);
        assert_int_equal(file->number, i + 1);
        assert_int_equal(source_read(source, NULL, PART_TRAIN, file, &buffer, NULL), 0);
        assert_int_equal(buffer.size, SMALL_BYTES);
        assert_memory_equal(buffer.bytes, small_span(i).bytes, SMALL_BYTES);
    }
    buffer_free(&buffer);
    source_close(source);
    shares_close(shares);
}

/* Whether the parts say that they were mixed from this source split. */
static int check_against(const struct shares *shares, size_t n, int swapped, struct error *why)
{
    struct split_writer *writer = small_split_begin(scratch_path("source"), n);
    for (size_t i = 0; i < n; i++) {
        size_t from = (int)i == swapped ? i + 1 : i;
        small_split_add(writer, small_span(from), small_digits[i], -1, (int32_t)i, -1);
    }
    small_split_end(writer, SPLIT_KIND_SOURCE);
    struct split *split;
    assert_int_equal(split_open(scratch_path("source"), &split, NULL), 0);
    const struct split *const splits[N_PARTS] = {split, NULL};
    int r = shares_check_mixed_from(shares, splits, why);
    split_close(split);
    return r;
}

static void samples_are_held_against_their_recordings(void **state)
{
    (void)state;
    struct error why = {""};
    write_all(N);
    struct shares *shares = opened();
    assert_int_equal(check_against(shares, SMALL_N, -1, NULL), 0);
    assert_int_equal(check_against(shares, SMALL_N, 3, &why), -EINVAL);
    assert_non_null(strstr(why.text, ".part were mixed from other recordings"));
    assert_int_equal(check_against(shares, 1, -1, NULL), -EINVAL);
    shares_close(shares);
}

static void change_byte(const char *name, long from_end)
{
    static uint8_t bytes[100000];
    size_t size = scratch_read(name, bytes, sizeof bytes);
    bytes[size - (size_t)from_end] ^= 0x10;
    scratch_write(name, bytes, size);
}

static void damaged_sample_is_an_error_when_it_is_read(void **state)
{
    (void)state;
    struct error why = {""};
    struct buffer buffer = {0};
    write_all(N);
    change_byte("parts/splits-2-of-3.part", 1);
    change_byte("parts/splits-3-of-3.part", 1);
    struct shares *shares = opened(); /* its events are not looked at yet */
    uint64_t n = shares_job(shares)->totals[FOLDER_2NMNIST][PART_TRAIN];
    assert_int_equal(shares_read(shares, FOLDER_2NMNIST, PART_TRAIN, 0, &buffer, NULL), 0);
    assert_int_equal(shares_read(shares, FOLDER_2NMNIST, PART_TRAIN, n - 1, &buffer, &why),
                     -EBADMSG);
    assert_non_null(strstr(why.text, "splits-3-of-3.part: sample "));
    assert_int_equal(shares_find_damage(shares, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "of 3 parts 2 are damaged"));
    assert_non_null(strstr(why.text, ": splits-2-of-3.part, splits-3-of-3.part"));
    buffer_free(&buffer);
    shares_close(shares);
}

static void nothing_is_found_where_nothing_is_damaged(void **state)
{
    (void)state;
    struct error why = {"as it was"};
    write_all(N);
    struct shares *shares = opened();
    assert_int_equal(shares_find_damage(shares, &why), 0);
    assert_string_equal(why.text, "as it was");
    shares_close(shares);
}

static void more_parts_than_samples_have_no_file_for_some(void **state)
{
    (void)state;
    write_all(40);
    /* rounded down, the first of them has nothing */
    assert_null(strstr(scratch_list("parts"), "splits-1-of-40.part"));
    struct shares *shares = opened();
    assert_int_equal(shares_job(shares)->totals[FOLDER_SOURCE][PART_TRAIN], SMALL_N);
    shares_close(shares);
}

static int write_first(void *user, struct error *why)
{
    (void)user;
    int r = write_share(1, N, why);
    assert_string_equal(scratch_list("parts"), r == 0 ? "splits-1-of-3.part" : "");
    return r;
}

static int open_and_list(void *user, struct error *why)
{
    struct shares *shares;
    struct source *source;
    (void)user;
    int r = shares_open(scratch_path("parts"), &shares, why);
    if (r < 0)
        return r;
    r = shares_source(shares, &source, why);
    if (r == 0)
        source_close(source);
    shares_close(shares);
    return r;
}

static void without_memory_that_is_said_and_nothing_is_left(void **state)
{
    (void)state;
    assert_true(scarce_try(write_first, NULL) > 10);
    write_all(N);
    assert_true(scarce_try(open_and_list, NULL) > 10);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(recordings_of_all_parts_are_a_source_in_their_order),
        UNIT(samples_are_held_against_their_recordings),
        UNIT(damaged_sample_is_an_error_when_it_is_read),
        UNIT(nothing_is_found_where_nothing_is_damaged),
        UNIT(more_parts_than_samples_have_no_file_for_some),
        UNIT(without_memory_that_is_said_and_nothing_is_left),
    };
    return cmocka_run_group_tests_name("shares", tests, NULL, NULL);
}
