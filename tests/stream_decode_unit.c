/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/stream_decode: which batches of a stream are decoded when, by whom, from what. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/cursor.h"
#include "client/split.h"
#include "client/stream.h"
#include "common/order.h"
#include "tests/fake_stream.h"

static void batches_are_decoded_as_they_arrive(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    tnm_batch *batch;
    size_t size;
    uint8_t lent[7 * SIZE * 2];
    assert_int_equal(tnm_decoder_columns(&decoder), 0);
    assert_int_equal(tnm_stream_set_decoder(stream, decoder), 0);
    assert_int_equal(tnm_stream_lend(stream, lent, 1), 0); /* too small for any */
    assert_int_equal(tnm_stream_lend(stream, lent, sizeof lent), 0);
    assert_int_equal(tnm_stream_next(stream, &batch), 1);
    assert_ptr_equal(tnm_batch_decoded(batch, &size), lent);
    assert_int_equal(size, 7 * tnm_batch_n_events(batch));
    tnm_batch_free(batch);
    assert_int_equal(tnm_stream_next(stream, &batch), 1);
    assert_ptr_not_equal(tnm_batch_decoded(batch, &size), lent);
    assert_int_equal(size, 7 * tnm_batch_n_events(batch));
    assert_int_equal(tnm_stream_set_decoder(stream, NULL), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "under way"));
    tnm_stream_close(stream);
    stream = NULL;
    tnm_batch_free(batch); /* outlives the stream */
    tnm_decoder_free(decoder);
}

/* Frames of a batch have 38 MB: more than one of them are no longer little. */
static tnm_decoder *set_frames(void)
{
    tnm_decoder *decoder;
    tnm_geometry geometry;
    tnm_split_geometry(split, &geometry);
    assert_int_equal(tnm_decoder_frames(&geometry, 1, 4096, TNM_BIN_FLOOR, TNM_OVERLAP_OR,
                                        TNM_BTCHW, TNM_U8, &decoder),
                     0);
    assert_int_equal(tnm_stream_set_decoder(stream, decoder), 0);
    return decoder;
}

static tnm_batch *next_frames(void)
{
    tnm_batch *batch;
    size_t size;
    assert_int_equal(tnm_stream_next(stream, &batch), 1);
    assert_non_null(tnm_batch_decoded(batch, &size));
    assert_int_equal(size, tnm_batch_n_samples(batch) * 4096 * 2 * 34 * 34);
    return batch;
}

/* Wait until batch k has arrived, and is packed or decoded as said. */
static void wait_for(uint64_t k, enum decoding decoding)
{
    const struct slot *slot = stream_slot(stream, k);
    pthread_mutex_lock(&client->lock);
    while (slot->state != SLOT_ARRIVED || slot->decoding != decoding)
        pthread_cond_wait(&client->changed, &client->lock);
    pthread_mutex_unlock(&client->lock);
}

