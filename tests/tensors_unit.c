/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/tensors (and of common/sparse, common/places and common/counting below it), at
 * every level of instructions, against counts made one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "common/sparse.h"
#include "common/tensors.h"
#include "tests/frame_values.h"
#include "tests/levels.h"

enum { ROUNDS = 150, FRAMES_MOST = 40 };

static struct slices slices;

static uint32_t places_of(const struct tensor_shape *shape)
{
    return shape->channels * shape->geometry.height * shape->geometry.width;
}

/* counts[t][place] */
static uint32_t *define_counts(const struct tensor_shape *shape, struct event_span events,
                               uint32_t t)
{
    const uint32_t width = shape->geometry.width, height = shape->geometry.height;
    uint32_t *counts = calloc((size_t)t * places_of(shape), sizeof *counts);
    assert_non_null(counts);
    for (uint32_t frame = 0; frame < slices.n; frame++)
        for (uint32_t i = slices.at[frame].begin; i < slices.at[frame].end; i++) {
            struct event event = event_unpack(events.bytes + i * (size_t)EVENT_BYTES);
            uint32_t channel = shape->channels == 1 ? 0 : event.p;
            if (event.x >= width || event.y >= height)
                continue;
            uint32_t *count = counts + (size_t)frame * places_of(shape) +
                              (channel * height + event.y) * width + event.x;
            *count = shape->overlap == FRAMES_OR ? 1 : *count + 1;
        }
    return counts;
}

/* Runs side by side of about `each` events, with a gap or an empty one here and there. */
static void side_by_side(uint32_t n_events, uint32_t each)
{
    uint32_t at = 0;
    for (uint32_t t = 0; t < slices.n; t++) {
        uint32_t n = random_below(4) ? random_below(2 * each + 1) : 0;
        at += random_below(6) ? 0 : random_below(each + 1);
        at = at < n_events ? at : n_events;
        n = n < n_events - at ? n : n_events - at;
        slices.at[t] = (struct slice_run){.begin = at, .end = at + n};
        at += n;
    }
}

/* Any runs at all: they overlap, go back, are empty, or all that there is. */
static void anywhere(uint32_t n_events)
{
    for (uint32_t t = 0; t < slices.n; t++) {
        uint32_t a = random_below(n_events + 1), b = random_below(n_events + 1);
        slices.at[t] = (struct slice_run){.begin = a < b ? a : b, .end = a < b ? b : a};
    }
}

static void cut_anyhow(uint32_t n_events)
{
    static const uint32_t lengths[] = {1, 7, 16, 20, 31, 40, 64, 300};
    slices.n = 1 + random_below(FRAMES_MOST);
    if (random_below(3))
        side_by_side(n_events, lengths[random_below(8)]);
    else
        anywhere(n_events);
}

static struct event_span any_events(void)
{
    return random_below(4) ? recording_any() : recording_noise(random_below(1500));
}

static struct tensor_shape any_shape(void)
{
    static const struct geometry geometries[] = {
        {1, 1, 10}, {5, 36, 10}, {256, 3, 10}, {40, 256, 10}, {3, 3, 10}};
    return (struct tensor_shape){
        .geometry = random_below(3) ? GEOMETRY_NMNIST : geometries[random_below(5)],
        .channels = 1 + random_below(2),
        .overlap = random_below(2) ? FRAMES_OR : FRAMES_SUM,
    };
}

static enum frames_values any_values(void)
{
    static const enum frames_values values[] = {FRAMES_U8, FRAMES_U16, FRAMES_F32};
    return values[random_below(3)];
}

/* Counts stop at the largest value, which noise on one pixel reaches. */
static uint32_t at_most(enum frames_values values, uint32_t count)
{
    uint32_t most = values == FRAMES_U8 ? UINT8_MAX : UINT16_MAX;
    return count < most ? count : most;
}

static void check_dense(const struct tensor_shape *shape, struct event_span events,
                        const uint32_t *counts, uint32_t t)
{
    enum frames_values values = any_values();
    enum frames_axes axes = random_below(2) ? FRAMES_TCHW : FRAMES_CHWT;
    const uint32_t places = places_of(shape);
    struct buffer out = buffer_new(dense_size(shape, t, values));
    dense_fill(shape, events, &slices, t, axes, values, out.bytes);
    for (uint32_t frame = 0; frame < t; frame++)
        for (uint32_t place = 0; place < places; place++) {
            size_t at =
                axes == FRAMES_TCHW ? (size_t)frame * places + place : (size_t)place * t + frame;
            uint32_t wanted = at_most(values, counts[(size_t)frame * places + place]);
            if (frame_value(values, out.bytes, at) != wanted)
                fail_msg("frame %u, place %u: %u, not %u", frame, place,
                         frame_value(values, out.bytes, at), wanted);
        }
    buffer_check_and_free(out);
}

