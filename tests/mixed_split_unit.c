/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/mixed_split: the samples of a plan over a source split. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/plan.h"
#include "common/sha256.h"
#include "common/split.h"
#include "generator/interrupt.h"
#include "generator/mixed_split.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

static int start(void **state)
{
    int r = scratch_setup(state);
    small_source_write(scratch_path("source"));
    return r;
}

static int write_split(void *user, struct error *why)
{
    const struct mixed_split *how = user;
    int r = mixed_split_write(how, scratch_path("source"), scratch_path("out"), why);
    assert_string_equal(scratch_list(""), r == 0 ? "out source" : "source");
    return r;
}

static void check_sample(struct mixer *mixer, const struct sample *sample,
                         const struct plan_row *row, enum mix_order order)
{
    uint8_t want[2 * SMALL_BYTES];
    size_t n_want;
    const struct event_span parts[] = {small_span((size_t)row->a),
                                       small_span(row->b < 0 ? 0 : (size_t)row->b)};
    assert_int_equal(mixer_mix(mixer, parts, row->b < 0 ? 1 : 2, &(struct mix_rule){.order = order},
                               want, &n_want, NULL),
                     0);
    assert_int_equal(sample->events.n_events, n_want);
    assert_memory_equal(sample->events.bytes, want, n_want * EVENT_BYTES);
    assert_int_equal(sample->sources[0], row->a);
    assert_int_equal(sample->sources[1], row->b);
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        assert_int_equal(sample->labels[digit], digit == small_digits[row->a] ||
                                                    (row->b >= 0 && digit == small_digits[row->b]));
}

static void check_split(struct mixed_split how, const char *plan, const char *order)
{
    struct error why = {""};
    struct split *split;
    struct plan_row *rows;
    struct mixer *mixer;
    size_t n_rows;
    if (write_split(&how, &why) < 0 || split_open(scratch_path("out"), &split, &why) < 0)
        fail_msg("%s", why.text);
    assert_int_equal(plan_make(small_digits, SMALL_N, how.plan_seed, &rows, &n_rows, NULL), 0);
    assert_int_equal(mixer_new(&mixer), 0);
    assert_int_equal(split_n_samples(split), n_rows);
    for (size_t i = 0; i < n_rows; i++) {
        struct sample sample = split_sample(split, i);
        check_sample(mixer, &sample, &rows[i], how.order);
    }
    assert_string_equal(split_meta(split, "kind"), SPLIT_KIND_2NMNIST);
    assert_string_equal(split_meta(split, "plan"), plan);
    assert_string_equal(split_meta(split, "order"), order);
    assert_string_equal(split_meta(split, "origin"), "synthetic"); /* that of the source */
    mixer_free(mixer);
    free(rows);
    split_close(split);
}

static void split_is_the_mix_of_its_plan(void **state)
{
    (void)state;
    for (unsigned n_threads = 1; n_threads < 6; n_threads += 3) {
        check_split((struct mixed_split){.part = PART_TRAIN,
                                         .plan_seed = PLAN_PUBLISHED_SEED,
                                         .order = MIX_TIME,
                                         .n_threads = n_threads,
                                         .label = ""},
                    "published", "time");
        check_split((struct mixed_split){.part = PART_TRAIN,
                                         .plan_seed = 7,
                                         .order = MIX_PUBLISHED,
                                         .n_threads = n_threads,
                                         .label = ""},
                    "7", "published");
    }
}

static void split_names_the_revision_it_was_mixed_from(void **state)
{
    (void)state;
    struct mixed_split how = {
        .part = PART_TEST, .plan_seed = 1, .order = MIX_TIME, .n_threads = 1, .label = ""};
    struct split *split, *source;
    assert_int_equal(write_split(&how, NULL), 0);
    assert_int_equal(split_open(scratch_path("out"), &split, NULL), 0);
    assert_int_equal(split_open(scratch_path("source"), &source, NULL), 0);
    assert_string_equal(split_meta(split, "source_sha256"), split_revision(source));
    assert_string_equal(split_meta(split, "split"), "test");
    split_close(source);
    split_close(split);
}

static void what_is_no_source_split_is_refused(void **state)
{
    (void)state;
    struct mixed_split how = {
        .part = PART_TRAIN, .plan_seed = 1, .order = MIX_TIME, .n_threads = 1, .label = ""};
    struct error why = {""};
    assert_int_equal(mixed_split_write(&how, scratch_path("nothing"), scratch_path("out"), &why),
                     -ENOENT);
    struct split_writer *writer = small_split_begin(scratch_path("source"), 1);
    small_split_add(writer, small_span(0), 3, -1, 0, -1);
    small_split_end(writer, SPLIT_KIND_2NMNIST);
    assert_int_equal(write_split(&how, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "not a source split"));
}

static void place_that_cannot_be_is_named(void **state)
{
    (void)state;
    struct mixed_split how = {
        .part = PART_TRAIN, .plan_seed = 1, .order = MIX_TIME, .n_threads = 1, .label = ""};
    struct error why = {""};
    assert_int_equal(mixed_split_write(&how, scratch_path("source"), scratch_path("no/out"), &why),
                     -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("no/out")));
}

static void split_without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    struct mixed_split how = {
        .part = PART_TRAIN, .plan_seed = 1, .order = MIX_TIME, .n_threads = 1, .label = ""};
    assert_true(scarce_try(write_split, &how) > 10);
}

/* The last test: a signal is never forgotten. */
static void signal_ends_it_and_leaves_nothing(void **state)
{
    (void)state;
    struct mixed_split how = {
        .part = PART_TRAIN, .plan_seed = 1, .order = MIX_TIME, .n_threads = 1, .label = ""};
    struct error why = {""};
    interrupt_catch();
    raise(SIGINT);
    assert_int_equal(write_split(&how, &why), -EINTR);
    assert_non_null(strstr(why.text, "signal 2"));
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(split_is_the_mix_of_its_plan),
        UNIT(split_names_the_revision_it_was_mixed_from),
        UNIT(what_is_no_source_split_is_refused),
        UNIT(place_that_cannot_be_is_named),
        UNIT(split_without_memory_says_so_and_leaves_nothing),
        UNIT(signal_ends_it_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("mixed_split", tests, NULL, NULL);
}
