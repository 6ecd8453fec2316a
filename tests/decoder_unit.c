/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/decoder and client/batch: a batch is what decoders are given, and nothing is to
 * be seen of a batch but what it holds and what they made of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/batch.h"
#include "tests/scarce.h"

enum { N_SAMPLES = 3, N_EVENTS = 4, WIDTH = 36, HEIGHT = 34, FRAME = 2 * WIDTH * HEIGHT };

static const tnm_geometry geometry = {.width = WIDTH, .height = HEIGHT, .n_labels = 10};

/* Of samples of 2, 0 and 2 events. */
static const struct event events[N_EVENTS] = {
    {.t_us = 0, .x = 0, .y = 0, .p = 0},
    {.t_us = 1499, .x = 33, .y = 1, .p = 1},
    {.t_us = 1500, .x = 33, .y = 33, .p = 1},
    {.t_us = 5000, .x = 1, .y = 2, .p = 0},
};
static const uint64_t offsets[N_SAMPLES + 1] = {0, 2, 2, 4}, indices[N_SAMPLES] = {5, 6, 7};
static const uint8_t labels[N_SAMPLES * N_DIGITS] = {1};
static const int32_t sources[N_SAMPLES * 2] = {1, -1};
static const uint64_t checksums[N_SAMPLES] = {8};

static tnm_batch *fresh(void)
{
    tnm_batch *batch = calloc(1, sizeof *batch);
    assert_non_null(batch);
    for (int i = 0; i < N_EVENTS; i++) {
        uint8_t bytes[EVENT_BYTES];
        event_pack(events[i], bytes);
        assert_int_equal(body_add(&batch->body, bytes, sizeof bytes), 0);
    }
    batch->number = 12;
    batch->server = strdup("a server");
    batch->blob = (struct blob){.geometry = {WIDTH, HEIGHT, 10},
                                .n_samples = N_SAMPLES,
                                .n_events = N_EVENTS,
                                .events = batch->body.bytes,
                                .offsets = offsets,
                                .labels = labels,
                                .indices = indices,
                                .sources = sources,
                                .checksums = checksums};
    return batch;
}

static void a_batch_gives_its_parts(void **state)
{
    (void)state;
    tnm_batch *batch = fresh();
    size_t size = 7;
    assert_int_equal(tnm_batch_number(batch), 12);
    assert_string_equal(tnm_batch_server(batch), "a server");
    assert_int_equal(tnm_batch_n_samples(batch), N_SAMPLES);
    assert_int_equal(tnm_batch_n_events(batch), N_EVENTS);
    assert_int_equal(tnm_batch_n_labels(batch), 10);
    assert_ptr_equal(tnm_batch_events(batch), batch->body.bytes);
    assert_ptr_equal(tnm_batch_offsets(batch), offsets);
    assert_ptr_equal(tnm_batch_labels(batch), labels);
    assert_ptr_equal(tnm_batch_indices(batch), indices);
    assert_ptr_equal(tnm_batch_sources(batch), sources);
    assert_ptr_equal(tnm_batch_checksums(batch), checksums);
    assert_null(tnm_batch_decoded(batch, &size));
    assert_int_equal(size, 0);
    assert_ptr_equal(tnm_batch_blob(batch, &size), batch->body.bytes);
    assert_int_equal(size, N_EVENTS * EVENT_BYTES);
    tnm_batch_free(batch);
    tnm_batch_free(NULL);
}

/* Decode into memory of exactly the size that is said. */
static uint8_t *decode(const tnm_decoder *decoder, size_t size)
{
    tnm_batch *batch = fresh();
    uint8_t *out = malloc(size);
    assert_non_null(out);
    memset(out, 0x5a, size);
    assert_int_equal(tnm_decoder_size(decoder, N_SAMPLES, N_EVENTS), size);
    assert_int_equal(tnm_decode(decoder, batch, out, size), 0);
    tnm_batch_free(batch);
    return out;
}

static void columns_lie_one_behind_the_other(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    assert_int_equal(tnm_decoder_columns(&decoder), 0);
    uint8_t *out = decode(decoder, 7 * N_EVENTS);
    for (int i = 0; i < N_EVENTS; i++) {
        uint32_t t;
        memcpy(&t, out + 4 * i, sizeof t);
        assert_int_equal(t, events[i].t_us);
        assert_int_equal(out[4 * N_EVENTS + i], events[i].x);
        assert_int_equal(out[5 * N_EVENTS + i], events[i].y);
        assert_int_equal(out[6 * N_EVENTS + i], events[i].p);
    }
    free(out);
    tnm_decoder_free(decoder);
}

