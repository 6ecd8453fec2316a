/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/split: what is opened, what is refused, and files that change meanwhile.
 *
 * The linker puts __wrap_pread() in place of pread(), so that a file can be changed between any two
 * of the reads that open it. */
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

#include "common/crc32c.h"
#include "common/split.h"
#include "tests/split_files.h"

ssize_t __real_pread(int fd, void *bytes, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at);

static void (*before_read)(const char *path); /* called once, before read number `left` + 1 */
static int left, n_reads;
static uint64_t n_bytes_read;
static char changed[SPLIT_PATH];

ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at)
{
    n_reads++;
    n_bytes_read += size;
    if (before_read && left-- == 0)
        before_read(changed);
    return __real_pread(fd, bytes, size, at);
}

static int open_split(const char *path, struct split **ret, struct error *why)
{
    n_reads = 0;
    n_bytes_read = 0;
    return split_open(path, ret, why);
}

static void expect_refused(const char *path, int r, const char *words)
{
    struct split *split = NULL;
    struct error why;
    assert_int_equal(open_split(path, &split, &why), r);
    assert_null(split);
    if (!strstr(why.text, words) || !strstr(why.text, path))
        fail_msg("\"%s\" does not say \"%s\" of %s", why.text, words, path);
}

static size_t size_of(const char *path)
{
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    return (size_t)file.st_size;
}

static void split_opens_what_was_written(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct split *split;
    assert_int_equal(split_open(path, &split, NULL), 0);
    assert_int_equal(split_n_samples(split), SPLIT_SAMPLES);
    assert_int_equal(split_n_events(split), SPLIT_EVENTS);
    assert_int_equal(split_size(split), size_of(path));
    assert_string_equal(split_meta(split, "kind"), SPLIT_KIND_SOURCE);
    assert_string_equal(split_meta(split, "nothing"), "");
    assert_true(geometry_equal(split_geometry(split), &GEOMETRY_NMNIST));
    for (uint64_t i = 0; i < SPLIT_SAMPLES; i++) {
        struct sample sample = split_sample(split, i);
        assert_int_equal(sample.events.n_events, i + 1);
        assert_int_equal(event_unpack(sample.events.bytes).x, i);
        assert_int_equal(sample.labels[i / 2], 1);
        assert_int_equal(sample.sources[0], i / 2);
        assert_int_equal(sample.checksum, crc32c(0, sample.events.bytes, (i + 1) * EVENT_BYTES));
    }
    assert_true(split_is_intact(split));
    split_close(split);
}

static void split_refuses_a_file_cut_at_any_length(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    for (size_t size = size_of(path) - 1; size > 0; size -= size > 4096 || size < 13 ? 1 : 13) {
        assert_int_equal(truncate(path, (off_t)size), 0);
        expect_refused(path, -EBADMSG, "");
    }
    assert_int_equal(truncate(path, 0), 0);
    expect_refused(path, -EBADMSG, "not a regular file, or empty");
}

static void cut_to_nothing(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void cut_the_index(const char *path)
{
    assert_int_equal(truncate(path, 4096 + 20), 0);
}

static void cut_the_last_event(const char *path)
{
    assert_int_equal(truncate(path, (off_t)size_of(path) - 1), 0);
}

static void write_a_byte(const char *path)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\0", 1, (off_t)size_of(path) - 1), 1);
    close(fd);
}

