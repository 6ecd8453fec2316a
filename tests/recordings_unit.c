/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/recordings: how samples come from a source split. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/sha256.h"
#include "generator/recordings.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

static struct split *source;

static struct split *open_split(const char *name)
{
    struct split *split;
    struct error why = {""};
    if (split_open(scratch_path(name), &split, &why) < 0)
        fail_msg("%s", why.text);
    return split;
}

static int start(void **state)
{
    int r = scratch_setup(state);
    small_source_write(scratch_path("source"));
    source = open_split("source");
    return r;
}

static int stop(void **state)
{
    split_close(source);
    return scratch_teardown(state);
}

static struct recordings recordings_of(const struct split *split)
{
    struct recordings recordings;
    struct error why = {""};
    if (recordings_new(split, &recordings, &why) < 0)
        fail_msg("%s", why.text);
    return recordings;
}

static void it_is_known_what_each_recording_shows(void **state)
{
    (void)state;
    struct recordings recordings = recordings_of(source);
    assert_ptr_equal(recordings.source, source);
    assert_memory_equal(recordings.digits, small_digits, SMALL_N);
    recordings_free(&recordings);
    assert_null(recordings.digits);
    recordings_free(&recordings);
}

static void split_that_is_no_source_is_refused(void **state)
{
    (void)state;
    struct split_writer *writer = small_split_begin(scratch_path("mixed"), 1);
    small_split_add(writer, small_span(0), 3, -1, 0, -1);
    small_split_end(writer, SPLIT_KIND_2NMNIST);
    struct split *mixed = open_split("mixed");
    struct recordings recordings = {.digits = NULL};
    struct error why = {""};
    assert_int_equal(recordings_new(mixed, &recordings, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "not a source split"));
    assert_null(recordings.digits);
    split_close(mixed);
}

static void recording_without_just_one_label_is_refused(void **state)
{
    (void)state;
    static const int digits[][2] = {{-1, -1}, {3, 4}};
    for (size_t i = 0; i < 2; i++) {
        struct split_writer *writer = small_split_begin(scratch_path("bad"), 2);
        small_split_add(writer, small_span(0), 3, -1, 0, -1);
        small_split_add(writer, small_span(1), digits[i][0], digits[i][1], 1, -1);
        small_split_end(writer, SPLIT_KIND_SOURCE);
        struct split *bad = open_split("bad");
        struct recordings recordings = {.digits = NULL};
        struct error why = {""};
        assert_int_equal(recordings_new(bad, &recordings, &why), -EBADMSG);
        assert_non_null(strstr(why.text, "recording 1 "));
        assert_null(recordings.digits);
        split_close(bad);
    }
}

/* A split mixed from the split of this revision. */
static struct split *mixed_from(const char *sha256)
{
    struct split_writer *writer = small_split_begin(scratch_path("mixed"), 1);
    small_split_add(writer, small_span(0), 3, -1, 0, -1);
    const struct meta metas[] = {{"kind", SPLIT_KIND_2NMNIST},
                                 {"sensor", SENSOR_NMNIST},
                                 {"time_unit", SPLIT_TIME_UNIT},
                                 {"source_sha256", sha256}};
    assert_int_equal(split_writer_finish(writer, metas, 4, NULL), 0);
    return open_split("mixed");
}

static void source_of_a_split_is_told_by_its_revision(void **state)
{
    (void)state;
    char sha256[SHA256_HEX + 1];
    strcpy(sha256, split_revision(source));
    struct recordings recordings = recordings_of(source);
    struct split *mixed = mixed_from(sha256);
    assert_int_equal(recordings_check_source(&recordings, mixed, NULL), 0);
    split_close(mixed);

    char other[SHA256_HEX + 1];
    memcpy(other, sha256, sizeof other);
    other[0] = other[0] == '0' ? '1' : '0';
    mixed = mixed_from(other);
    struct error why = {""};
    assert_int_equal(recordings_check_source(&recordings, mixed, &why), -EBADMSG);
    char shown[13] = "";
    memcpy(shown, sha256, 12);
    assert_non_null(strstr(why.text, shown));
    memcpy(shown, other, 12);
    assert_non_null(strstr(why.text, shown));
    split_close(mixed);
    recordings_free(&recordings);
}

static void plan_is_that_of_the_digits(void **state)
{
    (void)state;
    struct recordings recordings = recordings_of(source);
    struct plan_row *rows, *wanted;
    size_t n_rows, n_wanted;
    assert_int_equal(recordings_plan(&recordings, 7, &rows, &n_rows, NULL), 0);
    assert_int_equal(plan_make(small_digits, SMALL_N, 7, &wanted, &n_wanted, NULL), 0);
    assert_int_equal(n_rows, n_wanted);
    assert_memory_equal(rows, wanted, n_rows * sizeof *rows);
    free(rows);
    free(wanted);
    recordings_free(&recordings);
}