static void items_lie_as_the_layout_says(void **state)
{
    (void)state;
    static const uint32_t at[] = {0, 1, 2, 6}, width[] = {1, 1, 4, 1};
    tnm_decoder *decoder;
    assert_int_equal(tnm_decoder_structured(7, at, width, &decoder), 0);
    uint8_t *out = decode(decoder, 7 * N_EVENTS);
    for (int i = 0; i < N_EVENTS; i++) {
        uint32_t t;
        memcpy(&t, out + 7 * i + 2, sizeof t);
        assert_int_equal(out[7 * i], events[i].x);
        assert_int_equal(out[7 * i + 1], events[i].y);
        assert_int_equal(t, events[i].t_us);
        assert_int_equal(out[7 * i + 6], events[i].p);
    }
    free(out);
    tnm_decoder_free(decoder);
}

static void a_layout_that_does_not_fit_makes_no_decoder(void **state)
{
    (void)state;
    static const uint32_t at[] = {0, 1, 4, 6}, width[] = {1, 1, 4, 1};
    tnm_decoder *decoder = NULL;
    assert_int_equal(tnm_decoder_structured(7, at, width, &decoder), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "field t at byte 4"));
    assert_int_equal(tnm_decoder_structured(65, at, width, &decoder), -EINVAL);
    assert_null(decoder);
}

/* Where the value of sample, bin, channel, y, x lies, by the header's words. */
static size_t place(int axes, size_t bins, size_t sample, size_t bin, const struct event *event)
{
    size_t pixel = ((size_t)event->p * HEIGHT + event->y) * WIDTH + event->x;
    if (axes == TNM_BCHWT)
        return (sample * FRAME + pixel) * bins + bin;
    if (axes == TNM_TBCHW)
        return (bin * N_SAMPLES + sample) * FRAME + pixel;
    return (sample * bins + bin) * FRAME + pixel;
}

static void check_frames(int binning, int axes, int dtype)
{
    enum { BINS = 3, VALUES = N_SAMPLES * BINS * FRAME }; /* 5 ms is past the last bin */
    static const size_t bins[2][N_EVENTS] = {
        [TNM_BIN_ROUND] = {0, 1, 2, 99}, [TNM_BIN_FLOOR] = {0, 1, 1, 99}};
    size_t item = dtype == TNM_F32 ? sizeof(float) : 1, n_set = 0;
    tnm_decoder *decoder;
    assert_int_equal(
        tnm_decoder_frames(&geometry, 1000, BINS, binning, TNM_OVERLAP_OR, axes, dtype, &decoder),
        0);
    uint8_t *out = decode(decoder, VALUES * item);
    for (size_t i = 0; i < VALUES; i++) {
        float value = out[i * item];
        if (dtype == TNM_F32)
            memcpy(&value, out + i * item, sizeof value);
        n_set += value == 1.0f;
        assert_true(value == 0.0f || value == 1.0f);
    }
    assert_int_equal(n_set, 3);
    for (int i = 0; i < 3; i++) {
        size_t at = item * place(axes, BINS, i < 2 ? 0 : 2, bins[binning][i], &events[i]);
        assert_true(out[at + item - 1] != 0); /* 1, and the last byte of 1.0f */
    }
    free(out);
    tnm_decoder_free(decoder);
}

static void frames_of_all_kinds_hold_each_event_in_its_place(void **state)
{
    (void)state;
    for (int binning = TNM_BIN_ROUND; binning <= TNM_BIN_FLOOR; binning++)
        for (int axes = TNM_BTCHW; axes <= TNM_TBCHW; axes++)
            for (int dtype = TNM_U8; dtype <= TNM_F32; dtype++)
                check_frames(binning, axes, dtype);
}

