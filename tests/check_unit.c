/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/check: each fault that a sample can have is found and named. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generator/check.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

/* One sample as it is written, whatever it holds. */
struct made {
    struct event_span events;
    int digit, second;
    int32_t sources[2];
};

static struct split *split_of(const struct made *made, const char *kind)
{
    struct split_writer *writer = small_split_begin(scratch_path("split"), 1);
    small_split_add(writer, made->events, made->digit, made->second, made->sources[0],
                    made->sources[1]);
    small_split_end(writer, kind);
    struct split *split;
    assert_int_equal(split_open(scratch_path("split"), &split, NULL), 0);
    return split;
}

/* What is wrong with sample 0; "" when nothing. */
static const char *fault_of(const struct check *check)
{
    static struct error fault;
    struct error why = {""};
    struct buffer raw = {0}, mixed = {0};
    struct mixer *mixer;
    fault.text[0] = '\0';
    assert_int_equal(mixer_new(&mixer), 0);
    if (check_sample(check, 0, mixer, &raw, &mixed, &fault, &why) < 0)
        fail_msg("%s", why.text);
    mixer_free(mixer);
    buffer_free(&raw);
    buffer_free(&mixed);
    return fault.text;
}

static void expect_fault(const struct made *made, const char *kind, enum mix_order order,
                         const char *wanted)
{
    const struct check check = {.split = split_of(made, kind), .order = order};
    const char *fault = fault_of(&check);
    split_close((struct split *)check.split);
    if (*wanted ? !strstr(fault, wanted) : *fault != '\0')
        fail_msg("the fault is \"%s\", not \"%s\"", fault, wanted);
}

static const struct event good[] = {{10, 1, 2, 1}, {20, 33, 33, 0}, {20, 0, 0, 1}};

/* Packed, good until the next call. */
static struct event_span pack(const struct event *events, size_t n)
{
    static uint8_t bytes[16 * EVENT_BYTES];
    for (size_t i = 0; i < n; i++)
        event_pack(events[i], bytes + i * EVENT_BYTES);
    return (struct event_span){bytes, n};
}

static void sample_without_a_fault_has_none(void **state)
{
    (void)state;
    const struct made recording = {pack(good, 3), 4, -1, {7, -1}};
    expect_fault(&recording, SPLIT_KIND_SOURCE, MIX_TIME, "");
    const struct made pair = {pack(good, 3), 4, 9, {-1, -1}};
    expect_fault(&pair, SPLIT_KIND_2NMNIST, MIX_TIME, "");
    const struct made single = {pack(good, 3), 4, -1, {3, -1}};
    expect_fault(&single, SPLIT_KIND_2NMNIST, MIX_PUBLISHED, "");
}

static void changed_events_are_found_by_their_checksum(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    const struct made made = {pack(good, 3), 4, -1, {7, -1}};
    split_close(split_of(&made, SPLIT_KIND_SOURCE));
    size_t size = scratch_read("split", bytes, sizeof bytes);
    bytes[size - 1] ^= 1; /* a time, one more */
    scratch_write("changed", bytes, size);
    struct split *split;
    assert_int_equal(split_open(scratch_path("changed"), &split, NULL), 0);
    const char *fault = fault_of(&(struct check){.split = split});
    assert_non_null(strstr(fault, "checksum"));
    split_close(split);
}

static void labels_are_one_or_two(void **state)
{
    (void)state;
    const struct made none = {pack(good, 3), -1, -1, {7, -1}};
    expect_fault(&none, SPLIT_KIND_SOURCE, MIX_TIME, "it has 0 labels, not 1");
    expect_fault(&none, SPLIT_KIND_2NMNIST, MIX_TIME, "it has 0 labels, not 1 or 2");
    const struct made two = {pack(good, 3), 3, 4, {7, -1}};
    expect_fault(&two, SPLIT_KIND_SOURCE, MIX_TIME, "it has 2 labels, not 1");
}

