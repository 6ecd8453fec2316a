/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/filter, common/slices and common/tensors against the golden data: what Tonic and
 * SpikingJelly themselves made of real recordings. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/filter.h"
#include "common/sha256.h"
#include "common/slices.h"
#include "common/tensors.h"
#include "tests/levels.h"
#include "tests/shared_recordings.h"

enum { N_GOLDEN = 1400, PLACES = SENSOR_POLARITIES * SENSOR_HEIGHT * SENSOR_WIDTH };

/* What a row asks for, from the library's own names of its arguments. */
struct wanted {
    struct slice_rule rule;
    struct filter filter;
    bool has_time, has_number;
    double overlap, start, end, min, max;
};

static const struct tensor_shape counts_of_nmnist = {
    .geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}, .channels = 2, .overlap = FRAMES_SUM};

static void slice_by(struct wanted *wanted, enum slice slice, const char *value)
{
    uint32_t n = (uint32_t)strtoul(value, NULL, 10);
    wanted->rule.slice = slice;
    wanted->rule.bins = wanted->rule.timestep_us = wanted->rule.n_events = n;
}

static bool is_true(const char *value)
{
    assert_string_equal(value, "True");
    return true;
}

static void understand(struct wanted *wanted, const char *name, const char *value)
{
    static const struct {
        const char *name;
        enum slice slice;
    } slices[] = {
        {"time_window", SLICE_WINDOW},      {"n_time_bins", SLICE_TIME_BINS},
        {"event_count", SLICE_EVENT_COUNT}, {"n_event_bins", SLICE_EVENT_BINS},
        {"duration", SLICE_DURATION},
    };
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        if (strcmp(name, slices[i].name) == 0) {
            slice_by(wanted, slices[i].slice, value);
            return;
        }
    double number = strtod(value, NULL);
    if (strcmp(name, "split_by") == 0)
        wanted->rule.slice = strcmp(value, "time") == 0 ? SLICE_TIME : SLICE_NUMBER;
    else if (strcmp(name, "frames_number") == 0)
        wanted->rule.bins = (uint32_t)number;
    else if (strcmp(name, "overlap") == 0)
        wanted->overlap = number;
    else if (strcmp(name, "include_incomplete") == 0)
        wanted->rule.incomplete = is_true(value);
    else if (strcmp(name, "start_time") == 0) {
        wanted->rule.has_range = true;
        wanted->rule.start_us = (uint32_t)number;
    } else if (strcmp(name, "end_time") == 0)
        wanted->rule.end_us = (uint32_t)number;
    else if (strcmp(name, "filter_time") == 0)
        wanted->filter.denoise_us = (uint32_t)number;
    else if (strcmp(name, "stabilize") == 0)
        wanted->filter.stabilize = is_true(value);
    else if (strcmp(name, "first_saccade_only") == 0 && is_true(value))
        wanted->filter.t1_us = 100000;
    else if (strcmp(name, "min") == 0)
        wanted->filter.t0_us = (uint32_t)number;
    else if (strcmp(name, "max") == 0)
        wanted->filter.t1_us = (uint32_t)number + 1;
    else
        fail_msg("%s=%s is not understood", name, value);
}

static struct wanted wanted_of(char *parameters)
{
    struct wanted wanted = {.filter = filter_none};
    for (char *word; (word = strsep(&parameters, " "));) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        understand(&wanted, word, value);
    }
    wanted.rule.stride_us = wanted.rule.timestep_us - (uint32_t)wanted.overlap;
    wanted.rule.stride_events = wanted.rule.n_events - (uint32_t)wanted.overlap;
    wanted.rule.bin_overlap = wanted.overlap;
    return wanted;
}

/* The library's result as it was hashed, and its shape; the caller frees it. */
struct made {
    uint8_t *bytes;
    size_t size;
    char shape[32];
};

static struct made made_of(void *bytes, size_t size, size_t n, const char *each)
{
    struct made made = {.bytes = bytes, .size = size};
    assert_non_null(bytes);
    snprintf(made.shape, sizeof made.shape, "%zux%s", n, each);
    return made;
}

static struct made make_events(const struct wanted *wanted, struct event_span events)
{
    size_t n;
    uint8_t *out = malloc(events.n_events * EVENT_BYTES + 1);
    assert_non_null(out);
    assert_int_equal(filter_events(&wanted->filter, &GEOMETRY_NMNIST, events, out, &n), 0);
    return made_of(out, n * EVENT_BYTES, n, "5");
}

static void cut(const struct wanted *wanted, struct event_span events, struct slices *slices)
{
    struct error why;
    if (slices_cut(&wanted->rule, events, slices, &why) < 0)
        fail_msg("%s", why.text);
}