static void check_among(const struct tensor_shape *shape, struct event_span events,
                        const uint32_t *counts)
{
    enum frames_values values = any_values();
    const uint32_t places = places_of(shape), n = 1 + random_below(4), mine = random_below(n);
    struct buffer out = buffer_new(n * dense_size(shape, slices.n, values));
    memset(out.bytes, 0, out.size);
    dense_fill_among(shape, events, &slices, values, mine, n, out.bytes);
    for (size_t frame = 0; frame < slices.n; frame++)
        for (size_t i = 0; i < n; i++)
            for (size_t place = 0; place < places; place++)
                assert_int_equal(frame_value(values, out.bytes, (frame * n + i) * places + place),
                                 i == mine ? at_most(values, counts[frame * places + place]) : 0);
    buffer_check_and_free(out);
}

static void check_sparse(const struct tensor_shape *shape, struct event_span events,
                         const uint32_t *counts)
{
    struct buffer places = buffer_new(sparse_most(&slices) * sizeof(int16_t));
    struct buffer n_of = buffer_new(slices.n * sizeof(int32_t));
    uint64_t n = sparse_fill(shape, events, &slices, (int16_t *)(void *)places.bytes,
                             (int32_t *)(void *)n_of.bytes);
    const int16_t *begin = (const int16_t *)(const void *)places.bytes, *at = begin;
    for (size_t frame = 0; frame < slices.n; frame++) {
        const int16_t *first = at;
        int32_t stand;
        for (uint32_t place = 0; place < places_of(shape); place++)
            for (uint32_t left = counts[frame * places_of(shape) + place]; left > 0; left--)
                assert_int_equal(*at++, place);
        memcpy(&stand, n_of.bytes + frame * sizeof stand, sizeof stand);
        assert_int_equal(stand, at - first);
    }
    assert_int_equal(n, at - begin);
    buffer_check_and_free(places);
    buffer_check_and_free(n_of);
}

static void check_bits(const struct tensor_shape *shape, struct event_span events,
                       const uint32_t *counts, uint32_t t)
{
    const uint32_t places = places_of(shape);
    struct buffer out = buffer_new(bits_size(shape, t));
    assert_int_equal(out.size, (t + 7) / 8 * places);
    bits_fill(shape, events, &slices, t, out.bytes);
    for (uint32_t frame = 0; frame < (t + 7) / 8 * 8; frame++)
        for (uint32_t place = 0; place < places; place++) {
            bool is_set = frame < t && counts[(size_t)frame * places + place] > 0;
            uint8_t byte = out.bytes[(size_t)(frame / 8) * places + place];
            assert_int_equal(byte >> (7 - frame % 8) & 1, is_set);
        }
    buffer_check_and_free(out);
}

static void check_all(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct event_span events = any_events();
        struct tensor_shape shape = any_shape();
        cut_anyhow((uint32_t)events.n_events);
        uint32_t t = slices.n + random_below(10);
        uint32_t *counts = define_counts(&shape, events, t);
        check_dense(&shape, events, counts, t);
        check_among(&shape, events, counts);
        check_sparse(&shape, events, counts);
        check_bits(&shape, events, counts, t);
        free(counts);
        recording_free(events);
    }
}

static void tensors_are_the_counts_of_their_frames(void **state)
{
    (void)state;
    for_each_level(check_all);
}

/* The whole of the events is one frame. */
static void cut_in_one(uint32_t n)
{
    slices.n = 1;
    slices.at[0] = (struct slice_run){.begin = 0, .end = n};
}

/* Of few places and of many, all at the very end of the room. */
static void check_short_frames(void)
{
    for (uint32_t length = 0; length <= SPARSE_RUN_MAX + 2; length++)
        for (uint32_t n_pixels = 1; n_pixels <= SENSOR_WIDTH; n_pixels += 11) {
            uint8_t bytes[(SPARSE_RUN_MAX + 2) * EVENT_BYTES];
            for (uint32_t i = 0; i < length; i++)
                event_pack((struct event){.x = (uint8_t)random_below(n_pixels + 1),
                                          .y = (uint8_t)random_below(n_pixels),
                                          .p = (uint8_t)random_below(2)},
                           bytes + i * EVENT_BYTES);
            struct event_span events = {bytes, length};
            struct tensor_shape shape = {.geometry = GEOMETRY_NMNIST,
                                         .channels = 2,
                                         .overlap = random_below(2) ? FRAMES_OR : FRAMES_SUM};
            cut_in_one(length);
            uint32_t *counts = define_counts(&shape, events, 1);
            check_sparse(&shape, events, counts);
            free(counts);
        }
}

