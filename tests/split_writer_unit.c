/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/split_writer: what is written is read back, and what fails leaves nothing. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "common/split.h"
#include "common/split_writer.h"
#include "tests/scarce.h"
#include "tests/scratch.h"

enum { N_SAMPLES = 5, LONG_EVENTS = 300000 }; /* more than any buffer of the writer */

static const size_t lengths[N_SAMPLES] = {3, LONG_EVENTS, 0, 1, 4000};
static const struct meta metas[] = {{"kind", SPLIT_KIND_SOURCE},
                                    {"sensor", SENSOR_NMNIST},
                                    {"time_unit", SPLIT_TIME_UNIT},
                                    {"origin", "a \"test\""}};
enum { N_METAS = sizeof metas / sizeof *metas };
static uint8_t events[(LONG_EVENTS + N_SAMPLES) * EVENT_BYTES];

static int start(void **state)
{
    for (size_t i = 0; i < sizeof events; i++)
        events[i] = (uint8_t)(i * 31 % 251);
    return scratch_setup(state);
}

static struct event_span sample_events(size_t i)
{
    return (struct event_span){.bytes = events + i * EVENT_BYTES, .n_events = lengths[i]};
}

static void sample_labels(size_t i, uint8_t ret[N_DIGITS])
{
    memset(ret, 0, N_DIGITS);
    ret[i] = ret[9 - i] = 1;
}

static int add(struct split_writer *writer, size_t i, struct error *why)
{
    uint8_t labels[N_DIGITS];
    sample_labels(i, labels);
    const int32_t sources[2] = {(int32_t)i, i % 2 ? -1 : 7};
    return split_writer_add(writer, sample_events(i), labels, sources, why);
}

/* A whole split, or why not; the writer is gone in every case. */
static int write_split(const char *path, size_t n_promised, size_t n_added, struct error *why)
{
    struct split_writer *writer;
    int r = split_writer_create(path, n_promised, &writer, why);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < n_added; i++)
        r = add(writer, i, why);
    if (r < 0) {
        split_writer_abort(writer);
        return r;
    }
    return split_writer_finish(writer, metas, N_METAS, why);
}

static void split_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    const char *path = scratch_path("a.safetensors");
    struct error why = {""};
    struct split *split;
    if (write_split(path, N_SAMPLES, N_SAMPLES, &why) < 0 || split_open(path, &split, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(split_n_samples(split), N_SAMPLES);
    assert_string_equal(split_meta(split, "kind"), SPLIT_KIND_SOURCE);
    assert_string_equal(split_meta(split, "origin"), "a \"test\"");
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct sample sample = split_sample(split, i);
        uint8_t labels[N_DIGITS];
        sample_labels(i, labels);
        assert_int_equal(sample.events.n_events, lengths[i]);
        assert_memory_equal(sample.events.bytes, sample_events(i).bytes, lengths[i] * EVENT_BYTES);
        assert_memory_equal(sample.labels, labels, N_DIGITS);
        assert_int_equal(sample.sources[0], i);
        assert_int_equal(sample.sources[1], i % 2 ? -1 : 7);
        assert_int_equal(sample.checksum, crc32c(0, sample.events.bytes, lengths[i] * EVENT_BYTES));
    }
    split_close(split);
    assert_string_equal(scratch_list(""), "a.safetensors");
}

static void same_samples_give_the_same_bytes(void **state)
{
    (void)state;
    static uint8_t bytes[2][sizeof events + 100000];
    size_t sizes[2];
    static const char *const names[] = {"a.safetensors", "b.safetensors"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write_split(scratch_path(names[i]), N_SAMPLES, N_SAMPLES, NULL), 0);
        sizes[i] = scratch_read(names[i], bytes[i], sizeof bytes[i]);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
}

