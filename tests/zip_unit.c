/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/zip: files in the order of the archive, and archives that are none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generator/zip.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/zips.h"

enum { LONG = 300000, LIMIT = 1 << 20, ARCHIVE_ROOM = 1 << 20 };

static uint8_t long_bytes[LONG];

static const struct zip_member members[] = {
    {"Train/", NULL, 0, NULL},         {"Train/b.bin", "second name, first file", 23, NULL},
    {"Train/link", NULL, 0, "b.bin"},  {"Train/empty.bin", "", 0, NULL},
    {"a.bin", long_bytes, LONG, NULL},
};

enum { N_MEMBERS = sizeof members / sizeof *members, N_FILES = 3 };

static const size_t files[N_FILES] = {1, 3, 4};
static const char *const compressions[] = {"store", "deflate"};

static int start(void **state)
{
    for (size_t i = 0; i < LONG; i++)
        long_bytes[i] = (uint8_t)(i * i >> 7);
    return scratch_setup(state);
}

static struct zip *zip_of(const char *path)
{
    struct zip *zip;
    struct error why = {""};
    if (zip_open(path, &zip, &why) < 0)
        fail_msg("%s", why.text);
    return zip;
}

static void files_come_in_the_order_of_the_archive(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        zip_write(scratch_path("a.zip"), members, N_MEMBERS, compressions[c]);
        struct zip *zip = zip_of(scratch_path("a.zip"));
        struct buffer buffer = {0};
        const char *path;
        for (size_t i = 0; i < N_FILES; i++) {
            const struct zip_member *member = &members[files[i]];
            assert_int_equal(zip_next(zip, &path, NULL), 1);
            assert_string_equal(path, member->name);
            assert_int_equal(zip_read(zip, LIMIT, &buffer, NULL), 0);
            assert_int_equal(buffer.size, member->size);
            assert_memory_equal(buffer.bytes, member->bytes, member->size);
        }
        assert_int_equal(zip_next(zip, &path, NULL), 0);
        buffer_free(&buffer);
        zip_close(zip);
    }
    zip_close(NULL);
}

static void file_may_be_passed_over(void **state)
{
    (void)state;
    zip_write(scratch_path("a.zip"), members, N_MEMBERS, "deflate");
    struct zip *zip = zip_of(scratch_path("a.zip"));
    const char *path;
    for (size_t i = 0; i < N_FILES; i++)
        assert_int_equal(zip_next(zip, &path, NULL), 1);
    assert_string_equal(path, "a.bin");
    assert_int_equal(zip_next(zip, &path, NULL), 0);
    zip_close(zip);
}

static void archive_may_hold_no_file(void **state)
{
    (void)state;
    zip_write(scratch_path("a.zip"), members, 1, "store");
    struct zip *zip = zip_of(scratch_path("a.zip"));
    const char *path;
    assert_int_equal(zip_next(zip, &path, NULL), 0);
    zip_close(zip);
}

static void position_goes_from_nothing_to_the_size(void **state)
{
    (void)state;
    static uint8_t bytes[ARCHIVE_ROOM];
    zip_write(scratch_path("a.zip"), members, N_MEMBERS, "store");
    size_t size = scratch_read("a.zip", bytes, sizeof bytes);
    struct zip *zip = zip_of(scratch_path("a.zip"));
    struct buffer buffer = {0};
    const char *path;
    assert_int_equal(zip_size(zip), size);
    uint64_t before = 0;
    while (zip_next(zip, &path, NULL) > 0) {
        assert_int_equal(zip_read(zip, LIMIT, &buffer, NULL), 0);
        assert_true(zip_position(zip) >= before);
        before = zip_position(zip);
    }
    assert_true(before >= LONG);
    buffer_free(&buffer);
    zip_close(zip);
}

static void file_longer_than_the_limit_is_refused(void **state)
{
    (void)state;
    zip_write(scratch_path("a.zip"), members + 4, 1, "deflate");
    for (size_t limit = LONG - 1; limit <= LONG; limit++) {
        struct zip *zip = zip_of(scratch_path("a.zip"));
        struct buffer buffer = {0};
        struct error why = {""};
        const char *path;
        assert_int_equal(zip_next(zip, &path, NULL), 1);
        if (limit == LONG)
            assert_int_equal(zip_read(zip, limit, &buffer, &why), 0);
        else {
            assert_int_equal(zip_read(zip, limit, &buffer, &why), -EFBIG);
            assert_non_null(strstr(why.text, "limit of 299999 bytes"));
            assert_int_equal(buffer.capacity, 0); /* the archive says so itself */
        }
        buffer_free(&buffer);
        zip_close(zip);
    }
}

static void archive_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    struct zip *zip = NULL;
    assert_int_equal(zip_open(scratch_path("a.zip"), &zip, &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("a.zip")));
    assert_null(zip);
}

/* Read all of it; 0, or the first error, which names the archive. */
static int read_all(const char *path, struct error *why)
{
    struct zip *zip;
    int r = zip_open(path, &zip, why);
    if (r < 0)
        return r;
    struct buffer buffer = {0};
    const char *name;
    while ((r = zip_next(zip, &name, why)) > 0) {
        r = zip_read(zip, LIMIT, &buffer, why);
        if (r < 0)
            break;
    }
    buffer_free(&buffer);
    zip_close(zip);
    return r;
}

