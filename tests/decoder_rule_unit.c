/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/decoder_frames, client/places and batches of events of one's own: frames by every
 * rule, from events and from places. What the rules make of events is tests/forms_golden_unit's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/decoder.h"
#include "tests/scarce.h"

enum { N_SAMPLES = 3, WIDTH = 9, HEIGHT = 7, MOST_EVENTS = 700 };

static const tnm_geometry geometry = {.width = WIDTH, .height = HEIGHT, .n_labels = 10};

/* Every way to cut, some with filters. */
static const char *const rules[] = {
    "timestep=1000&bins=40",
    "timestep=500&bins=30&binning=floor&overlap=sum",
    "timestep=500&bins=30&overlap=sum&polarity=merge",
    "slice=window&timestep=3000",
    "slice=window&timestep=3000&stride=1000&incomplete=yes&t0=2000&t1=30000",
    "slice=window&timestep=2000&start=1000&end=20000",
    "slice=time-bins&bins=9&bin_overlap=0.5",
    "slice=event-count&events=50&incomplete=yes",
    "slice=event-count&events=50&stride=20&denoise=5000",
    "slice=event-bins&bins=8&stabilize=yes",
    "slice=number&bins=5&polarity=merge",
    "slice=time&bins=6",
    "slice=duration&timestep=700",
};
enum { N_RULES = sizeof rules / sizeof *rules };

static tnm_rule *rule_of(const char *query)
{
    tnm_rule *rule;
    char copy[256], *rest = copy;
    assert_int_equal(tnm_rule_new(&rule), 0);
    strcpy(copy, query);
    for (char *param; (param = strsep(&rest, "&"));) {
        char *value = strchr(param, '=');
        *value++ = '\0';
        assert_int_equal(tnm_rule_set(rule, param, value), 0);
    }
    return rule;
}

static tnm_decoder *dense(const char *query, int axes, int dtype)
{
    tnm_rule *rule = rule_of(query);
    tnm_decoder *decoder;
    if (tnm_decoder_rule(&geometry, rule, axes, dtype, &decoder) < 0)
        fail_msg("%s: %s", query, tnm_last_error());
    tnm_rule_free(rule);
    return decoder;
}

static tnm_decoder *sparse(const char *query)
{
    tnm_rule *rule = rule_of(query);
    tnm_decoder *decoder;
    if (tnm_decoder_sparse(&geometry, rule, &decoder) < 0)
        fail_msg("%s: %s", query, tnm_last_error());
    tnm_rule_free(rule);
    return decoder;
}

/* Samples of 200, 450, 700 events, that lie close enough together to meet. */
static tnm_batch *events_batch(void)
{
    uint8_t bytes[N_SAMPLES * MOST_EVENTS * EVENT_BYTES];
    uint64_t offsets[N_SAMPLES + 1] = {0};
    uint32_t random = 1;
    uint8_t *at = bytes;
    for (int i = 0; i < N_SAMPLES; i++) {
        int n = 200 + 250 * i;
        uint32_t t_us = 300;
        for (int k = 0; k < n; k++) {
            random = random * 1664525 + 1013904223;
            event_pack((struct event){.t_us = t_us,
                                      .x = (uint8_t)((random >> 8) % 4 + 2),
                                      .y = (uint8_t)((random >> 16) % HEIGHT),
                                      .p = (uint8_t)(random >> 31)},
                       at);
            t_us += (random >> 20) % 80;
            at += EVENT_BYTES;
        }
        offsets[i + 1] = offsets[i] + (uint64_t)n;
    }
    tnm_batch *batch;
    assert_int_equal(tnm_batch_of_events(&geometry, bytes, offsets, N_SAMPLES, &batch), 0);
    return batch;
}

static size_t measure(const tnm_decoder *decoder, const tnm_batch *batch, uint32_t *ret_longest,
                      int32_t n_frames[N_SAMPLES])
{
    size_t size = 0;
    if (tnm_decoder_measure(decoder, batch, &size, ret_longest, n_frames) < 0)
        fail_msg("%s", tnm_last_error());
    return size;
}

