/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/published_split: samples that are mixed already, in either order. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/split.h"
#include "generator/interrupt.h"
#include "generator/published_split.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

enum { N_SAMPLES = 3, PAIR_BYTES = 2 * SMALL_BYTES };

/* The pair of recordings 3 and 8, mixed in an order. */
static size_t mix_pair(enum mix_order order, uint8_t ret[PAIR_BYTES])
{
    const struct event_span parts[] = {small_span(3), small_span(8)};
    struct mixer *mixer;
    size_t n;
    assert_int_equal(mixer_new(&mixer), 0);
    assert_int_equal(mixer_mix(mixer, parts, 2, &(struct mix_rule){.order = order}, ret, &n, NULL),
                     0);
    mixer_free(mixer);
    return n;
}

static int start(void **state)
{
    uint8_t pair[PAIR_BYTES];
    int r = scratch_setup(state);
    scratch_write("in/Train/0_0.bin", small_span(0).bytes, SMALL_BYTES);
    scratch_write("in/Train/1_2-6.bin", pair, mix_pair(MIX_PUBLISHED, pair) * EVENT_BYTES);
    scratch_write("in/Train/2_9.bin", small_span(11).bytes, SMALL_BYTES);
    return r;
}

static int write_split(void *user, struct error *why)
{
    const enum mix_order *order = user;
    struct source *source;
    int r = source_open_files(scratch_path("in"), scratch_folder(), &source, why);
    if (r < 0)
        return r;
    r = published_split_write(source, PART_TRAIN, *order, 1, "test", scratch_path("out"), why);
    source_close(source);
    assert_string_equal(scratch_list(""), r == 0 ? "in out" : "in");
    return r;
}

static void expect_sample(const struct split *split, size_t i, const uint8_t *bytes,
                          size_t n_events, int digit, int second)
{
    struct sample sample = split_sample(split, i);
    assert_int_equal(sample.events.n_events, n_events);
    assert_memory_equal(sample.events.bytes, bytes, n_events * EVENT_BYTES);
    assert_int_equal(sample.sources[0], -1);
    assert_int_equal(sample.sources[1], -1);
    for (int d = 0; d < N_DIGITS; d++)
        assert_int_equal(sample.labels[d], d == digit || d == second);
}

static void split_holds_the_samples_in_the_order_that_was_asked_for(void **state)
{
    (void)state;
    for (enum mix_order order = MIX_TIME; order <= MIX_PUBLISHED; order++) {
        struct error why = {""};
        struct split *split = NULL;
        uint8_t pair[PAIR_BYTES];
        size_t n = mix_pair(order, pair);
        if (write_split(&order, &why) < 0 || split_open(scratch_path("out"), &split, &why) < 0)
            fail_msg("%s", why.text);
        assert_int_equal(split_n_samples(split), N_SAMPLES);
        expect_sample(split, 0, small_span(0).bytes, SMALL_EVENTS, 0, -1);
        expect_sample(split, 1, pair, n, 2, 6);
        expect_sample(split, 2, small_span(11).bytes, SMALL_EVENTS, 9, -1);
        assert_string_equal(split_meta(split, "order"), order == MIX_TIME ? "time" : "published");
        assert_string_equal(split_meta(split, "plan"), "published");
        assert_string_equal(split_meta(split, "origin"), "published-archive");
        assert_string_equal(split_meta(split, "source_sha256"), "");
        split_close(split);
        scratch_teardown(state);
        start(state);
    }
}

static void bad_sample_is_named_with_its_event(void **state)
{
    (void)state;
    uint8_t late[3 * EVENT_BYTES], outside[EVENT_BYTES];
    static uint8_t markers[1025 * EVENT_BYTES];
    for (uint32_t i = 0; i < 3; i++)
        event_pack((struct event){.t_us = 9 - i}, late + i * EVENT_BYTES);
    event_pack((struct event){.x = SENSOR_WIDTH}, outside);
    for (size_t i = 0; i < 1025; i++)
        event_pack((struct event){.y = EVENT_OVERFLOW_Y}, markers + i * EVENT_BYTES);
    const struct {
        const char *name;
        const void *bytes;
        size_t size;
        int code;
        const char *words;
    } rows[] = {
        {"Train/0_0.bin", late, 2 * EVENT_BYTES, -EBADMSG, "event 1: time goes back"},
        {"Train/1_2-6.bin", late, 2 * EVENT_BYTES, 0, ""},
        {"Train/1_2-6.bin", late, sizeof late, -EBADMSG, "event 2: time goes back"},
        {"Train/2_9.bin", outside, sizeof outside, -EBADMSG, "event 0: pixel (34, 0)"},
        {"Train/2_9.bin", outside, 3, -EBADMSG, "3 bytes"},
        {"Train/2_9.bin", "", 0, -EBADMSG, "no events"},
        {"Train/2_9.bin", markers, sizeof markers, -ERANGE, "event 1024: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error why = {""};
        enum mix_order order = MIX_TIME;
        char name[64] = "in/";
        strcat(name, rows[i].name);
        scratch_teardown(state);
        start(state);
        scratch_write(name, rows[i].bytes, rows[i].size);
        assert_int_equal(write_split(&order, &why), rows[i].code);
        if (rows[i].code == 0)
            continue;
        assert_memory_equal(why.text, rows[i].name, strlen(rows[i].name));
        assert_non_null(strstr(why.text, rows[i].words));
    }
}

static void place_that_cannot_be_is_named(void **state)
{
    (void)state;
    struct source *source;
    struct error why = {""};
    assert_int_equal(source_open_files(scratch_path("in"), scratch_folder(), &source, NULL), 0);
    assert_int_equal(published_split_write(source, PART_TRAIN, MIX_TIME, 1, "test",
                                           scratch_path("no/out"), &why),
                     -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("no/out")));
    source_close(source);
}

static void split_without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    enum mix_order order = MIX_TIME;
    assert_true(scarce_try(write_split, &order) > 10);
}

/* The last test: a signal is never forgotten. */
static void signal_ends_it_and_leaves_nothing(void **state)
{
    (void)state;
    enum mix_order order = MIX_TIME;
    struct error why = {""};
    interrupt_catch();
    raise(SIGHUP);
    assert_int_equal(write_split(&order, &why), -EINTR);
    assert_non_null(strstr(why.text, "signal 1"));
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(split_holds_the_samples_in_the_order_that_was_asked_for),
        UNIT(bad_sample_is_named_with_its_event),
        UNIT(place_that_cannot_be_is_named),
        UNIT(split_without_memory_says_so_and_leaves_nothing),
        UNIT(signal_ends_it_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("published_split", tests, NULL, NULL);
}