static void events_obey_the_rules_of_a_recording(void **state)
{
    (void)state;
    static const struct {
        struct event events[4];
        size_t n;
        const char *wanted;
    } rows[] = {
        {{{0, 0, 0, 0}}, 0, "no events"},
        {{{1, 34, 0, 0}}, 1, "event 0: pixel (34, 0)"},
        {{{1, 0, 0, 0}, {2, 0, 34, 0}}, 2, "event 1: pixel (0, 34)"},
        {{{5, 0, 0, 0}, {4, 0, 0, 0}}, 2, "event 1: time goes back"},
        {{{5, 0, 0, 0}, {0, 0, EVENT_OVERFLOW_Y, 0}}, 2, "time-overflow markers"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct made made = {pack(rows[i].events, rows[i].n), 1, -1, {7, -1}};
        expect_fault(&made, SPLIT_KIND_SOURCE, MIX_TIME, rows[i].wanted);
    }
}

/* Where one digit's events lie behind the other's. */
static void time_goes_back_once_in_a_published_pair_alone(void **state)
{
    (void)state;
    static const struct event events[] = {{5, 0, 0, 0}, {4, 0, 0, 0}, {3, 0, 0, 0}};
    const struct made pair = {pack(events, 2), 1, 2, {-1, -1}};
    expect_fault(&pair, SPLIT_KIND_2NMNIST, MIX_PUBLISHED, "");
    expect_fault(&pair, SPLIT_KIND_2NMNIST, MIX_TIME, "event 1: time goes back");
    const struct made single = {pack(events, 2), 1, -1, {-1, -1}};
    expect_fault(&single, SPLIT_KIND_2NMNIST, MIX_PUBLISHED, "event 1: time goes back");
    const struct made twice = {pack(events, 3), 1, 2, {-1, -1}};
    expect_fault(&twice, SPLIT_KIND_2NMNIST, MIX_PUBLISHED, "event 2: time goes back");
}

static void source_of_a_recording_is_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        int32_t sources[2];
        const char *wanted;
    } rows[] = {
        {SPLIT_KIND_SOURCE, {0, -1}, ""},
        {SPLIT_KIND_SOURCE, {-1, -1}, "its sources are -1, -1, not a number and -1"},
        {SPLIT_KIND_SOURCE, {5, 5}, "its sources are 5, 5, not a number and -1"},
        {SPLIT_KIND_2NMNIST, {-1, -1}, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct made made = {pack(good, 3), 4, -1, {rows[i].sources[0], rows[i].sources[1]}};
        expect_fault(&made, rows[i].kind, MIX_TIME, rows[i].wanted);
    }
}

/* A 2NMNIST sample of recordings 2 and 5 held against the source split. */
static void expect_fault_with_source(const struct made *made, const char *wanted)
{
    struct split *source;
    struct plan_row row = {2, 5};
    small_source_write(scratch_path("source"));
    assert_int_equal(split_open(scratch_path("source"), &source, NULL), 0);
    struct check check = {
        .split = split_of(made, SPLIT_KIND_2NMNIST), .rows = &row, .order = MIX_TIME};
    assert_int_equal(recordings_new(source, &check.recordings, NULL), 0);
    const char *fault = fault_of(&check);
    recordings_free(&check.recordings);
    split_close((struct split *)check.split);
    split_close(source);
    if (*wanted ? !strstr(fault, wanted) : *fault != '\0')
        fail_msg("the fault is \"%s\", not \"%s\"", fault, wanted);
}

static struct event_span mix_of(size_t a, size_t b)
{
    static uint8_t bytes[2 * SMALL_BYTES];
    const struct event_span parts[] = {small_span(a), small_span(b)};
    struct mixer *mixer;
    size_t n;
    assert_int_equal(mixer_new(&mixer), 0);
    assert_int_equal(
        mixer_mix(mixer, parts, 2, &(struct mix_rule){.order = MIX_TIME}, bytes, &n, NULL), 0);
    mixer_free(mixer);
    return (struct event_span){bytes, n};
}

static void sample_is_held_against_its_source(void **state)
{
    (void)state;
    struct event_span mix = mix_of(2, 5);
    const struct made right = {mix, small_digits[2], small_digits[5], {2, 5}};
    expect_fault_with_source(&right, "");
    struct made wrong = right;
    wrong.sources[1] = 6;
    expect_fault_with_source(&wrong, "its sources are 2, 6; by the plan they are 2, 5");
    wrong = right;
    wrong.second = 9;
    expect_fault_with_source(&wrong, "its labels are not those of its sources");
    wrong = right;
    wrong.events.n_events--;
    expect_fault_with_source(&wrong, "its events are not the mix of its sources");
    wrong = right;
    wrong.events = mix_of(5, 2);
    expect_fault_with_source(&wrong, "its events are not the mix of its sources");
}

static int check_scarcely(void *user, struct error *why)
{
    struct buffer raw = {0}, mixed = {0};
    struct error fault = {""};
    struct mixer *mixer;
    int r = mixer_new(&mixer);
    if (r < 0)
        return r;
    r = check_sample(user, 0, mixer, &raw, &mixed, &fault, why);
    assert_string_equal(fault.text, "");
    mixer_free(mixer);
    buffer_free(&raw);
    buffer_free(&mixed);
    return r;
}

static void check_without_memory_is_no_fault(void **state)
{
    (void)state;
    struct split *source;
    struct plan_row row = {2, 5};
    small_source_write(scratch_path("source"));
    assert_int_equal(split_open(scratch_path("source"), &source, NULL), 0);
    const struct made made = {mix_of(2, 5), small_digits[2], small_digits[5], {2, 5}};
    struct check check = {
        .split = split_of(&made, SPLIT_KIND_2NMNIST), .rows = &row, .order = MIX_TIME};
    assert_int_equal(recordings_new(source, &check.recordings, NULL), 0);
    assert_true(scarce_try(check_scarcely, &check) >= 4);
    recordings_free(&check.recordings);
    split_close((struct split *)check.split);
    split_close(source);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(sample_without_a_fault_has_none),
        UNIT(changed_events_are_found_by_their_checksum),
        UNIT(labels_are_one_or_two),
        UNIT(events_obey_the_rules_of_a_recording),
        UNIT(time_goes_back_once_in_a_published_pair_alone),
        UNIT(source_of_a_recording_is_its_number),
        UNIT(sample_is_held_against_its_source),
        UNIT(check_without_memory_is_no_fault),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