static void *decode(const tnm_decoder *decoder, const tnm_batch *batch, size_t *ret_size)
{
    uint32_t longest;
    *ret_size = measure(decoder, batch, &longest, NULL);
    void *out = malloc(*ret_size);
    assert_non_null(out);
    memset(out, 0x5a, *ret_size);
    if (tnm_decode(decoder, batch, out, *ret_size) < 0)
        fail_msg("%s", tnm_last_error());
    return out;
}

/* The batch as a server would send it instead: `out` is what the sparse decoder made of it. */
static tnm_batch *places_batch(const tnm_batch *events, const tnm_decoder *decoder, const void *out,
                               int32_t n_frames[N_SAMPLES], uint32_t longest)
{
    tnm_batch *batch = calloc(1, sizeof *batch);
    assert_non_null(batch);
    batch->rule = decoder->rule;
    batch->blob = events->blob;
    batch->blob.events = NULL;
    batch->blob.offsets = NULL;
    batch->blob.n_events = 0;
    batch->blob.counts = out;
    batch->blob.places = (const int16_t *)(batch->blob.counts + N_SAMPLES * longest);
    batch->blob.longest = longest;
    batch->blob.n_frames = decoder->fixed ? NULL : n_frames;
    for (size_t i = 0; i < N_SAMPLES * longest; i++)
        batch->blob.n_places += (uint64_t)batch->blob.counts[i];
    return batch;
}

static void expect_same(const char *query, int axes, int dtype, const tnm_batch *events,
                        const tnm_batch *places)
{
    tnm_decoder *decoder = dense(query, axes, dtype);
    size_t size, other_size;
    void *out = decode(decoder, events, &size), *other = decode(decoder, places, &other_size);
    assert_int_equal(size, other_size);
    if (memcmp(out, other, size) != 0)
        fail_msg("%s, axes %d, dtype %d: places and events make different frames", query, axes,
                 dtype);
    free(out);
    free(other);
    tnm_decoder_free(decoder);
}

static void places_become_what_events_do_bit_for_bit(void **state)
{
    (void)state;
    tnm_batch *events = events_batch();
    for (size_t i = 0; i < N_RULES; i++) {
        tnm_decoder *decoder = sparse(rules[i]);
        int32_t n_frames[N_SAMPLES];
        uint32_t longest;
        size_t size;
        measure(decoder, events, &longest, n_frames);
        void *out = decode(decoder, events, &size);
        tnm_batch *places = places_batch(events, decoder, out, n_frames, longest);
        for (int axes = TNM_BTCHW; axes <= TNM_TBCHW; axes++)
            for (int dtype = TNM_U8; dtype <= TNM_U16; dtype++)
                expect_same(rules[i], axes, dtype, events, places);
        assert_true(places->blob.n_places > 100);
        size_t again_size;
        void *again = decode(decoder, places, &again_size);
        assert_memory_equal(again, out, again_size);
        free(again);
        tnm_batch_free(places);
        free(out);
        tnm_decoder_free(decoder);
    }
    tnm_batch_free(events);
}

/* Value at sample, frame, place, whatever the axes and the type. */
static double value_at(const void *out, int axes, int dtype, size_t longest, size_t frame, size_t i,
                       size_t t, size_t place)
{
    size_t at = (i * longest + t) * frame + place;
    if (axes == TNM_BCHWT)
        at = (i * frame + place) * longest + t;
    if (axes == TNM_TBCHW)
        at = (t * N_SAMPLES + i) * frame + place;
    switch (dtype) {
    case TNM_U8:
        return ((const uint8_t *)out)[at];
    case TNM_U16:
        return ((const uint16_t *)out)[at];
    case TNM_F32:
        return (double)((const float *)out)[at];
    default:
        return ((const double *)out)[at];
    }
}

/* One sample, cut and counted by common/. */
static void expect_sample(const tnm_decoder *decoder, const struct decode *what, size_t i,
                          const void *out)
{
    struct slices slices;
    const struct event_span events = {what->blob.events + what->blob.offsets[i] * EVENT_BYTES,
                                      what->blob.offsets[i + 1] - what->blob.offsets[i]};
    size_t frame = decoder->shape.channels * HEIGHT * WIDTH, size = frame * what->longest;
    uint16_t *wanted = calloc(size, sizeof *wanted);
    assert_non_null(wanted);
    assert_int_equal(slices_cut(&decoder->rule.slice, events, &slices, NULL), 0);
    assert_int_equal(what->n_frames[i], slices.n);
    dense_fill(&decoder->shape, events, &slices, what->longest, FRAMES_TCHW, FRAMES_U16, wanted);
    for (size_t t = 0; t < what->longest; t++)
        for (size_t place = 0; place < frame; place++)
            assert_true(value_at(out, decoder->axes, decoder->dtype, what->longest, frame, i, t,
                                 place) == wanted[t * frame + place]);
    free(wanted);
}