/* Counts as i16. */
static struct made make_frames(const struct wanted *wanted, struct event_span events)
{
    static struct slices slices;
    cut(wanted, events, &slices);
    size_t n = (size_t)slices.n * PLACES;
    uint16_t *counts = malloc(n * sizeof *counts);
    assert_non_null(counts);
    dense_fill(&counts_of_nmnist, events, &slices, slices.n, FRAMES_TCHW, FRAMES_U16, counts);
    for (size_t i = 0; i < n; i++)
        counts[i] = htole16(counts[i]);
    return made_of(counts, n * sizeof *counts, slices.n, "2x34x34");
}

static struct made make_voxels(const struct wanted *wanted, struct event_span events)
{
    struct error why;
    uint32_t bins = wanted->rule.bins;
    size_t n = (size_t)bins * SENSOR_HEIGHT * SENSOR_WIDTH;
    double *voxels = malloc(n * sizeof *voxels);
    assert_non_null(voxels);
    if (voxel_fill(&GEOMETRY_NMNIST, events, bins, voxels, &why) < 0)
        fail_msg("%s", why.text);
    return made_of(voxels, n * sizeof *voxels, bins, "1x34x34");
}

static const struct {
    const char *what;
    const char *dtype;
    struct made (*make)(const struct wanted *wanted, struct event_span events);
} makers[] = {
    {"frames", "<i2", make_frames},    {"voxel_grid", "<f8", make_voxels},
    {"denoise", "|u1", make_events},   {"nmnist", "|u1", make_events},
    {"crop_time", "|u1", make_events},
};

static struct made make(const char *what, const char *dtype, const struct wanted *wanted,
                        struct event_span events)
{
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (strcmp(what, makers[i].what) == 0) {
            assert_string_equal(dtype, makers[i].dtype);
            return makers[i].make(wanted, events);
        }
    fail_msg("%s is not understood", what);
    return (struct made){NULL, 0, ""};
}

/* Whether the sparse tensor, and the bits, say what the counts say. */
static void check_other_forms(const struct wanted *wanted, struct event_span events,
                              const uint16_t *counts)
{
    static struct slices slices;
    cut(wanted, events, &slices);
    const size_t most = sparse_most(&slices);
    int16_t *places = malloc((most + 1) * sizeof *places), *place = places;
    int32_t *n_of = malloc(slices.n * sizeof *n_of);
    uint8_t *bits = malloc(bits_size(&counts_of_nmnist, slices.n));
    assert_true(places && n_of && bits);
    uint64_t n = sparse_fill(&counts_of_nmnist, events, &slices, places, n_of);
    bits_fill(&counts_of_nmnist, events, &slices, slices.n, bits);
    for (uint32_t t = 0; t < slices.n; t++) {
        const int16_t *frame = place;
        for (int16_t i = 0; i < PLACES; i++) {
            uint16_t count = le16toh(counts[(size_t)t * PLACES + (size_t)i]);
            uint8_t byte = bits[(size_t)(t / 8) * PLACES + (size_t)i];
            assert_int_equal(byte >> (7 - t % 8) & 1, count > 0);
            for (; count > 0; count--)
                assert_int_equal(*place++, i);
        }
        assert_int_equal(n_of[t], place - frame);
    }
    assert_int_equal(n, place - places);
    free(places);
    free(n_of);
    free(bits);
}

static void compare(const struct shared_recordings *from, char *line)
{
    char *field[7], *whole = strdup(line);
    for (size_t i = 0; i < 7; i++)
        assert_non_null(field[i] = strsep(&line, ","));
    size_t position = strtoul(field[3], NULL, 10);
    assert_in_range(position, 0, from->n - 1);
    struct wanted wanted = wanted_of(field[2]);
    struct made made = make(field[1], field[4], &wanted, from->events[position]);
    char sha256[SHA256_HEX + 1];
    sha256_hex_of(made.bytes, made.size, sha256);
    if (strcmp(made.shape, field[5]) != 0 || strcmp(sha256, field[6]) != 0)
        fail_msg("%s, but %s of shape %s", whole, sha256, made.shape);
    if (strcmp(field[1], "frames") == 0 && position == 0)
        check_other_forms(&wanted, from->events[position], (const uint16_t *)(void *)made.bytes);
    free(made.bytes);
    free(whole);
}

static struct shared_recordings train;

static void check_rows(void)
{
    size_t compared = 0;
    char *text = shared_text("golden/representations.csv.gz"), *at = text;
    assert_string_equal(strsep(&at, "\r\n"), "library,what,parameters,position,dtype,shape,sha256");
    for (char *line; (line = strsep(&at, "\r\n"));)
        if (*line) {
            compare(&train, line);
            compared++;
        }
    assert_int_equal(compared, N_GOLDEN);
    free(text);
}

static void all_is_what_tonic_and_spikingjelly_made_of_it(void **state)
{
    (void)state;
    shared_or_skip();
    shared_recordings_read("nmnist-small/Train.zip", &train);
    for_each_level(check_rows);
    shared_recordings_free(&train);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_what_tonic_and_spikingjelly_made_of_it),
    };
    return cmocka_run_group_tests_name("forms_golden", tests, NULL, NULL);
}