static void where_events_meet_they_are_one_or_are_counted(void **state)
{
    (void)state;
    for (int overlap = TNM_OVERLAP_OR; overlap <= TNM_OVERLAP_SUM; overlap++) {
        tnm_decoder *decoder;
        tnm_batch *batch = fresh();
        for (int i = 1; i < N_EVENTS; i++) /* all where the first one is */
            memcpy(batch->body.bytes + i * EVENT_BYTES, batch->body.bytes, EVENT_BYTES);
        assert_int_equal(tnm_decoder_frames(&geometry, 1000, 1, TNM_BIN_ROUND, overlap, TNM_BTCHW,
                                            TNM_U8, &decoder),
                         0);
        uint8_t out[N_SAMPLES * FRAME];
        assert_int_equal(tnm_decode(decoder, batch, out, sizeof out), 0);
        assert_int_equal(out[0], overlap == TNM_OVERLAP_SUM ? 2 : 1);
        assert_int_equal(out[FRAME], 0);
        tnm_decoder_free(decoder);
        tnm_batch_free(batch);
    }
}

static void choices_that_there_are_not_make_no_decoder(void **state)
{
    (void)state;
    static const struct {
        uint32_t timestep_us, bins;
        int choices[4];
        const char *words;
    } wrong[] = {
        {0, 1, {0}, "a timestep of 0 us"},
        {1000001, 1, {0}, "a timestep of 1000001 us"},
        {1, 0, {0}, "0 bins"},
        {1, 4097, {0}, "4097 bins"},
        {1, 1, {2, 0, 0, 0}, "binning 2"},
        {1, 1, {-1, 0, 0, 0}, "binning -1"},
        {1, 1, {0, 2, 0, 0}, "overlap 2"},
        {1, 1, {0, 0, 3, 0}, "axes 3"},
        {1, 1, {0, 0, INT32_MIN, 0}, "axes -"},
        {1, 1, {0, 0, 0, 2}, "dtype 2"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tnm_decoder *decoder = NULL;
        const int *c = wrong[i].choices;
        assert_int_equal(tnm_decoder_frames(&geometry, wrong[i].timestep_us, wrong[i].bins, c[0],
                                            c[1], c[2], c[3], &decoder),
                         -EINVAL);
        assert_null(decoder);
        if (!strstr(tnm_last_error(), wrong[i].words))
            fail_msg("\"%s\" does not say \"%s\"", tnm_last_error(), wrong[i].words);
    }
}

static void frames_are_of_the_batch_s_own_geometry(void **state)
{
    (void)state;
    static const tnm_geometry none[] = {{0, 1, 1}, {1, 257, 1}, {1, 1, 0}, {1, 1, 257}};
    static const tnm_geometry other = {.width = HEIGHT, .height = WIDTH, .n_labels = 10};
    tnm_decoder *decoder = NULL;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(tnm_decoder_frames(&none[i], 1, 1, 0, 0, 0, 0, &decoder), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "a geometry of 1 x 1 pixels, 257 labels"));
    assert_null(decoder);
    uint8_t out[N_SAMPLES * FRAME];
    tnm_batch *batch = fresh();
    assert_int_equal(tnm_decoder_frames(&other, 1, 1, 0, 0, 0, 0, &decoder), 0);
    assert_int_equal(tnm_decode(decoder, batch, out, sizeof out), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "sensor has 36 x 34 pixels"));
    tnm_decoder_free(decoder);
    tnm_batch_free(batch);
}

static void sizes_that_overflow_are_the_largest_of_all(void **state)
{
    (void)state;
    tnm_decoder *columns, *frames;
    assert_int_equal(tnm_decoder_columns(&columns), 0);
    assert_int_equal(
        tnm_decoder_frames(&geometry, 1000000, 4096, TNM_BIN_ROUND, 0, TNM_BTCHW, TNM_F32, &frames),
        0);
    assert_int_equal(tnm_decoder_size(columns, UINT64_MAX, 0), 0);
    assert_int_equal(tnm_decoder_size(columns, 0, SIZE_MAX / 7), SIZE_MAX / 7 * 7);
    assert_int_equal(tnm_decoder_size(columns, 0, SIZE_MAX / 7 + 1), SIZE_MAX);
    assert_int_equal(tnm_decoder_size(frames, 2, UINT64_MAX), (size_t)2 * 4096 * FRAME * 4);
    assert_int_equal(tnm_decoder_size(frames, UINT64_MAX, 0), SIZE_MAX);
    tnm_decoder_free(columns);
    tnm_decoder_free(frames);
    tnm_decoder_free(NULL);
}

static void a_buffer_that_is_too_small_stays_untouched(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    tnm_batch *batch = fresh();
    uint8_t out[7 * N_EVENTS] = {77};
    assert_int_equal(tnm_decoder_columns(&decoder), 0);
    assert_int_equal(tnm_decode(decoder, batch, out, sizeof out - 1), -ENOBUFS);
    assert_string_equal(tnm_last_error(), "the batch becomes 28 bytes; the buffer has 27");
    assert_int_equal(out[0], 77);
    tnm_decoder_free(decoder);
    tnm_batch_free(batch);
}