static void samples_lie_where_the_axes_say_filled_up_to_the_longest(void **state)
{
    (void)state;
    tnm_batch *batch = events_batch();
    for (size_t i = 0; i < N_RULES; i++)
        for (int axes = TNM_BTCHW; axes <= TNM_TBCHW; axes++) {
            tnm_decoder *decoder = dense(rules[i], axes, axes == TNM_BCHWT ? TNM_F32 : TNM_U16);
            struct decode what;
            struct error why;
            size_t size;
            assert_int_equal(decode_begin(decoder, batch, &what, &why), 0);
            void *out = decode(decoder, batch, &size);
            assert_int_equal(size, what.size);
            for (size_t k = 0; k < N_SAMPLES; k++)
                expect_sample(decoder, &what, k, out);
            free(out);
            decode_clear(&what);
            tnm_decoder_free(decoder);
        }
    tnm_batch_free(batch);
}

static void a_timestep_makes_the_frames_that_there_were_before_rules(void **state)
{
    (void)state;
    tnm_batch *batch = events_batch();
    for (int axes = TNM_BTCHW; axes <= TNM_TBCHW; axes++)
        for (int dtype = TNM_U8; dtype <= TNM_F32; dtype++) {
            tnm_decoder *old, *decoder = dense(rules[0], axes, dtype);
            size_t size, old_size;
            assert_int_equal(tnm_decoder_frames(&geometry, 1000, 40, TNM_BIN_ROUND, TNM_OVERLAP_OR,
                                                axes, dtype, &old),
                             0);
            void *out = decode(decoder, batch, &size), *wanted = decode(old, batch, &old_size);
            assert_int_equal(size, old_size);
            assert_int_equal(size, tnm_decoder_size(decoder, N_SAMPLES, 0));
            assert_memory_equal(out, wanted, size);
            free(out);
            free(wanted);
            tnm_decoder_free(decoder);
            tnm_decoder_free(old);
        }
    tnm_batch_free(batch);
}

/* `n` events at one place and time, or at times that go down. */
static tnm_batch *alike(size_t n, bool back)
{
    uint8_t *bytes = malloc(n * EVENT_BYTES + 1);
    const uint64_t offsets[] = {0, n};
    tnm_batch *batch;
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        event_pack((struct event){.t_us = back ? (uint32_t)(n - i) * 1000 : 7, .x = 1, .p = 1},
                   bytes + i * EVENT_BYTES);
    assert_int_equal(tnm_batch_of_events(&geometry, bytes, offsets, 1, &batch), 0);
    free(bytes);
    return batch;
}

static void counts_stop_at_the_largest_of_their_type(void **state)
{
    (void)state;
    static const double wanted[] = {[TNM_U8] = 255, [TNM_F32] = 65535, [TNM_U16] = 65535};
    static const char query[] = "slice=event-bins&bins=1";
    tnm_batch *batch = alike(70000, false);
    tnm_decoder *places = sparse(query);
    size_t size;
    void *out = decode(places, batch, &size);
    tnm_batch *sent = calloc(1, sizeof *sent);
    assert_non_null(sent);
    sent->rule = places->rule;
    sent->blob = batch->blob;
    sent->blob.counts = out;
    sent->blob.places = (const int16_t *)(sent->blob.counts + 1);
    sent->blob.n_places = 70000;
    sent->blob.longest = 1;
    for (int dtype = TNM_U8; dtype <= TNM_U16; dtype++) {
        tnm_decoder *decoder = dense(query, TNM_BTCHW, dtype);
        void *frames = decode(decoder, batch, &size), *others = decode(decoder, sent, &size);
        size_t place = HEIGHT * WIDTH + 1, frame = 2 * HEIGHT * WIDTH;
        assert_true(value_at(frames, TNM_BTCHW, dtype, 1, frame, 0, 0, place) == wanted[dtype]);
        assert_memory_equal(frames, others, size);
        free(frames);
        free(others);
        tnm_decoder_free(decoder);
    }
    tnm_batch_free(sent);
    free(out);
    tnm_decoder_free(places);
    tnm_batch_free(batch);
}