static void only_the_next_batch_is_decoded_ahead(void **state)
{
    (void)state;
    tnm_decoder *decoder = set_frames();
    tnm_batch *batch = next_frames(), *before;
    for (uint64_t k = 1; k < 4; k++) {
        wait_for(k, DECODING_DONE); /* while the caller has the one before */
        wait_for(k + 1, DECODING_PACKED);
        assert_int_equal(pool_n_out(stream->pool), 2);
        before = batch;
        batch = next_frames();
        wait_for(k + 1, DECODING_PACKED); /* the caller has two */
        assert_int_equal(pool_n_out(stream->pool), 2);
        tnm_batch_free(before); /* which lets the next one be decoded */
    }
    tnm_batch_free(batch);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

static void a_caller_that_keeps_batches_gets_each_decoded(void **state)
{
    (void)state;
    tnm_decoder *decoder = set_frames();
    tnm_batch *kept[3];
    for (int i = 0; i < 3; i++)
        kept[i] = next_frames();
    assert_int_equal(pool_n_out(stream->pool), 3);
    tnm_batch_free(kept[0]);
    kept[0] = next_frames(); /* one that has two and frees one before it asks for more */
    tnm_batch_free(kept[1]);
    wait_for(4, DECODING_DONE);
    tnm_batch_free(kept[0]);
    tnm_batch_free(kept[2]);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

static void decode_near(void *user)
{
    stream_decode_near(user);
}

/* The loop may look for what is near just when the caller has seen that a batch arrived. */
static void a_batch_that_the_caller_takes_is_decoded_by_nobody_else(void **state)
{
    (void)state;
    tnm_decoder *decoder = set_frames();
    tnm_batch *kept[] = {next_frames(), next_frames()};
    wait_for(2, DECODING_PACKED);
    struct slot *slot = stream_slot(stream, 2);
    pthread_mutex_lock(&client->lock);
    stream_claim(slot);
    pthread_mutex_unlock(&client->lock);
    for (int i = 0; i < 2; i++)
        tnm_batch_free(kept[i]); /* there is memory to decode it now */
    loop_call(client->loop, decode_near, stream);
    assert_int_equal(slot->decoding, DECODING_CALLERS);
    tnm_batch_free(next_frames());
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

/* In the loop's thread, so that it looks for what is near then and not before. */
static void free_claim_and_look(void *batch)
{
    tnm_batch_free(batch);
    stream_count_held(stream);
    pthread_mutex_lock(&client->lock);
    stream_claim(stream_slot(stream, 2));
    pthread_mutex_unlock(&client->lock);
    stream_decode_near(stream);
}

/* Else there were three, where the caller has one and takes another. */
static void a_batch_that_the_caller_takes_has_its_memory_at_once(void **state)
{
    (void)state;
    tnm_decoder *decoder = set_frames();
    tnm_batch *kept[] = {next_frames(), next_frames()};
    wait_for(2, DECODING_PACKED);
    wait_for(3, DECODING_PACKED);
    loop_call(client->loop, free_claim_and_look, kept[0]);
    assert_int_equal(stream_slot(stream, 3)->decoding, DECODING_PACKED);
    assert_int_equal(pool_n_out(stream->pool), 2);
    tnm_batch_free(kept[1]);
    tnm_batch_free(next_frames());
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

static void set_job(void *user)
{
    struct job *job = user;
    job->slot->job = job;
}

/* Its end is told to the loop's thread after its batch is handed over, and the next one may have
 * arrived by then. */
static void a_job_that_has_not_ended_is_forgotten_when_its_slot_gets_another(void **state)
{
    (void)state;
    tnm_decoder *decoder = set_frames();
    tnm_batch *kept[] = {next_frames(), next_frames()};
    wait_for(2, DECODING_PACKED);
    struct job late = {.stream = stream, .slot = stream_slot(stream, 2)};
    loop_call(client->loop, set_job, &late);
    tnm_batch_free(kept[0]); /* there is memory to decode it now */
    wait_for(2, DECODING_DONE);
    assert_null(late.stream);
    tnm_batch_free(kept[1]);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

static void what_cannot_be_decoded_is_told_to_the_caller(void **state)
{
    (void)state;
    tnm_decoder *decoder;
    tnm_batch *batch = NULL;
    const tnm_geometry other = {.width = 33, .height = 34, .n_labels = 10};
    assert_int_equal(tnm_decoder_frames(&other, 1000, 4096, TNM_BIN_FLOOR, TNM_OVERLAP_OR,
                                        TNM_BTCHW, TNM_U8, &decoder),
                     0);
    assert_int_equal(tnm_stream_set_decoder(stream, decoder), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tnm_stream_next(stream, &batch), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), "34 x 34 pixels; the decoder's frames 33 x 34"));
    }
    assert_null(batch);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

/* ---- Frames by a rule ---- */

static tnm_decoder *set_rule(const char *const params[][2], size_t n_params)
{
    tnm_rule *rule;
    tnm_decoder *decoder;
    tnm_geometry geometry;
    tnm_split_geometry(split, &geometry);
    assert_int_equal(tnm_rule_new(&rule), 0);
    for (size_t i = 0; i < n_params; i++)
        assert_int_equal(tnm_rule_set(rule, params[i][0], params[i][1]), 0);
    assert_int_equal(tnm_decoder_rule(&geometry, rule, TNM_BTCHW, TNM_U8, &decoder), 0);
    assert_int_equal(tnm_stream_set_decoder(stream, decoder), 0);
    tnm_rule_free(rule);
    return decoder;
}

static const char *const each_event[][2] = {{"slice", "event-count"}, {"events", "1"}};

/* How many they are only the batch tells, and so whether a buffer is large enough. */
static void frames_come_as_places_and_know_their_numbers(void **state)
{
    (void)state;
    enum { FRAME = 2 * 34 * 34 };
    static uint8_t lent[SIZE * FAKE_FRAMES * FRAME];
    uint32_t order[N], longest;
    size_t size, n_lent = 0;
    client->options->wire = OPTION_WIRE_SPARSE;
    tnm_decoder *decoder = set_rule(each_event, 2);
    order_epoch(SEED, 0, N, order);
    assert_int_equal(tnm_stream_lend(stream, lent, 1), 0); /* too small for any */
    assert_int_equal(tnm_stream_lend(stream, lent, sizeof lent), 0);
    for (uint64_t k = 0; k < N_BATCHES; k++) {
        tnm_batch *batch;
        assert_int_equal(tnm_stream_next(stream, &batch), 1);
        assert_true(asked_for_places);
        assert_null(tnm_batch_events(batch));
        assert_int_equal(tnm_batch_n_events(batch), 0);
        const uint8_t *frames = tnm_batch_decoded(batch, &size);
        const int32_t *n_frames = tnm_batch_n_frames(batch, &longest);
        uint64_t n_samples = tnm_batch_n_samples(batch);
        assert_int_equal(size, n_samples * longest * FRAME);
        n_lent += frames == lent;
        for (uint64_t i = 0; i < n_samples; i++) {
            uint32_t sample = order[k * SIZE + i];
            assert_int_equal(n_frames[i], 1 + sample % 3);
            for (uint32_t t = 0; t < longest; t++)
                for (uint32_t place = 0; place < FRAME; place++)
                    assert_int_equal(frames[(i * longest + t) * FRAME + place],
                                     t < 1 + sample % 3 && place == sample + t);
        }
        tnm_batch_free(batch);
    }
    assert_int_equal(n_lent, 1);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

/* A decoder that stops in batch DEPTH + 1, when it has memory for it. Without any order between
 * threads: that is ThreadSanitizer's to look for. */
static struct {
    int (*run)(const tnm_decoder *decoder, const struct decode *what, void *out, struct error *why);
    atomic_uint n_runs;
    atomic_bool goes_on;
} stopping;

static int run_and_stop(const tnm_decoder *decoder, const struct decode *what, void *out,
                        struct error *why)
{
    if (atomic_fetch_add_explicit(&stopping.n_runs, 1, memory_order_relaxed) == DEPTH + 1)
        while (!atomic_load_explicit(&stopping.goes_on, memory_order_relaxed))
            sched_yield();
    return stopping.run(decoder, what, out, why);
}

static void blocks_are_counted_while_a_batch_gets_a_larger_one(void **state)
{
    (void)state;
    client->options->wire = OPTION_WIRE_SPARSE;
    tnm_decoder *decoder = set_rule(each_event, 2);
    tnm_batch *kept[2];
    stopping.run = decoder->run;
    stopping.n_runs = 0;
    stopping.goes_on = false;
    decoder->run = run_and_stop;
    assert_int_equal(tnm_stream_next(stream, &kept[0]), 1);
    for (uint64_t k = 1; k <= DEPTH; k++)
        wait_for(k, DECODING_DONE);
    atomic_store(&stream->largest, 0); /* the next one becomes more than it is given room for */
    assert_int_equal(tnm_stream_next(stream, &kept[1]), 1);
    while (atomic_load_explicit(&stopping.n_runs, memory_order_relaxed) < DEPTH + 2)
        sched_yield();
    stream_count_held(stream);
    assert_int_equal(stream->most_blocks, 3); /* the caller has two */
    assert_int_equal(pool_n_out(stream->pool), 2 + DEPTH);
    atomic_store_explicit(&stopping.goes_on, true, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        tnm_batch_free(kept[i]);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

static void events_come_where_places_would_be_more_or_are_not_to_be_had(void **state)
{
    (void)state;
    static const char *const few_bins[][2] = {{"bins", "3"}};
    static const struct {
        int wire;
        uint32_t timestep_us;
        const char *filter;
        bool places;
    } cases[] = {
        {OPTION_WIRE_AUTO, 0, NULL, false}, /* samples have 3 events each: 15 bytes of 18 */
        {OPTION_WIRE_EVENTS, 0, NULL, false}, {OPTION_WIRE_SPARSE, 0, NULL, true},
        {OPTION_WIRE_SPARSE, 5, NULL, false}, /* times that are rounded first */
        {OPTION_WIRE_SPARSE, 0, "t0", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tnm_rule *filters;
        tnm_stream_close(stream);
        client->options->wire = (uint64_t)cases[i].wire;
        assert_int_equal(tnm_rule_new(&filters), 0);
        if (cases[i].filter)
            assert_int_equal(tnm_rule_set(filters, cases[i].filter, "1"), 0);
        assert_int_equal(tnm_split_set_form(split, TNM_ORDER_STORED, cases[i].timestep_us), 0);
        assert_int_equal(tnm_split_set_filters(split, filters), 0);
        assert_int_equal(tnm_epoch_open(split, SEED, 0, SIZE, 0, 1, TNM_LAST_SHORT, DEPTH, &stream),
                         0);
        tnm_decoder *decoder = set_rule(few_bins, 1);
        assert_true((stream->form.frames != NULL) == cases[i].places);
        tnm_decoder_free(decoder);
        stream->decoder = NULL;
        tnm_rule_free(filters);
    }
    assert_int_equal(tnm_split_set_filters(split, NULL), 0);
    assert_int_equal(tnm_split_set_filters(NULL, NULL), -EINVAL);
    client->options->wire = OPTION_WIRE_AUTO;
    split->n_events = 4000 * N;
    tnm_decoder *decoder = set_rule(few_bins, 1);
    assert_non_null(stream->form.frames);
    free(client->servers->list[0].base);
    client->servers->list[0].base = strdup("http://localhost");
    assert_int_equal(tnm_stream_set_decoder(stream, decoder), 0);
    assert_null(stream->form.frames);
    tnm_decoder_free(decoder);
    stream->decoder = NULL;
}

static void filters_of_the_split_and_of_the_rule_are_never_asked_for_at_once(void **state)
{
    (void)state;
    static const char *const filtered[][2] = {{"t1", "9"}, {"bins", "2"}};
    tnm_rule *filters;
    client->options->wire = OPTION_WIRE_SPARSE;
    assert_int_equal(tnm_rule_new(&filters), 0);
    assert_int_equal(tnm_rule_set(filters, "bins", "3"), 0);
    assert_int_equal(tnm_split_set_filters(split, filters), -EINVAL);
    assert_string_equal(tnm_last_error(), "bins is no filter");
    assert_int_equal(tnm_rule_set(filters, "bins", NULL), 0);
    tnm_decoder *decoder = set_rule(filtered, 2);
    assert_non_null(stream->form.frames);
    assert_int_equal(tnm_rule_set(filters, "t0", "1"), 0);
    assert_int_equal(tnm_split_set_filters(split, filters), 0);
    tnm_stream_close(stream);
    assert_int_equal(tnm_epoch_open(split, SEED, 0, SIZE, 0, 1, TNM_LAST_SHORT, DEPTH, &stream), 0);
    assert_int_equal(tnm_stream_set_decoder(stream, decoder), 0);
    assert_null(stream->form.frames);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
    tnm_rule_free(filters);
}

static void a_sample_of_which_the_rule_makes_nothing_is_named_each_time(void **state)
{
    (void)state;
    client->options->wire = OPTION_WIRE_EVENTS;
    tnm_decoder *decoder = set_rule(each_event, 2);
    tnm_batch *batch = NULL;
    for (int i = 0; i < 2; i++) { /* two events that go back in time */
        assert_int_equal(tnm_stream_next(stream, &batch), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), "its events are not in order of time"));
        assert_memory_equal(tnm_last_error(), "sample ", 7);
    }
    assert_null(batch);
    tnm_stream_close(stream);
    stream = NULL;
    tnm_decoder_free(decoder);
}

int main(void)
{
#define EPOCH(name) cmocka_unit_test_setup_teardown(name, setup_epoch, teardown)
    const struct CMUnitTest tests[] = {
        EPOCH(batches_are_decoded_as_they_arrive),
        EPOCH(only_the_next_batch_is_decoded_ahead),
        EPOCH(a_caller_that_keeps_batches_gets_each_decoded),
        EPOCH(a_batch_that_the_caller_takes_is_decoded_by_nobody_else),
        EPOCH(a_batch_that_the_caller_takes_has_its_memory_at_once),
        EPOCH(a_job_that_has_not_ended_is_forgotten_when_its_slot_gets_another),
        EPOCH(what_cannot_be_decoded_is_told_to_the_caller),
        EPOCH(frames_come_as_places_and_know_their_numbers),
        EPOCH(blocks_are_counted_while_a_batch_gets_a_larger_one),
        EPOCH(events_come_where_places_would_be_more_or_are_not_to_be_had),
        EPOCH(filters_of_the_split_and_of_the_rule_are_never_asked_for_at_once),
        EPOCH(a_sample_of_which_the_rule_makes_nothing_is_named_each_time),
    };
    return cmocka_run_group_tests_name("stream_decode", tests, NULL, NULL);
}