static void split_has_the_permissions_of_any_new_file(void **state)
{
    (void)state;
    struct stat st;
    mode_t mask = umask(027);
    assert_int_equal(write_split(scratch_path("a"), 1, 1, NULL), 0);
    umask(mask);
    assert_int_equal(stat(scratch_path("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void split_stands_in_its_place_when_it_is_finished_and_not_before(void **state)
{
    (void)state;
    scratch_write("a", "old", 3);
    char old[3];
    struct split_writer *writer;
    assert_int_equal(split_writer_create(scratch_path("a"), 1, &writer, NULL), 0);
    assert_int_equal(add(writer, 0, NULL), 0);
    assert_int_equal(scratch_read("a", old, 3), 3);
    assert_memory_equal(old, "old", 3);
    assert_int_equal(split_writer_finish(writer, metas, N_METAS, NULL), 0);
    struct split *split;
    assert_int_equal(split_open(scratch_path("a"), &split, NULL), 0);
    split_close(split);
    assert_string_equal(scratch_list(""), "a");
}

static void dropped_split_leaves_nothing(void **state)
{
    (void)state;
    struct split_writer *writer;
    assert_int_equal(split_writer_create(scratch_path("a"), 2, &writer, NULL), 0);
    assert_int_equal(add(writer, 0, NULL), 0);
    split_writer_abort(writer);
    split_writer_abort(NULL);
    assert_string_equal(scratch_list(""), "");
}

static void dropped_split_leaves_the_one_before_it(void **state)
{
    (void)state;
    scratch_write("a", "old", 3);
    char old[3];
    struct split_writer *writer;
    assert_int_equal(split_writer_create(scratch_path("a"), 1, &writer, NULL), 0);
    split_writer_abort(writer);
    assert_string_equal(scratch_list(""), "a");
    assert_int_equal(scratch_read("a", old, 3), 3);
    assert_memory_equal(old, "old", 3);
}

static void expect_failure(int r, int code, const struct error *why, const char *words,
                           const char *left_in_folder)
{
    assert_int_equal(r, code);
    if (!strstr(why->text, words))
        fail_msg("\"%s\" does not say \"%s\"", why->text, words);
    assert_string_equal(scratch_list(""), left_in_folder);
}

static void split_of_none_or_too_many_samples_is_refused(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0, (uint64_t)INT32_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        struct split_writer *writer = NULL;
        char words[32];
        snprintf(words, sizeof words, "a: a split of %llu ", (unsigned long long)bad[i]);
        expect_failure(split_writer_create(scratch_path("a"), bad[i], &writer, &why), -ERANGE, &why,
                       words, "");
        assert_null(writer);
    }
}

static void split_with_fewer_samples_than_promised_is_refused(void **state)
{
    (void)state;
    struct error why = {""};
    expect_failure(write_split(scratch_path("a"), 3, 2, &why), -EINVAL, &why, "a: 2 samples", "");
    expect_failure(write_split(scratch_path("a"), 3, 0, &why), -EINVAL, &why, "3 were promised",
                   "");
}

static void sample_more_than_promised_is_refused_and_the_others_can_be_kept(void **state)
{
    (void)state;
    struct error why = {""};
    struct split_writer *writer;
    struct split *split;
    assert_int_equal(split_writer_create(scratch_path("a"), 1, &writer, &why), 0);
    assert_int_equal(add(writer, 0, &why), 0);
    assert_int_equal(add(writer, 1, &why), -EFBIG);
    assert_non_null(strstr(why.text, "a: more than the 1 samples"));
    assert_int_equal(split_writer_finish(writer, metas, N_METAS, &why), 0);
    assert_int_equal(split_open(scratch_path("a"), &split, &why), 0);
    assert_int_equal(split_n_samples(split), 1);
    split_close(split);
}

static int create(void *user)
{
    struct split_writer *writer;
    return split_writer_create(scratch_path("a"), 1, &writer, user);
}

static void folder_that_is_not_there_or_closed_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    struct split_writer *writer = NULL;
    expect_failure(split_writer_create(scratch_path("no/a"), 1, &writer, &why), -ENOENT, &why,
                   "no/a: ", "");
    assert_null(writer);
    expect_failure(scratch_as_stranger(create, &why), -EACCES, &why, "a: ", "");
}

static void place_that_cannot_be_taken_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    scratch_make_folder("a");
    expect_failure(write_split(scratch_path("a"), 1, 1, &why), -EISDIR, &why, "a: cannot rename",
                   "a");
}

static void metadata_that_does_not_fit_the_header_is_refused(void **state)
{
    (void)state;
    struct error why = {""};
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    const struct meta longer = {"key", text};
    struct meta many[40];
    for (size_t i = 0; i < 40; i++)
        many[i] = (struct meta){"key", "value"};
    struct split_writer *writer;
    assert_int_equal(split_writer_create(scratch_path("a"), 1, &writer, &why), 0);
    assert_int_equal(add(writer, 0, &why), 0);
    expect_failure(split_writer_finish(writer, &longer, 1, &why), -ENOBUFS, &why, "a: its metadata",
                   "");
    assert_int_equal(split_writer_create(scratch_path("a"), 1, &writer, &why), 0);
    assert_int_equal(add(writer, 0, &why), 0);
    expect_failure(split_writer_finish(writer, many, 40, &why), -E2BIG, &why, "metadata", "");
}

/* Each size runs into the limit in another place: a long sample, the buffer, the index. */
static void disk_that_is_full_leaves_nothing(void **state)
{
    (void)state;
    static const rlim_t limits[] = {0, 100, 4096, 5000, 1000000, 1500000};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct error why = {""};
        const struct rlimit limit = {limits[i], before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        int r = write_split(scratch_path("a"), N_SAMPLES, N_SAMPLES, &why);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        expect_failure(r, -EFBIG, &why, "a: cannot write", "");
    }
    signal(SIGXFSZ, SIG_DFL);
}

static int write_scarcely(void *user, struct error *why)
{
    (void)user;
    int r = write_split(scratch_path("a"), N_SAMPLES, N_SAMPLES, why);
    assert_string_equal(scratch_list(""), r == 0 ? "a" : "");
    if (r < 0)
        assert_non_null(strstr(why->text, "a: "));
    return r;
}

static void split_without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    assert_in_range(scarce_try(write_scarcely, NULL), 7, 100);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(split_is_read_back_as_it_was_written),
        UNIT(same_samples_give_the_same_bytes),
        UNIT(split_has_the_permissions_of_any_new_file),
        UNIT(split_stands_in_its_place_when_it_is_finished_and_not_before),
        UNIT(dropped_split_leaves_nothing),
        UNIT(dropped_split_leaves_the_one_before_it),
        UNIT(split_of_none_or_too_many_samples_is_refused),
        UNIT(split_with_fewer_samples_than_promised_is_refused),
        UNIT(sample_more_than_promised_is_refused_and_the_others_can_be_kept),
        UNIT(folder_that_is_not_there_or_closed_is_named),
        UNIT(place_that_cannot_be_taken_is_named),
        UNIT(metadata_that_does_not_fit_the_header_is_refused),
        UNIT(disk_that_is_full_leaves_nothing),
        UNIT(split_without_memory_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("split_writer", tests, NULL, NULL);
}