static void a_voxel_grid_is_what_common_makes(void **state)
{
    (void)state;
    enum { BINS = 4, FRAME = HEIGHT * WIDTH };
    tnm_batch *batch = events_batch();
    for (int axes = TNM_BTCHW; axes <= TNM_TBCHW; axes++)
        for (int dtype = TNM_F32; dtype <= TNM_F64; dtype += TNM_F64 - TNM_F32) {
            tnm_decoder *decoder = dense("slice=voxel&bins=4", axes, dtype);
            size_t size;
            void *out = decode(decoder, batch, &size);
            assert_int_equal(size, N_SAMPLES * BINS * FRAME * (dtype == TNM_F64 ? 8 : 4));
            for (size_t i = 0; i < N_SAMPLES; i++) {
                double wanted[BINS * FRAME];
                const struct event_span events = {
                    batch->blob.events + batch->blob.offsets[i] * EVENT_BYTES,
                    batch->blob.offsets[i + 1] - batch->blob.offsets[i]};
                assert_int_equal(voxel_fill(&batch->blob.geometry, events, BINS, wanted, NULL), 0);
                for (size_t k = 0; k < BINS * FRAME; k++) {
                    double value = value_at(out, axes, dtype, BINS, FRAME, i, k / FRAME, k % FRAME);
                    assert_true(value == (dtype == TNM_F64 ? wanted[k] : (float)wanted[k]));
                }
            }
            free(out);
            tnm_decoder_free(decoder);
        }
    tnm_batch_free(batch);
}