static void rows_that_make_no_sample_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct plan_row row;
        int code;
        const char *words;
    } rows[] = {
        {{0, -1}, 0, ""},
        {{SMALL_N - 1, 0}, 0, ""},
        {{0, SMALL_N - 1}, 0, ""},
        {{-1, -1}, -EBADMSG, "-1, -1 are not in 0..11"},
        {{SMALL_N, -1}, -EBADMSG, "12, -1 are not in 0..11"},
        {{0, SMALL_N}, -EBADMSG, "0, 12 are not in 0..11"},
        {{0, -2}, -EBADMSG, "0, -2 are not in 0..11"},
        {{0, INT32_MAX}, -EBADMSG, "0, 2147483647 "},
        {{INT32_MIN, 0}, -EBADMSG, "-2147483648, 0 "},
        {{0, 1}, -EBADMSG, "0, 1 show one digit"},
        {{5, 5}, -EBADMSG, "5, 5 show one digit"},
    };
    struct recordings recordings = recordings_of(source);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error why = {""};
        assert_int_equal(recordings_check_row(&recordings, &rows[i].row, &why), rows[i].code);
        assert_non_null(strstr(why.text, rows[i].words));
    }
    recordings_free(&recordings);
}

static void labels_are_those_of_the_recordings(void **state)
{
    (void)state;
    struct recordings recordings = recordings_of(source);
    for (int32_t a = 0; a < SMALL_N; a++)
        for (int32_t b = -1; b < SMALL_N; b++) {
            uint8_t labels[N_DIGITS];
            memset(labels, 9, sizeof labels);
            recordings_labels(&recordings, &(struct plan_row){a, b}, labels);
            for (unsigned digit = 0; digit < N_DIGITS; digit++)
                assert_int_equal(labels[digit],
                                 digit == small_digits[a] || (b >= 0 && digit == small_digits[b]));
        }
    recordings_free(&recordings);
}

static void check_mix(struct mixer *mixer, const struct recordings *recordings, struct plan_row row,
                      enum mix_order order)
{
    const struct event_span parts[] = {small_span((size_t)row.a),
                                       small_span(row.b < 0 ? 0 : (size_t)row.b)};
    uint8_t want[2 * SMALL_BYTES];
    size_t n_want;
    struct buffer got = {0};
    assert_int_equal(mixer_mix(mixer, parts, row.b < 0 ? 1 : 2, &(struct mix_rule){.order = order},
                               want, &n_want, NULL),
                     0);
    assert_int_equal(recordings_mix(recordings, &row, mixer, order, &got, NULL), 0);
    assert_int_equal(got.size, n_want * EVENT_BYTES);
    assert_memory_equal(got.bytes, want, got.size);
    buffer_free(&got);
}

static void sample_is_the_mix_of_its_recordings(void **state)
{
    (void)state;
    struct recordings recordings = recordings_of(source);
    void *mixer;
    assert_int_equal(recordings_worker_new(NULL, &mixer), 0);
    for (enum mix_order order = MIX_TIME; order <= MIX_PUBLISHED; order++) {
        check_mix(mixer, &recordings, (struct plan_row){4, -1}, order);
        check_mix(mixer, &recordings, (struct plan_row){2, 9}, order);
        check_mix(mixer, &recordings, (struct plan_row){9, 2}, order);
    }
    recordings_worker_free(NULL, mixer);
    recordings_free(&recordings);
}

static int use(void *user, struct error *why)
{
    struct recordings recordings;
    struct buffer buffer = {0};
    void *mixer = NULL;
    (void)user;
    int r = recordings_new(source, &recordings, why);
    if (r < 0)
        return r;
    r = recordings_worker_new(NULL, &mixer);
    if (r == 0)
        r = recordings_mix(&recordings, &(struct plan_row){0, 5}, mixer, MIX_TIME, &buffer, why);
    recordings_worker_free(NULL, mixer);
    buffer_free(&buffer);
    recordings_free(&recordings);
    return r;
}

static void recordings_without_memory_say_so(void **state)
{
    (void)state;
    assert_true(scarce_try(use, NULL) > 0);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        UNIT(it_is_known_what_each_recording_shows),
        UNIT(split_that_is_no_source_is_refused),
        UNIT(recording_without_just_one_label_is_refused),
        UNIT(source_of_a_split_is_told_by_its_revision),
        UNIT(plan_is_that_of_the_digits),
        UNIT(rows_that_make_no_sample_are_refused),
        UNIT(labels_are_those_of_the_recordings),
        UNIT(sample_is_the_mix_of_its_recordings),
        UNIT(recordings_without_memory_say_so),
    };
    return cmocka_run_group_tests_name("recordings", tests, NULL, NULL);
}