static void split_refuses_a_file_that_changes_between_any_two_reads(void **state)
{
    (void)state;
    static void (*const changes[])(const char *) = {cut_to_nothing, cut_the_index,
                                                    cut_the_last_event, write_a_byte};
    char path[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct split *split;
    assert_int_equal(open_split(path, &split, NULL), 0);
    split_close(split);
    int n = n_reads;
    assert_in_range(n, 6, 100); /* length, header, four tensors */
    for (size_t c = 0; c < sizeof changes / sizeof *changes; c++)
        for (int k = 0; k < n; k++) {
            put_split(path, &SOURCE_SPLIT, 7, -1);
            in_folder("a", changed);
            before_read = changes[c];
            left = k;
            expect_refused(path, -EBADMSG, "while it was read");
            before_read = NULL;
        }
}

static void expect_in_bounds(const struct split *split)
{
    const uint8_t *first = split_bytes(split), *end = first + split_size(split);
    for (uint64_t i = 0; i < SPLIT_SAMPLES; i++) {
        struct sample sample = split_sample(split, i);
        assert_int_equal(sample.events.n_events, i + 1);
        assert_true(sample.events.bytes > first);
        assert_true(sample.events.bytes + sample.events.n_events * EVENT_BYTES <= end);
        assert_int_equal(sample.labels[i / 2], 1);
        assert_int_equal(sample.sources[0], i / 2);
    }
}

static void split_keeps_its_index_whatever_becomes_of_the_file(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct split *split;
    assert_int_equal(split_open(path, &split, NULL), 0);
    FILE *file = fopen(path, "r+");
    for (size_t i = 0; i < split_size(split); i++)
        fputc(0xff, file);
    fclose(file);
    assert_false(split_is_intact(split));
    expect_in_bounds(split);
    cut_to_nothing(path);
    assert_false(split_is_intact(split));
    expect_in_bounds(split);
    assert_string_equal(split_meta(split, "kind"), SPLIT_KIND_SOURCE);
    split_close(split);
}

static void split_is_intact_when_renamed_replaced_or_removed_but_not_when_touched(void **state)
{
    (void)state;
    char path[SPLIT_PATH], other[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct split *split;
    assert_int_equal(split_open(path, &split, NULL), 0);
    assert_int_equal(chmod(path, 0400), 0);
    assert_true(split_is_intact(split));
    assert_int_equal(rename(path, in_folder("b", other)), 0);
    assert_true(split_is_intact(split));
    put_split(other, &SOURCE_SPLIT, 8, -1);
    assert_true(split_is_intact(split));
    expect_in_bounds(split);
    split_close(split);

    assert_int_equal(split_open(other, &split, NULL), 0);
    assert_int_equal(utimensat(AT_FDCWD, other, NULL, 0), 0);
    assert_false(split_is_intact(split));
    split_close(split);
}

static void split_refuses_another_sensor_or_unit_and_says_which(void **state)
{
    (void)state;
    static const struct {
        struct meta_changes changes;
        int r;
        const char *words;
    } rows[] = {
        {{"source", "240x180x2", "us", NULL}, -ENOTSUP, "\"240x180x2\", with 10 labels; this"},
        {{"source", "34x34x1", "us", NULL}, -ENOTSUP, "reads \"34x34x2\" with 10"},
        {{"source", "34x34x2 ", "us", NULL}, -ENOTSUP, "reads \"34x34x2\" with 10"},
        {{"source", "34x34", "us", NULL}, -ENOTSUP, "reads \"34x34x2\" with 10"},
        {{"source", NULL, "us", NULL}, -ENOTSUP, "its sensor is \"\""},
        {{"source", "34x34x2", "ms", NULL}, -ENOTSUP, "unit is \"ms\"; this program reads \"us\""},
        {{"source", "34x34x2", NULL, NULL}, -ENOTSUP, "unit is \"\""},
        {{"other", "34x34x2", "us", NULL}, -EBADMSG, "its kind \"other\""},
    };
    char path[SPLIT_PATH];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_split(in_folder("a", path), &rows[i].changes, 7, -1);
        expect_refused(path, rows[i].r, rows[i].words);
    }
}

static void split_refuses_sources_below_minus_one(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -2);
    expect_refused(path, -EBADMSG, "sample 0: source -2 is neither a position nor -1");
}

static const char no_sha256[] = "0000000000000000000000000000000000000000000000000000000000000000";

enum { INDEX = 3 * 8 + 2 * 8 + 2 * 8 + 2 * 10 }; /* bytes for two samples */

/* A file of these tensors, all zeros, whose index is INDEX bytes long. */
static void put_tensors(const char *path, struct tensor *tensors, size_t n)
{
    char crc[SPLIT_CRC_HEX + 1];
    snprintf(crc, sizeof crc, "%08x", crc32c(0, (const char[INDEX]){0}, INDEX));
    const struct meta meta[] = {{"format", SPLIT_FORMAT},       {"version", SPLIT_VERSION},
                                {"kind", SPLIT_KIND_SOURCE},    {"sensor", SENSOR_NMNIST},
                                {"time_unit", SPLIT_TIME_UNIT}, {"data_sha256", no_sha256},
                                {"index_crc32c", crc}};
    static char bytes[8192];
    memset(bytes, 0, sizeof bytes);
    uint64_t data_size;
    size_t size;
    assert_int_equal(safetensors_layout(tensors, n, &data_size), 0);
    assert_int_equal(safetensors_header(tensors, n, meta, sizeof meta / sizeof *meta, bytes,
                                        sizeof bytes, 0, &size),
                     0);
    put_file(path, bytes, size + data_size);
}