static void what_a_rule_cannot_make_of_a_sample_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *query, *words;
        size_t n;
        bool back;
    } cases[] = {
        {"slice=window", "sample 0: it has no events", 0, false},
        {"slice=window&timestep=1", "sample 0: it would have 9999 frames, and the limit is 4096", 0,
         true},
        {"slice=duration", "sample 0: all its events are at 7 us", 5, false},
        {"slice=number", "sample 0: its events are not in order of time", 5, true},
        {"t0=5", "sample 0: its events are not in order of time, which filters need", 5, true},
        {"slice=voxel", "sample 0: it has no events", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int dtype = strstr(cases[i].query, "voxel") ? TNM_F32 : TNM_U8;
        tnm_decoder *decoder = dense(cases[i].query, TNM_BTCHW, dtype);
        tnm_batch *batch = alike(cases[i].n, cases[i].back);
        if (cases[i].back && !cases[i].n) { /* far apart */
            uint8_t bytes[2 * EVENT_BYTES];
            const uint64_t offsets[] = {0, 2};
            event_pack((struct event){.t_us = 0}, bytes);
            event_pack((struct event){.t_us = 9999}, bytes + EVENT_BYTES);
            tnm_batch_free(batch);
            assert_int_equal(tnm_batch_of_events(&geometry, bytes, offsets, 1, &batch), 0);
        }
        uint8_t *out = malloc(300 * 2 * HEIGHT * WIDTH * sizeof(float));
        assert_non_null(out);
        assert_int_equal(tnm_decode(decoder, batch, out, 300 * 2 * HEIGHT * WIDTH * sizeof(float)),
                         -EINVAL);
        if (!strstr(tnm_last_error(), cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", tnm_last_error(), cases[i].words);
        free(out);
        tnm_batch_free(batch);
        tnm_decoder_free(decoder);
    }
}

static void frames_of_a_timestep_need_no_order(void **state)
{
    (void)state;
    static const char *const queries[] = {"bins=6", "bins=6&overlap=sum", NULL};
    tnm_batch *batch = alike(5, true);
    for (size_t i = 0; queries[i]; i++) {
        tnm_decoder *decoder = dense(queries[i], TNM_BTCHW, TNM_F32);
        size_t size, frame = 2 * HEIGHT * WIDTH;
        void *out = decode(decoder, batch, &size);
        for (size_t t = 0; t < 6; t++)
            assert_true(value_at(out, TNM_BTCHW, TNM_F32, 6, frame, 0, t, HEIGHT * WIDTH + 1) ==
                        (t > 0));
        free(out);
        tnm_decoder_free(decoder);
    }
    tnm_batch_free(batch);
}

static void decoders_that_cannot_be_are_not_made(void **state)
{
    (void)state;
    static const tnm_geometry large = {.width = 129, .height = 128, .n_labels = 10};
    static const struct {
        const char *query;
        int axes, dtype;
        const char *words;
    } cases[] = {
        {"bins=5", 3, 0, "axes 3"},
        {"bins=5", 0, 4, "dtype 4"},
        {"bins=5", 0, TNM_F64, "nothing else is TNM_F64"},
        {"slice=voxel", 0, TNM_U8, "voxel grids are TNM_F32 or TNM_F64"},
        {"slice=time&stride=5", 0, 0, "slice=time has no parameter stride"},
    };
    tnm_decoder *decoder = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tnm_rule *rule = rule_of(cases[i].query);
        assert_int_equal(tnm_decoder_rule(&geometry, rule, cases[i].axes, cases[i].dtype, &decoder),
                         -EINVAL);
        if (!strstr(tnm_last_error(), cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", tnm_last_error(), cases[i].words);
        tnm_rule_free(rule);
    }
    tnm_rule *rule = rule_of("slice=voxel"), *frames = rule_of("bins=5");
    assert_int_equal(tnm_decoder_sparse(&geometry, rule, &decoder), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "voxel"));
    assert_int_equal(tnm_decoder_sparse(&large, frames, &decoder), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "33024 places in a frame"));
    assert_int_equal(tnm_decoder_rule(&geometry, NULL, 0, 0, &decoder), -EINVAL);
    assert_null(decoder);
    tnm_rule_free(rule);
    tnm_rule_free(frames);
}

static void places_are_of_one_rule_alone(void **state)
{
    (void)state;
    tnm_batch *events = events_batch();
    tnm_decoder *own = sparse("bins=30"), *other = sparse("bins=31"), *columns;
    size_t size;
    void *out = decode(own, events, &size);
    tnm_batch *places = places_batch(events, own, out, NULL, 30);
    assert_int_equal(tnm_decode(other, places, out, size), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "by another rule"));
    assert_int_equal(tnm_decoder_columns(&columns), 0);
    assert_int_equal(tnm_decode(columns, places, out, size), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "without its events"));
    tnm_batch_free(places);
    free(out);
    tnm_decoder_free(columns);
    tnm_decoder_free(own);
    tnm_decoder_free(other);
    tnm_batch_free(events);
}

static void a_sparse_batch_gives_its_parts_and_a_matrix(void **state)
{
    (void)state;
    tnm_batch *batch = events_batch();
    tnm_decoder *decoder = sparse("slice=window&timestep=3000");
    struct pool *pool;
    uint32_t longest = 0;
    uint64_t n_places = 0;
    size_t size;
    int32_t crow[N_SAMPLES * 20 + 1], col[N_SAMPLES * MOST_EVENTS];
    assert_int_equal(tnm_batch_csr(batch, crow, col), -EINVAL);
    assert_null(tnm_batch_counts(batch));
    assert_null(tnm_batch_places(batch, &n_places));
    assert_null(tnm_batch_n_frames(batch, &longest));
    assert_int_equal(pool_new(1, 1, &pool), 0);
    assert_int_equal(batch_decode(batch, decoder, pool, NULL, NULL), 0);
    const int32_t *counts = tnm_batch_counts(batch);
    const int16_t *places = tnm_batch_places(batch, &n_places);
    const int32_t *n_frames = tnm_batch_n_frames(batch, &longest);
    assert_true(n_frames[0] < n_frames[1] && n_frames[1] < n_frames[2]);
    assert_int_equal(longest, n_frames[2]);
    assert_in_range(longest, 5, 20);
    assert_ptr_equal(tnm_batch_decoded(batch, &size), counts);
    assert_ptr_equal(places, counts + N_SAMPLES * longest);
    assert_int_equal(size, N_SAMPLES * longest * 4 + n_places * 2);
    assert_int_equal(counts[longest - 1], 0); /* the first sample has fewer frames */
    assert_int_equal(tnm_batch_csr(batch, crow, col), 0);
    assert_int_equal(crow[0], 0);
    for (size_t i = 0; i < N_SAMPLES * longest; i++)
        assert_int_equal(crow[i + 1] - crow[i], counts[i]);
    assert_int_equal(crow[N_SAMPLES * longest], n_places);
    for (size_t i = 0; i < n_places; i++)
        assert_int_equal(col[i], places[i]);
    tnm_batch_free(batch);
    pool_unref(pool);
    tnm_decoder_free(decoder);
}