static void short_sparse_frames_of_every_length_are_sorted(void **state)
{
    (void)state;
    for_each_level(check_short_frames);
}

static const struct tensor_shape sums = {
    .geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}, .channels = 2, .overlap = FRAMES_SUM};
enum { CROWDED = (SENSOR_HEIGHT + 1) * SENSOR_WIDTH + 2 };

/* n events at one place, in one frame. */
static struct event_span crowd(uint32_t n)
{
    uint8_t *bytes = malloc((size_t)n * EVENT_BYTES);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < n; i++)
        event_pack((struct event){.t_us = i, .x = 2, .y = 1, .p = 1},
                   bytes + i * (size_t)EVENT_BYTES);
    cut_in_one(n);
    return (struct event_span){.bytes = bytes, .n_events = n};
}

static uint32_t count_of_crowd(uint32_t n, enum frames_values values)
{
    static float out[SENSOR_POLARITIES * SENSOR_HEIGHT * SENSOR_WIDTH];
    struct event_span events = crowd(n);
    dense_fill(&sums, events, &slices, 1, FRAMES_TCHW, values, out);
    recording_free(events);
    return frame_value(values, (const uint8_t *)out, CROWDED);
}

static void check_saturation(void)
{
    assert_int_equal(count_of_crowd(UINT8_MAX, FRAMES_U8), UINT8_MAX);
    assert_int_equal(count_of_crowd(UINT8_MAX + 1, FRAMES_U8), UINT8_MAX);
    assert_int_equal(count_of_crowd(UINT8_MAX + 1, FRAMES_U16), UINT8_MAX + 1);
    assert_int_equal(count_of_crowd(UINT16_MAX, FRAMES_U16), UINT16_MAX);
    assert_int_equal(count_of_crowd(UINT16_MAX + 1, FRAMES_U16), UINT16_MAX);
    assert_int_equal(count_of_crowd(UINT16_MAX, FRAMES_F32), UINT16_MAX);
    assert_int_equal(count_of_crowd(UINT16_MAX + 1, FRAMES_F32), UINT16_MAX);
}

static void counts_stop_at_the_largest_value(void **state)
{
    (void)state;
    for_each_level(check_saturation);
}

static void check_sparse_crowd(void)
{
    static int16_t places[UINT16_MAX + 2];
    int32_t n;
    struct event_span events = crowd(UINT16_MAX + 2);
    assert_int_equal(sparse_fill(&sums, events, &slices, places, &n), UINT16_MAX + 2);
    assert_int_equal(n, UINT16_MAX + 2);
    for (size_t i = 0; i < UINT16_MAX + 2; i++)
        assert_int_equal(places[i], CROWDED);
    recording_free(events);
}

/* A batch of which eight frames are more than can be counted; the kernel has memory for the pages
 * alone that are written. */
static void large_samples_stand_among_many(void **state)
{
    (void)state;
    enum { N = 5000, FRAMES = 9 };
    const struct tensor_shape shape = {{256, 256, 10}, 2, FRAMES_OR};
    const size_t frame = 2 * 256 * 256, size = (size_t)FRAMES * N * frame;
    uint8_t events[FRAMES * EVENT_BYTES];
    slices.n = FRAMES;
    for (uint32_t t = 0; t < FRAMES; t++) {
        slices.at[t] = (struct slice_run){.begin = t, .end = t + 1};
        event_pack((struct event){.t_us = t, .x = (uint8_t)t, .y = 255, .p = 1},
                   events + t * EVENT_BYTES);
    }
    uint8_t *out = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(out, MAP_FAILED);
    dense_fill_among(&shape, (struct event_span){events, FRAMES}, &slices, FRAMES_U8, N - 1, N,
                     out);
    for (size_t t = 0; t < FRAMES; t++)
        for (size_t x = 0; x < FRAMES; x++)
            assert_int_equal(out[(t * N + N - 1) * frame + frame - 256 + x], x == t);
    munmap(out, size);
}

static void sparse_sums_stop_nowhere(void **state)
{
    (void)state;
    for_each_level(check_sparse_crowd);
}

static void check_last_place(void)
{
    const struct tensor_shape shape = {.geometry = {128, 128, 10}, .channels = 2};
    uint8_t bytes[2 * EVENT_BYTES];
    int16_t places[2];
    int32_t n;
    event_pack((struct event){.x = 127, .y = 127, .p = 1}, bytes);
    event_pack((struct event){.x = 0, .y = 128, .p = 0}, bytes + EVENT_BYTES); /* outside */
    cut_in_one(2);
    assert_int_equal(sparse_fill(&shape, (struct event_span){bytes, 2}, &slices, places, &n), 1);
    assert_int_equal(n, 1);
    assert_int_equal(places[0], INT16_MAX);
}