static void split_counts_the_rows_of_every_tensor(void **state)
{
    (void)state;
    enum { OFFSETS, CHECKSUMS, SOURCES, LABELS, EVENTS, N };
    static const struct {
        uint64_t rows[N];
        const char *words;
    } rows[] = {
        {{3, 2, 2, 2, 0}, NULL},
        {{3, 0, 2, 2, 0}, "\"checksums\" has 0 rows where 2 are needed"},
        {{3, 2, 0, 2, 0}, "\"sources\" has 0 rows where 2 are needed"},
        {{3, 0, 0, 0, 0}, "0 samples: 1 to"},
        {{1, 0, 0, 0, 0}, "0 samples: 1 to"},
        {{2, 2, 2, 2, 0}, "\"offsets\" has 2 rows where 3 are needed"},
        {{3, 3, 2, 2, 0}, "\"checksums\" has 3 rows where 2 are needed"},
        {{3, 2, 2, 2, 1}, "the last offset is 0; there are 1 events"},
    };
    char path[SPLIT_PATH];
    in_folder("a", path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint64_t *n = rows[i].rows;
        struct tensor tensors[] = {
            {.name = "offsets", .dtype = TENSOR_I64, .n_dims = 1, .dims = {n[OFFSETS]}},
            {.name = "checksums", .dtype = TENSOR_I64, .n_dims = 1, .dims = {n[CHECKSUMS]}},
            {.name = "sources", .dtype = TENSOR_I32, .n_dims = 2, .dims = {n[SOURCES], 2}},
            {.name = "labels", .dtype = TENSOR_U8, .n_dims = 2, .dims = {n[LABELS], 10}},
            {.name = "events", .dtype = TENSOR_U8, .n_dims = 2, .dims = {n[EVENTS], 5}},
        };
        put_tensors(path, tensors, N);
        struct split *split;
        if (rows[i].words) {
            expect_refused(path, -EBADMSG, rows[i].words);
            continue;
        }
        assert_int_equal(split_open(path, &split, NULL), 0);
        split_close(split);
    }
}

/* Read the file, change `n` bytes of it, and put it back. */
static void change_bytes(const char *path, const char *from, const char *to, size_t n)
{
    static char bytes[1 << 14];
    FILE *file = fopen(path, "r");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_in_range(size, 1, sizeof bytes - 1);
    char *at = memmem(bytes, size, from, n);
    assert_non_null(at);
    memcpy(at, to, n);
    put_file(path, bytes, size);
}

static void split_of_the_version_before_is_refused_with_the_command_that_makes_it_anew(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    change_bytes(path, "\"version\":\"2\"", "\"version\":\"1\"", 13);
    expect_refused(path, -ENOTSUP, "make it anew with \"twonmnist-generate splits --from PATH");
    change_bytes(path, "\"version\":\"1\"", "\"version\":\"3\"", 13);
    expect_refused(path, -ENOTSUP, "it has version \"3\"; this program reads \"2\"");
}

static void split_is_refused_where_its_index_is_not_what_its_header_says(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    struct split *split;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    assert_int_equal(split_open(path, &split, NULL), 0);
    uint64_t start = split_data_start(split), end = split_events_start(split);
    split_close(split);
    assert_in_range(start, 64, end - 1);
    for (uint64_t at = start; at < end; at++) {
        put_split(path, &SOURCE_SPLIT, 7, -1);
        uint8_t byte;
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        close(fd);
        expect_refused(path, -EBADMSG, "its index is damaged: its CRC-32C is ");
    }
    put_split(path, &SOURCE_SPLIT, 7, -1);
    change_bytes(path, "\"data_sha256\"", "\"date_sha256\"", 13);
    expect_refused(path, -EBADMSG, "does not say data_sha256");
    change_bytes(path, "\"date_sha256\"", "\"data_sha256\"", 13);
    change_bytes(path, "\"index_crc32c\"", "\"index_crc32g\"", 14);
    expect_refused(path, -EBADMSG, "and index_crc32c");
}