static void a_block_that_is_too_small_is_replaced(void **state)
{
    (void)state;
    tnm_batch *batch = events_batch();
    tnm_decoder *decoder = dense("slice=window&timestep=3000", TNM_BTCHW, TNM_F32);
    struct pool *pool;
    struct pool_block block;
    size_t size;
    assert_int_equal(tnm_decoder_size(decoder, 1, 1), SIZE_MAX);
    assert_int_equal(pool_new(1, 1, &pool), 0);
    assert_int_equal(pool_take(pool, 10, &block), 0);
    batch_set_block(batch, pool, block);
    assert_int_equal(batch_decode(batch, decoder, pool, NULL, NULL), 0);
    assert_ptr_not_equal(tnm_batch_decoded(batch, &size), block.bytes);
    assert_int_equal(pool_n_out(pool), 1);
    tnm_batch_free(batch);
    assert_int_equal(pool_n_out(pool), 0);
    pool_unref(pool);
    tnm_decoder_free(decoder);
}

static void events_that_cannot_be_make_no_batch(void **state)
{
    (void)state;
    static const tnm_geometry none = {.width = 0, .height = 1, .n_labels = 1};
    static const uint64_t one[] = {0, 1}, back[] = {0, 1, 0, 1}, late[] = {1, 1};
    uint8_t bytes[EVENT_BYTES] = {WIDTH, 0, 0, 0, 0};
    tnm_batch *batch = NULL;
    assert_int_equal(tnm_batch_of_events(&none, bytes, one, 1, &batch), -EINVAL);
    assert_int_equal(tnm_batch_of_events(&geometry, bytes, back, 3, &batch), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "sample 1 lies at events 1 to 0"));
    assert_int_equal(tnm_batch_of_events(&geometry, bytes, late, 1, &batch), -EINVAL);
    assert_int_equal(tnm_batch_of_events(&geometry, bytes, one, 1, &batch), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "reach pixel (9, 0)"));
    assert_null(batch);
    bytes[0] = WIDTH - 1;
    assert_int_equal(tnm_batch_of_events(&geometry, bytes, one, 1, &batch), 0);
    assert_memory_equal(tnm_batch_events(batch), bytes, sizeof bytes);
    assert_int_equal(tnm_batch_indices(batch)[0], 0);
    tnm_batch_free(batch);
}

/* Nothing of them is made: they would have 4 GB. */
static void samples_side_by_side_are_no_more_than_can_be_counted(void **state)
{
    (void)state;
    enum { MOST = 32767 }; /* of 2 x 256 x 256 places */
    static uint64_t offsets[MOST + 2];
    const tnm_geometry large = {.width = 256, .height = 256, .n_labels = 10};
    tnm_batch *batch;
    size_t size;
    uint32_t longest;
    for (size_t n = MOST; n <= MOST + 1; n++)
        for (int axes = TNM_BCHWT; axes <= TNM_TBCHW; axes++)
            for (int is_rule = 0; is_rule < 2; is_rule++) {
                bool fits = n == MOST || axes != TNM_TBCHW;
                tnm_decoder *decoder;
                tnm_rule *rule = rule_of("bins=1&polarity=keep&overlap=sum");
                assert_int_equal(is_rule
                                     ? tnm_decoder_rule(&large, rule, axes, TNM_F32, &decoder)
                                     : tnm_decoder_frames(&large, 1, 1, TNM_BIN_FLOOR,
                                                          TNM_OVERLAP_OR, axes, TNM_U8, &decoder),
                                 0);
                assert_int_equal(tnm_batch_of_events(&large, NULL, offsets, n, &batch), 0);
                assert_int_equal(tnm_decoder_measure(decoder, batch, &size, &longest, NULL),
                                 fits ? 0 : -EINVAL);
                if (!fits)
                    assert_string_equal(tnm_last_error(),
                                        "32768 samples of 131072 places each; axes TBCHW have up "
                                        "to 4294967295 places side by side");
                tnm_batch_free(batch);
                tnm_decoder_free(decoder);
                tnm_rule_free(rule);
            }
}

