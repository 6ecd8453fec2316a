/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/ against the golden data: what the dataset authors' generator and loader, and
 * NumPy, made of the same recordings. */
#include <endian.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/frames.h"
#include "common/mixer.h"
#include "common/order.h"
#include "common/pairs.h"
#include "common/plan.h"
#include "common/sha256.h"
#include "tests/shared_recordings.h"

enum { MAX_EVENTS = 1 << 17, AUTHORS_BINS = 300, FRAMES_BYTES = AUTHORS_BINS * 2 * 34 * 34 };

static struct shared_recordings train, test;
static uint8_t mixed[MAX_EVENTS * EVENT_BYTES];

/* The recordings are read by the first test that needs them. */
static const struct shared_recordings *recordings_of(bool is_train)
{
    struct shared_recordings *recordings = is_train ? &train : &test;
    if (!recordings->n)
        shared_recordings_read(is_train ? "nmnist-small/Train.zip" : "nmnist-small/Test.zip",
                               recordings);
    return recordings;
}

static size_t mix(struct mixer *mixer, const struct shared_recordings *from, const int32_t *which,
                  unsigned k, struct mix_rule rule)
{
    struct event_span parts[MIX_MAX_DIGITS];
    size_t n_events = 0, room = 0;
    for (unsigned i = 0; i < k; i++) {
        assert_in_range(which[i], 0, from->n - 1);
        parts[i] = from->events[which[i]];
        room += parts[i].n_events;
    }
    assert_true(room <= MAX_EVENTS);
    struct error why;
    if (mixer_mix(mixer, parts, k, &rule, mixed, &n_events, &why) < 0)
        fail_msg("%s", why.text);
    return n_events;
}

static void expect_sha256(const void *bytes, size_t size, const char *expected)
{
    char hex[SHA256_HEX + 1];
    sha256_hex_of(bytes, size, hex);
    assert_string_equal(hex, expected);
}

/* Compare every sample of the planned split with one line of `golden`; returns how many. */
static size_t compare_samples(bool is_train, const char *golden, const struct frames_rule *frames)
{
    shared_or_skip();
    const struct shared_recordings *from = recordings_of(is_train);
    struct plan_row *rows;
    size_t n_rows, n = 0;
    struct mixer *mixer;
    assert_int_equal(plan_make(from->digits, from->n, PLAN_PUBLISHED_SEED, &rows, &n_rows, NULL),
                     0);
    assert_int_equal(mixer_new(&mixer), 0);
    uint8_t *tensor = malloc(FRAMES_BYTES);
    assert_non_null(tensor);
    char *text = shared_text(golden), *at = text, *line;
    while ((line = strsep(&at, "\n")) && *line) {
        char sha256[SHA256_HEX + 1], expected[PLAN_NAME_SIZE], name[PLAN_NAME_SIZE];
        assert_int_equal(sscanf(line, "%64s %31s", sha256, expected), 2);
        assert_true(n < n_rows);
        plan_name(name, n, &rows[n], from->digits);
        assert_string_equal(name, expected);

        int32_t which[] = {rows[n].a, rows[n].b};
        size_t n_events = mix(mixer, from, which, rows[n].b < 0 ? 1 : 2,
                              (struct mix_rule){.order = MIX_PUBLISHED});
        if (frames) {
            assert_int_equal(frames_size(frames), FRAMES_BYTES);
            frames_fill(frames, (struct event_span){mixed, n_events}, tensor);
            expect_sha256(tensor, FRAMES_BYTES, sha256);
        } else
            expect_sha256(mixed, n_events * EVENT_BYTES, sha256);
        n++;
    }
    assert_int_equal(n, n_rows);
    free(text);
    free(tensor);
    free(rows);
    mixer_free(mixer);
    return n;
}

static void published_order_gives_the_bytes_of_the_authors_files(void **state)
{
    (void)state;
    assert_int_equal(compare_samples(true, "golden/2nmnist-small-Train.sha256", NULL), 489);
    assert_int_equal(compare_samples(false, "golden/2nmnist-small-Test.sha256", NULL), 76);
}