static void revision_is_the_sha256_of_the_header_which_names_that_of_the_rest(void **state)
{
    (void)state;
    char path[SPLIT_PATH], hex[SHA256_HEX + 1];
    struct split *split;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    assert_int_equal(split_open(path, &split, NULL), 0);
    const uint8_t *bytes = split_bytes(split);
    size_t start = (size_t)split_data_start(split), size = split_size(split);
    assert_int_equal(start, 4096);
    sha256_hex_of(bytes, start, hex);
    assert_string_equal(split_revision(split), hex);
    sha256_hex_of(bytes + start, size - start, hex);
    assert_string_equal(split_meta(split, "data_sha256"), hex);
    assert_int_equal(split_crc32c(split), crc32c(0, bytes, size));
    assert_ptr_equal(bytes + split_events_start(split), split_sample(split, 0).events.bytes);
    split_close(split);
}

static void split_is_opened_by_its_header_and_index_alone(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    struct split *split;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    assert_int_equal(open_split(path, &split, NULL), 0);
    assert_int_equal(n_bytes_read, split_events_start(split));
    split_close(split);
}

static void split_refuses_tensors_with_something_between_them(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    struct tensor tensors[] = {
        {.name = "offsets", .dtype = TENSOR_I64, .n_dims = 1, .dims = {3}},
        {.name = "checksums", .dtype = TENSOR_I64, .n_dims = 1, .dims = {2}},
        {.name = "sources", .dtype = TENSOR_I32, .n_dims = 2, .dims = {2, 2}},
        {.name = "labels", .dtype = TENSOR_U8, .n_dims = 2, .dims = {2, 10}},
        {.name = "more", .dtype = TENSOR_U8, .n_dims = 1, .dims = {3}},
        {.name = "events", .dtype = TENSOR_U8, .n_dims = 2, .dims = {0, 5}},
    };
    in_folder("a", path);
    put_tensors(path, tensors, 6);
    expect_refused(path, -EBADMSG, "tensor \"events\" lies at 79 of the data, not at 76");
    struct tensor last = tensors[5];
    tensors[5] = tensors[4];
    tensors[4] = last;
    put_tensors(path, tensors, 6);
    expect_refused(path, -EBADMSG, "3 bytes stand behind its last tensor");
}

static void what_was_just_written_is_in_memory(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_split(in_folder("cached", path), &SOURCE_SPLIT, 7, -1);
    struct split *split;
    assert_int_equal(split_open(path, &split, NULL), 0);
    size_t size = split_size(split);
    assert_true(split_is_cached(split, 0, size));
    assert_true(split_is_cached(split, size - 1, 1));
    assert_true(split_is_cached(split, 5, 0));
    assert_true(split_is_cached(split, size - 1, 100000)); /* of what there is */
    split_close(split);
}

static void split_refuses_what_is_no_file_without_waiting(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    assert_int_equal(mkfifo(in_folder("fifo", path), 0600), 0);
    expect_refused(path, -EBADMSG, "not a regular file");
    expect_refused(folder_path(), -EBADMSG, "not a regular file");
    expect_refused(in_folder("none", path), -ENOENT, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_opens_what_was_written),
        cmocka_unit_test(split_refuses_a_file_cut_at_any_length),
        cmocka_unit_test(split_refuses_a_file_that_changes_between_any_two_reads),
        cmocka_unit_test(split_keeps_its_index_whatever_becomes_of_the_file),
        cmocka_unit_test(split_is_intact_when_renamed_replaced_or_removed_but_not_when_touched),
        cmocka_unit_test(split_refuses_another_sensor_or_unit_and_says_which),
        cmocka_unit_test(split_refuses_sources_below_minus_one),
        cmocka_unit_test(split_counts_the_rows_of_every_tensor),
        cmocka_unit_test(
            split_of_the_version_before_is_refused_with_the_command_that_makes_it_anew),
        cmocka_unit_test(split_is_refused_where_its_index_is_not_what_its_header_says),
        cmocka_unit_test(revision_is_the_sha256_of_the_header_which_names_that_of_the_rest),
        cmocka_unit_test(split_is_opened_by_its_header_and_index_alone),
        cmocka_unit_test(split_refuses_tensors_with_something_between_them),
        cmocka_unit_test(what_was_just_written_is_in_memory),
        cmocka_unit_test(split_refuses_what_is_no_file_without_waiting),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