static void what_is_less_to_send_is_known_from_the_rule(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        uint64_t n_events;
        bool pays;
    } cases[] = {
        {"bins=300", 4000, true},
        {"bins=300", 300, false}, /* 1,200 bytes of counts, 600 of places; 1,500 of events */
        {"timestep=100&bins=3000", 4000, false},
        {"slice=window&timestep=10000&stride=5000", 4000, true},
        {"slice=window&timestep=10000&stride=2000", 4000, false},
        {"slice=event-count&events=500&stride=100", 4000, false},
        {"slice=event-count&events=500", 4000, true},
        {"slice=duration&timestep=1000", 4000, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tnm_decoder *decoder = sparse(cases[i].query);
        const struct rule *rule = decoder_wire_rule(decoder, cases[i].n_events, false);
        if ((rule != NULL) != cases[i].pays)
            fail_msg("%s", cases[i].query);
        assert_ptr_equal(decoder_wire_rule(decoder, cases[i].n_events, true), &decoder->rule);
        tnm_decoder_free(decoder);
    }
    tnm_decoder *voxel = dense("slice=voxel", TNM_BTCHW, TNM_F32);
    assert_null(decoder_wire_rule(voxel, 4000, true));
    assert_null(decoder_wire_rule(NULL, 4000, true));
    tnm_decoder_free(voxel);
}

struct scarce_case {
    const char *query;
    bool is_sparse;
};

static int decode_all(void *user, struct error *why)
{
    const struct scarce_case *what = user;
    static uint8_t out[1 << 20];
    uint8_t bytes[2 * EVENT_BYTES];
    const uint64_t offsets[] = {0, 2};
    event_pack((struct event){.t_us = 5}, bytes);
    event_pack((struct event){.t_us = 9}, bytes + EVENT_BYTES);
    tnm_rule *rule = NULL;
    tnm_decoder *decoder = NULL;
    tnm_batch *batch = NULL;
    int r = tnm_rule_new(&rule);
    if (r == 0)
        r = tnm_rule_set(rule, "slice", what->query);
    if (r == 0)
        r = tnm_rule_set(rule, "t0", "1");
    if (r == 0)
        r = what->is_sparse ? tnm_decoder_sparse(&geometry, rule, &decoder)
                            : tnm_decoder_rule(&geometry, rule, TNM_BTCHW, TNM_F32, &decoder);
    if (r == 0)
        r = tnm_batch_of_events(&geometry, bytes, offsets, 1, &batch);
    if (r == 0)
        r = tnm_decode(decoder, batch, out, sizeof out);
    tnm_batch_free(batch);
    tnm_decoder_free(decoder);
    tnm_rule_free(rule);
    return error_set(why, r, "%s", r < 0 ? tnm_last_error() : "");
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    static struct scarce_case cases[] = {{"number", false}, {"voxel", false}, {"number", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_in_range(scarce_try(decode_all, &cases[i]), 7, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_become_what_events_do_bit_for_bit),
        cmocka_unit_test(samples_lie_where_the_axes_say_filled_up_to_the_longest),
        cmocka_unit_test(a_timestep_makes_the_frames_that_there_were_before_rules),
        cmocka_unit_test(counts_stop_at_the_largest_of_their_type),
        cmocka_unit_test(a_voxel_grid_is_what_common_makes),
        cmocka_unit_test(what_a_rule_cannot_make_of_a_sample_names_it),
        cmocka_unit_test(frames_of_a_timestep_need_no_order),
        cmocka_unit_test(decoders_that_cannot_be_are_not_made),
        cmocka_unit_test(places_are_of_one_rule_alone),
        cmocka_unit_test(a_sparse_batch_gives_its_parts_and_a_matrix),
        cmocka_unit_test(a_block_that_is_too_small_is_replaced),
        cmocka_unit_test(events_that_cannot_be_make_no_batch),
        cmocka_unit_test(samples_side_by_side_are_no_more_than_can_be_counted),
        cmocka_unit_test(what_is_less_to_send_is_known_from_the_rule),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("decoder_rule", tests, NULL, NULL);
}
