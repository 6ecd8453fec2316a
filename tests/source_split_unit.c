/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/source_split: all recordings of a part, in one file and in order of name. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/sha256.h"
#include "common/split.h"
#include "generator/interrupt.h"
#include "generator/source_split.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

/* Recording i is Train/<its digit>/<i + 1>.bin. */
static void name_of(size_t i, char ret[64])
{
    snprintf(ret, 64, "in/Train/%u/%05zu.bin", small_digits[i], i + 1);
}

static void write_recording(size_t i, const void *bytes, size_t size)
{
    char name[64];
    name_of(i, name);
    scratch_write(name, bytes, size);
}

static int start(void **state)
{
    int r = scratch_setup(state);
    for (size_t i = 0; i < SMALL_N; i++)
        write_recording(i, small_span(i).bytes, SMALL_BYTES);
    return r;
}

static int write_split(void *user, struct error *why)
{
    struct source *source;
    (void)user;
    int r = source_open_files(scratch_path("in"), scratch_folder(), &source, why);
    if (r < 0)
        return r;
    r = source_split_write(source, PART_TRAIN, 1, "test", scratch_path("out"), why);
    source_close(source);
    assert_string_equal(scratch_list(""), r == 0 ? "in out" : "in");
    return r;
}

static void split_holds_all_recordings(void **state)
{
    (void)state;
    struct error why = {""};
    struct split *split;
    if (write_split(NULL, &why) < 0 || split_open(scratch_path("out"), &split, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(split_n_samples(split), SMALL_N);
    struct sha256 *hash;
    assert_int_equal(sha256_new(&hash), 0);
    for (size_t i = 0; i < SMALL_N; i++) {
        struct sample sample = split_sample(split, i);
        assert_int_equal(sample.events.n_events, SMALL_EVENTS);
        assert_memory_equal(sample.events.bytes, small_span(i).bytes, SMALL_BYTES);
        for (unsigned digit = 0; digit < N_DIGITS; digit++)
            assert_int_equal(sample.labels[digit], digit == small_digits[i]);
        assert_int_equal(sample.sources[0], i + 1);
        assert_int_equal(sample.sources[1], -1);
        sha256_add(hash, small_span(i).bytes, SMALL_BYTES);
    }
    char sha256[SHA256_HEX + 1];
    sha256_hex(hash, sha256);
    sha256_free(hash);
    assert_string_equal(split_meta(split, "source_sha256"), sha256); /* of the files as they are */
    assert_string_equal(split_meta(split, "kind"), SPLIT_KIND_SOURCE);
    assert_string_equal(split_meta(split, "split"), "train");
    assert_string_equal(split_meta(split, "origin"), "recorded");
    split_close(split);
}

static void overflow_markers_are_resolved(void **state)
{
    (void)state;
    uint8_t bytes[3 * EVENT_BYTES];
    event_pack((struct event){.t_us = 1, .x = 1}, bytes);
    event_pack((struct event){.y = EVENT_OVERFLOW_Y}, bytes + EVENT_BYTES);
    event_pack((struct event){.t_us = 2, .x = 2}, bytes + 2 * EVENT_BYTES);
    write_recording(0, bytes, sizeof bytes);
    struct split *split;
    assert_int_equal(write_split(NULL, NULL), 0);
    assert_int_equal(split_open(scratch_path("out"), &split, NULL), 0);
    struct sample sample = split_sample(split, 0);
    assert_int_equal(sample.events.n_events, 2);
    assert_int_equal(event_unpack(sample.events.bytes + EVENT_BYTES).t_us, (1 << 13) + 2);
    split_close(split);
}

static void number_of_threads_changes_nothing(void **state)
{
    (void)state;
    static uint8_t bytes[2][100000];
    size_t sizes[2];
    struct source *source;
    assert_int_equal(source_open_files(scratch_path("in"), scratch_folder(), &source, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(
            source_split_write(source, PART_TRAIN, 1 + 4 * i, "test", scratch_path("out"), NULL),
            0);
        sizes[i] = scratch_read("out", bytes[i], sizeof bytes[i]);
    }
    source_close(source);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
}

static void bad_recording_is_named_with_its_event(void **state)
{
    (void)state;
    uint8_t late[3 * EVENT_BYTES], outside[EVENT_BYTES];
    for (uint32_t i = 0; i < 3; i++)
        event_pack((struct event){.t_us = 9 - i}, late + i * EVENT_BYTES);
    event_pack((struct event){.x = SENSOR_WIDTH}, outside);
    static uint8_t markers[1025 * EVENT_BYTES];
    for (size_t i = 0; i < 1025; i++)
        event_pack((struct event){.y = EVENT_OVERFLOW_Y}, markers + i * EVENT_BYTES);
    const struct {
        const void *bytes;
        size_t size;
        int code;
        const char *words;
    } rows[] = {
        {late, sizeof late, -EBADMSG, "event 1: time goes back"},
        {outside, sizeof outside, -EBADMSG, "event 0: pixel (34, 0)"},
        {outside, 4, -EBADMSG, "4 bytes"},
        {"", 0, -EBADMSG, "no events"},
        {markers, EVENT_BYTES, -EBADMSG, "no events"},
        {markers, sizeof markers, -ERANGE, "event 1024: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error why = {""};
        write_recording(4, rows[i].bytes, rows[i].size);
        assert_int_equal(write_split(NULL, &why), rows[i].code);
        assert_memory_equal(why.text, "Train/2/00005.bin: ", 19);
        assert_non_null(strstr(why.text, rows[i].words));
    }
}

static void part_that_is_not_there_makes_no_split(void **state)
{
    (void)state;
    struct source *source;
    struct error why = {""};
    assert_int_equal(source_open_files(scratch_path("in"), scratch_folder(), &source, NULL), 0);
    assert_int_equal(source_split_write(source, PART_TEST, 1, "test", scratch_path("out"), &why),
                     -ERANGE);
    assert_int_equal(
        source_split_write(source, PART_TRAIN, 1, "test", scratch_path("no/out"), &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("no/out")));
    source_close(source);
    assert_string_equal(scratch_list(""), "in");
}

static void split_without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    assert_true(scarce_try(write_split, NULL) > 10);
}

/* The last test: a signal is never forgotten. */
static void signal_ends_it_and_leaves_nothing(void **state)
{
    (void)state;
    struct error why = {""};
    interrupt_catch();
    raise(SIGTERM);
    assert_int_equal(write_split(NULL, &why), -EINTR);
    assert_non_null(strstr(why.text, "signal 15"));
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(split_holds_all_recordings),
        UNIT(overflow_markers_are_resolved),
        UNIT(number_of_threads_changes_nothing),
        UNIT(bad_recording_is_named_with_its_event),
        UNIT(part_that_is_not_there_makes_no_split),
        UNIT(split_without_memory_says_so_and_leaves_nothing),
        UNIT(signal_ends_it_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("source_split", tests, NULL, NULL);
}