static void frames_are_the_tensors_of_the_authors_loader(void **state)
{
    (void)state;
    const struct frames_rule rule = {
        .geometry = GEOMETRY_NMNIST,
        .timestep_us = 1000,
        .bins = AUTHORS_BINS,
        .binning = FRAMES_ROUND,
        .overlap = FRAMES_OR,
        .axes = FRAMES_CHWT,
    };
    assert_int_equal(compare_samples(true, "golden/2nmnist-small-Train-frames.sha256", &rule), 489);
    assert_int_equal(compare_samples(false, "golden/2nmnist-small-Test-frames.sha256", &rule), 76);
}

/* The plan over name-ordered recordings with these counts per digit, against every line. */
static void compare_plan(const char *golden, const unsigned counts[N_DIGITS], size_t n_pairs,
                         size_t n_singles)
{
    shared_or_skip();
    size_t n = 0, n_rows, seen_pairs = 0, compared = 0;
    for (unsigned d = 0; d < N_DIGITS; d++)
        n += counts[d];
    uint8_t *digits = malloc(n), *end = digits;
    assert_non_null(digits);
    for (unsigned d = 0; d < N_DIGITS; end += counts[d++])
        memset(end, (int)d, counts[d]);

    struct plan_row *rows;
    assert_int_equal(plan_make(digits, n, PLAN_PUBLISHED_SEED, &rows, &n_rows, NULL), 0);
    char *text = shared_text(golden), *at = text, *line = strsep(&at, "\n");
    assert_string_equal(line, "index,source_a,source_b,label_a,label_b");
    for (; (line = strsep(&at, "\n")) && *line; compared++) {
        assert_true(compared < n_rows);
        const struct plan_row *row = &rows[compared];
        char ours[128];
        snprintf(ours, sizeof ours, "%zu,%d,%d,%d,%d", compared, row->a, row->b, digits[row->a],
                 row->b < 0 ? -1 : digits[row->b]);
        assert_string_equal(ours, line);
        seen_pairs += row->b >= 0;
    }
    assert_int_equal(compared, n_rows);
    assert_int_equal(seen_pairs, n_pairs);
    assert_int_equal(compared - seen_pairs, n_singles);
    free(text);
    free(rows);
    free(digits);
}