static void the_largest_sparse_place_is_32767(void **state)
{
    (void)state;
    const struct tensor_shape fits = {.geometry = {128, 128, 10}, .channels = 2},
                              does_not = {.geometry = {128, 129, 10}, .channels = 2},
                              merged = {.geometry = {128, 129, 10}, .channels = 1};
    assert_true(sparse_fits(&fits));
    assert_false(sparse_fits(&does_not));
    assert_true(sparse_fits(&merged));
    for_each_level(check_last_place);
}

static uint32_t time_of(struct event_span events, size_t i)
{
    return event_unpack(events.bytes + i * EVENT_BYTES).t_us;
}

/* Each voxel for itself: what its own bin's events give, in their order, then what those of the bin
 * before give. */
static double define_voxel(struct event_span events, uint32_t bins, uint32_t bin, uint32_t x,
                           uint32_t y)
{
    double sum = 0, first_us = time_of(events, 0), last_us = time_of(events, events.n_events - 1);
    for (uint32_t earlier = 0; earlier <= 1; earlier++)
        for (size_t i = 0; i < events.n_events; i++) {
            struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
            double product = bins * (event.t_us - first_us);
            double at = product / (last_us - first_us);
            double whole = (double)(uint32_t)at, rest = at - whole, share = 1.0 - rest;
            if (event.x == x && event.y == y && whole + earlier == bin)
                sum += (event.p ? 1 : -1) * (earlier ? rest : share);
        }
    return sum;
}

static void check_voxels(void)
{
    enum { SIDE = 3, PIXELS = SIDE * SIDE };
    const struct geometry geometry = {SIDE, SIDE, 10};
    for (int round = 0; round < ROUNDS; round++) {
        struct event_span events = recording_any();
        const size_t n = events.n_events;
        uint32_t bins = 1 + random_below(9);
        struct buffer out = buffer_new(bins * PIXELS * sizeof(double));
        int r = voxel_fill(&geometry, events, bins, (double *)(void *)out.bytes, NULL);
        bool has_time = n > 0 && time_of(events, n - 1) > time_of(events, 0);
        assert_int_equal(r == 0, has_time);
        for (uint32_t i = 0; has_time && i < bins * PIXELS; i++)
            assert_true(((const double *)(const void *)out.bytes)[i] ==
                        define_voxel(events, bins, i / PIXELS, i % SIDE, i / SIDE % SIDE));
        buffer_check_and_free(out);
        recording_free(events);
    }
}

static void voxels_are_shared_by_two_bins_in_the_order_of_events(void **state)
{
    (void)state;
    for_each_level(check_voxels);
}

static void voxels_need_time_between_events(void **state)
{
    (void)state;
    double out[1] = {7};
    uint8_t bytes[2 * EVENT_BYTES];
    const struct geometry geometry = {1, 1, 10};
    struct error why;
    event_pack((struct event){.t_us = 5}, bytes);
    event_pack((struct event){.t_us = 5, .p = 1}, bytes + EVENT_BYTES);
    assert_true(voxel_fill(&geometry, (struct event_span){bytes, 0}, 1, out, &why) < 0);
    assert_non_null(strstr(why.text, "no events"));
    for (size_t n = 1; n <= 2; n++) {
        assert_true(voxel_fill(&geometry, (struct event_span){bytes, n}, 1, out, &why) < 0);
        assert_non_null(strstr(why.text, "5 us"));
    }
    assert_true(out[0] == 7);
    event_pack((struct event){.t_us = 6, .p = 1}, bytes + EVENT_BYTES);
    assert_int_equal(voxel_fill(&geometry, (struct event_span){bytes, 2}, 1, out, &why), 0);
    assert_true(out[0] == -1); /* the last event is behind the last bin */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_the_counts_of_their_frames),
        cmocka_unit_test(short_sparse_frames_of_every_length_are_sorted),
        cmocka_unit_test(counts_stop_at_the_largest_value),
        cmocka_unit_test(large_samples_stand_among_many),
        cmocka_unit_test(sparse_sums_stop_nowhere),
        cmocka_unit_test(the_largest_sparse_place_is_32767),
        cmocka_unit_test(voxels_are_shared_by_two_bins_in_the_order_of_events),
        cmocka_unit_test(voxels_need_time_between_events),
    };
    return cmocka_run_group_tests_name("tensors", tests, NULL, NULL);
}