static void what_is_no_archive_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "no archive", "PK\x03\x04"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error why = {""};
        scratch_write("a.zip", texts[i], strlen(texts[i]));
        assert_int_equal(read_all(scratch_path("a.zip"), &why), -EBADMSG);
        assert_non_null(strstr(why.text, scratch_path("a.zip")));
    }
}

/* Also between two files, where a reader that goes from front to end would notice nothing. */
static void archive_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[ARCHIVE_ROOM];
    zip_write(scratch_path("a.zip"), members, 4, "store");
    size_t size = scratch_read("a.zip", bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut += 7) {
        struct error why = {""};
        scratch_write("cut.zip", bytes, cut);
        assert_int_equal(read_all(scratch_path("cut.zip"), &why), -EBADMSG);
        assert_non_null(strstr(why.text, scratch_path("cut.zip")));
    }
}

static void damaged_bytes_are_noticed(void **state)
{
    (void)state;
    static uint8_t bytes[ARCHIVE_ROOM];
    zip_write(scratch_path("a.zip"), members + 1, 1, "store");
    size_t size = scratch_read("a.zip", bytes, sizeof bytes);
    uint8_t *at = memmem(bytes, size, members[1].bytes, members[1].size);
    assert_non_null(at);
    at[5] ^= 1;
    scratch_write("a.zip", bytes, size);
    struct error why = {""};
    assert_int_equal(read_all(scratch_path("a.zip"), &why), -EBADMSG);
    assert_non_null(strstr(why.text, "a.zip: "));
}

/* Both a byte that only its checksum tells of, and one that inflating cannot get over. */
static void files_behind_a_damaged_one_are_read(void **state)
{
    (void)state;
    static uint8_t bytes[ARCHIVE_ROOM];
    for (int c = 0; c < 2; c++) {
        zip_write(scratch_path("a.zip"), members, N_MEMBERS, compressions[c]);
        size_t size = scratch_read("a.zip", bytes, sizeof bytes);
        uint8_t *at = memmem(bytes, size, "Train/b.bin", 11);
        assert_non_null(at);
        memset(at + 11 + 16, 0xff, 7); /* behind the name and an extra field */
        scratch_write("a.zip", bytes, size);
        struct zip *zip = zip_of(scratch_path("a.zip"));
        struct buffer buffer = {0};
        const char *path;
        for (size_t i = 0; i < N_FILES; i++) {
            assert_int_equal(zip_next(zip, &path, NULL), 1);
            assert_string_equal(path, members[files[i]].name);
            assert_int_equal(zip_read(zip, LIMIT, &buffer, NULL), i == 0 ? -EBADMSG : 0);
        }
        assert_int_equal(buffer.size, LONG);
        assert_int_equal(zip_next(zip, &path, NULL), 0);
        buffer_free(&buffer);
        zip_close(zip);
    }
}

static void archive_of_nothing_but_damage_comes_to_an_end(void **state)
{
    (void)state;
    static struct zip_member many[ZIP_MAX_DAMAGED + 5];
    static uint8_t bytes[ARCHIVE_ROOM];
    char names[ZIP_MAX_DAMAGED + 5][16];
    size_t n = sizeof many / sizeof *many, n_read = 0;
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%zu.bin", i);
        many[i] = (struct zip_member){names[i], "good bytes", 10, NULL};
    }
    zip_write(scratch_path("a.zip"), many, n, "store");
    size_t size = scratch_read("a.zip", bytes, sizeof bytes);
    for (uint8_t *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), "good", 4));)
        *at = 'f';
    scratch_write("a.zip", bytes, size);
    struct zip *zip = zip_of(scratch_path("a.zip"));
    struct buffer buffer = {0};
    struct error why = {""};
    const char *path;
    int r;
    while ((r = zip_next(zip, &path, &why)) > 0) {
        assert_int_equal(zip_read(zip, LIMIT, &buffer, NULL), -EBADMSG);
        n_read++;
    }
    assert_int_equal(r, -EBADMSG);
    assert_int_equal(n_read, ZIP_MAX_DAMAGED + 1);
    assert_non_null(strstr(why.text, "a.zip: over 100 damaged files"));
    buffer_free(&buffer);
    zip_close(zip);
}

static int read_scarcely(void *user, struct error *why)
{
    return read_all(user, why);
}

static void zip_without_memory_says_so(void **state)
{
    (void)state;
    zip_write(scratch_path("a.zip"), members, N_MEMBERS, "deflate");
    assert_true(scarce_try(read_scarcely, (void *)scratch_path("a.zip")) >= 3);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(files_come_in_the_order_of_the_archive),
        UNIT(file_may_be_passed_over),
        UNIT(archive_may_hold_no_file),
        UNIT(position_goes_from_nothing_to_the_size),
        UNIT(file_longer_than_the_limit_is_refused),
        UNIT(archive_that_is_not_there_is_named),
        UNIT(what_is_no_archive_is_refused),
        UNIT(archive_that_is_cut_off_is_refused),
        UNIT(damaged_bytes_are_noticed),
        UNIT(files_behind_a_damaged_one_are_read),
        UNIT(archive_of_nothing_but_damage_comes_to_an_end),
        UNIT(zip_without_memory_says_so),
    };
    return cmocka_run_group_tests_name("zip", tests, NULL, NULL);
}