static void plan_is_the_published_one_at_full_size(void **state)
{
    (void)state;
    const unsigned train_counts[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    const unsigned test_counts[] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
    compare_plan("golden/plan-train.csv.gz", train_counts, 18730, 22540);
    compare_plan("golden/plan-test.csv.gz", test_counts, 3114, 3772);
}

static void compare_pair(struct mixer *mixer, const struct pairs *pairs, const char *line)
{
    uint64_t seed, index;
    uint32_t a, b, digit_a, digit_b;
    size_t n_events;
    char sha256[SHA256_HEX + 1], sha256_binned[SHA256_HEX + 1];
    assert_int_equal(sscanf(line, "%" SCNu64 ",%" SCNu64 ",%u,%u,%u,%u,%zu,%64[0-9a-f],%64[0-9a-f]",
                            &seed, &index, &a, &b, &digit_a, &digit_b, &n_events, sha256,
                            sha256_binned),
                     9);
    uint32_t drawn[2];
    pairs_draw(pairs, seed, index, drawn);
    assert_int_equal(drawn[0], a);
    assert_int_equal(drawn[1], b);
    const struct shared_recordings *from = recordings_of(true);
    assert_int_equal(from->digits[a], digit_a);
    assert_int_equal(from->digits[b], digit_b);

    int32_t which[] = {(int32_t)a, (int32_t)b};
    size_t n = mix(mixer, from, which, 2, (struct mix_rule){.order = MIX_TIME});
    assert_int_equal(n, n_events);
    expect_sha256(mixed, n * EVENT_BYTES, sha256);
    n = mix(mixer, from, which, 2, (struct mix_rule){.order = MIX_TIME, .timestep_us = 1000});
    expect_sha256(mixed, n * EVENT_BYTES, sha256_binned);
}

static void fresh_pairs_are_those_of_numpy(void **state)
{
    (void)state;
    shared_or_skip();
    const struct shared_recordings *from = recordings_of(true);
    struct pairs pairs;
    struct mixer *mixer;
    assert_int_equal(pairs_init(&pairs, from->labels, from->n, NULL), 0);
    assert_int_equal(mixer_new(&mixer), 0);
    size_t compared = 0;
    char *text = shared_text("golden/small-pairs.csv"), *at = text, *line = strsep(&at, "\n");
    for (; (line = strsep(&at, "\n")) && *line; compared++)
        compare_pair(mixer, &pairs, line);
    assert_int_equal(compared, 304);
    free(text);
    mixer_free(mixer);
}

static void mixes_of_several_digits_are_those_of_numpy(void **state)
{
    (void)state;
    shared_or_skip();
    const struct shared_recordings *from = recordings_of(true);
    struct mixer *mixer;
    assert_int_equal(mixer_new(&mixer), 0);
    size_t compared = 0;
    char *text = shared_text("golden/small-mixes.csv"), *at = text, *line = strsep(&at, "\n");
    for (; (line = strsep(&at, "\n")) && *line; compared++) {
        int32_t which[MIX_MAX_DIGITS];
        unsigned k = 0;
        char *number = line;
        do {
            assert_true(k < MIX_MAX_DIGITS);
            which[k++] = (int32_t)strtol(number, &number, 10);
        } while (*number++ == '+');
        size_t n_events;
        char sha256[SHA256_HEX + 1];
        assert_int_equal(sscanf(number, "%zu,%64s", &n_events, sha256), 2);
        assert_in_range(k, 2, MIX_MAX_DIGITS);
        size_t n = mix(mixer, from, which, k, (struct mix_rule){.order = MIX_TIME});
        assert_int_equal(n, n_events);
        expect_sha256(mixed, n * EVENT_BYTES, sha256);
    }
    assert_int_equal(compared, 27);
    free(text);
    mixer_free(mixer);
}

static void compare_order(const char *line)
{
    uint32_t n, seed, epoch;
    char first[128], ours[128] = "", sha256[SHA256_HEX + 1];
    assert_int_equal(sscanf(line, "%u,%u,%u,%127[0-9 ],%64s", &n, &seed, &epoch, first, sha256), 5);
    uint32_t *order = calloc(n, sizeof *order);
    uint64_t *wide = calloc(n, sizeof *wide);
    assert_true(order && wide);
    order_epoch(seed, epoch, n, order);
    for (uint32_t i = 0, used = 0; i < n; i++) {
        wide[i] = htole64(order[i]);
        if (i < 8)
            used +=
                (uint32_t)snprintf(ours + used, sizeof ours - used, "%s%u", i ? " " : "", order[i]);
    }
    assert_string_equal(ours, first);
    expect_sha256(wide, n * sizeof *wide, sha256);
    free(order);
    free(wide);
}

static void epoch_orders_are_those_of_numpy(void **state)
{
    (void)state;
    shared_or_skip();
    size_t compared = 0;
    char *text = shared_text("golden/small-orders.csv"), *at = text, *line = strsep(&at, "\n");
    for (; (line = strsep(&at, "\n")) && *line; compared++)
        compare_order(line);
    assert_int_equal(compared, 20);
    free(text);
}

static int free_recordings(void **state)
{
    (void)state;
    shared_recordings_free(&train);
    shared_recordings_free(&test);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_order_gives_the_bytes_of_the_authors_files),
        cmocka_unit_test(frames_are_the_tensors_of_the_authors_loader),
        cmocka_unit_test(plan_is_the_published_one_at_full_size),
        cmocka_unit_test(fresh_pairs_are_those_of_numpy),
        cmocka_unit_test(mixes_of_several_digits_are_those_of_numpy),
        cmocka_unit_test(epoch_orders_are_those_of_numpy),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, free_recordings);
}