/* ---- What a batch is decoded into ---- */

static void a_batch_is_decoded_into_a_block_that_goes_back(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    struct pool *pool;
    struct pool_block again;
    size_t size;
    tnm_batch *batch = fresh();
    assert_int_equal(tnm_decoder_columns(&decoder), 0);
    assert_int_equal(pool_new(1, 1, &pool), 0);
    assert_int_equal(batch_decode(batch, decoder, pool, NULL, NULL), 0);
    const void *decoded = tnm_batch_decoded(batch, &size);
    assert_int_equal(size, 7 * N_EVENTS);
    assert_memory_equal((const uint8_t *)decoded + 4, &events[1].t_us, 4);
    tnm_batch_free(batch);
    assert_int_equal(pool_take(pool, size, &again), 0);
    assert_ptr_equal(again.bytes, decoded);
    pool_give(pool, again);
    pool_unref(pool);
    tnm_decoder_free(decoder);
}

static void a_batch_outlives_whoever_made_its_pool(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    struct pool *pool;
    size_t size;
    tnm_batch *batch = fresh();
    assert_int_equal(tnm_decoder_columns(&decoder), 0);
    assert_int_equal(pool_new(1, 1, &pool), 0);
    assert_int_equal(batch_decode(batch, decoder, pool, NULL, NULL), 0);
    pool_unref(pool);
    assert_memory_equal((const uint8_t *)tnm_batch_decoded(batch, &size) + 4, &events[1].t_us, 4);
    tnm_batch_free(batch);
    tnm_decoder_free(decoder);
}

static void a_lent_buffer_is_not_the_batch_s_to_free(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    struct pool *pool;
    size_t size;
    uint8_t lent[100];
    tnm_batch *batch = fresh();
    assert_int_equal(tnm_decoder_columns(&decoder), 0);
    assert_int_equal(pool_new(1, 1, &pool), 0);
    batch_set_lent(batch, lent, sizeof lent);
    assert_int_equal(batch_decode(batch, decoder, pool, NULL, NULL), 0);
    assert_ptr_equal(tnm_batch_decoded(batch, &size), lent);
    assert_int_equal(size, 7 * N_EVENTS);
    tnm_batch_free(batch);
    pool_unref(pool);
    tnm_decoder_free(decoder);
}

struct decoding_case {
    tnm_batch *batch;
    struct pool *pool; /* that keeps nothing */
};

static int make_and_decode(void *user, struct error *why)
{
    const struct decoding_case *what = user;
    tnm_decoder *decoder = NULL;
    int r = tnm_decoder_columns(&decoder);
    if (r == 0)
        r = batch_decode(what->batch, decoder, what->pool, NULL, NULL);
    batch_set_lent(what->batch, NULL, 0); /* the block goes back */
    tnm_decoder_free(decoder);
    return error_set(why, r, "no memory");
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    struct decoding_case what = {.batch = fresh()};
    assert_int_equal(pool_new(0, 0, &what.pool), 0);
    assert_int_equal(scarce_try(make_and_decode, &what), 2);
    assert_int_equal(pool_n_out(what.pool), 0);
    pool_unref(what.pool);
    tnm_batch_free(what.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_gives_its_parts),
        cmocka_unit_test(columns_lie_one_behind_the_other),
        cmocka_unit_test(items_lie_as_the_layout_says),
        cmocka_unit_test(a_layout_that_does_not_fit_makes_no_decoder),
        cmocka_unit_test(frames_of_all_kinds_hold_each_event_in_its_place),
        cmocka_unit_test(where_events_meet_they_are_one_or_are_counted),
        cmocka_unit_test(choices_that_there_are_not_make_no_decoder),
        cmocka_unit_test(frames_are_of_the_batch_s_own_geometry),
        cmocka_unit_test(sizes_that_overflow_are_the_largest_of_all),
        cmocka_unit_test(a_buffer_that_is_too_small_stays_untouched),
        cmocka_unit_test(a_batch_is_decoded_into_a_block_that_goes_back),
        cmocka_unit_test(a_batch_outlives_whoever_made_its_pool),
        cmocka_unit_test(a_lent_buffer_is_not_the_batch_s_to_free),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
