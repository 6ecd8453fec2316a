/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/stream and client/stream_place: batches in order, and going elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
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

/* The next batch has to be batch k of this epoch. */
static void expect_batch(uint64_t k, uint32_t epoch)
{
    uint32_t order[N];
    tnm_batch *batch = NULL;
    order_epoch(SEED, epoch, N, order);
    assert_int_equal(tnm_stream_position(stream), k);
    assert_int_equal(tnm_stream_next(stream, &batch), 1);
    assert_int_equal(tnm_batch_number(batch), k);
    assert_string_equal(tnm_batch_server(batch), FAKE_SERVER);
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++)
        assert_int_equal(tnm_batch_indices(batch)[i], order[k * SIZE + i]);
    tnm_batch_free(batch);
}

static void expect_end(void)
{
    tnm_batch *batch = NULL;
    for (int i = 0; i < 2; i++)
        assert_int_equal(tnm_stream_next(stream, &batch), 0);
    assert_null(batch);
    assert_int_equal(tnm_stream_position(stream), N_BATCHES);
}

/* ---- In order ---- */

static void an_epoch_s_batches_come_in_order_to_the_end(void **state)
{
    (void)state;
    assert_int_equal(tnm_stream_n_batches(stream), N_BATCHES);
    assert_int_equal(tnm_stream_seed(stream), SEED);
    assert_int_equal(tnm_stream_epoch(stream), 0);
    for (uint64_t k = 0; k < N_BATCHES; k++)
        expect_batch(k, 0);
    expect_end();
}

static void no_more_than_depth_are_asked_for_ahead(void **state)
{
    (void)state;
    unsigned before = fake.started;
    expect_batch(0, 0);
    tnm_stats stats; /* asked for in the loop's thread, behind what was begun there before */
    for (int i = 0; i < 2; i++)
        assert_int_equal(tnm_stream_stats(stream, &stats, sizeof stats), 0);
    assert_int_equal(fake.started - before, DEPTH + 1); /* one was handed over */
    tnm_stream_close(stream);
    stream = NULL;
    assert_int_equal(fake.started - before, DEPTH + 1);
}

static void pairs_go_on_from_their_start(void **state)
{
    (void)state;
    assert_int_equal(tnm_stream_n_batches(stream), UINT64_MAX);
    for (uint64_t k = 10; k < 20; k++) {
        tnm_batch *batch = NULL;
        assert_int_equal(tnm_stream_position(stream), k);
        assert_int_equal(tnm_stream_next(stream, &batch), 1);
        for (uint64_t i = 0; i < SIZE; i++)
            assert_int_equal(tnm_batch_indices(batch)[i], k * SIZE + i);
        tnm_batch_free(batch);
    }
}

static void an_error_stays_until_a_seek(void **state)
{
    (void)state;
    char cursor[TNM_CURSOR_SIZE];
    tnm_batch *batch = NULL;
    damaged_k = 1;
    expect_batch(0, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tnm_stream_next(stream, &batch), -EBADMSG);
        assert_string_equal(tnm_last_error(), "damaged");
        assert_int_equal(tnm_stream_position(stream), 1);
    }
    assert_null(batch);
    assert_int_equal(tnm_stream_tell(stream, cursor, sizeof cursor), 0);
    assert_int_equal(tnm_stream_seek(stream, cursor), 0);
    damaged_k = -1;
    expect_batch(1, 0);
}

static void requests_that_do_not_start_are_an_error_of_the_stream(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    fake.no_memory = true;
    assert_int_equal(tnm_stream_next(stream, &batch), -ENOMEM);
    assert_non_null(strstr(tnm_last_error(), "no memory"));
    assert_null(batch);
}

/* ---- A part, and stored order ---- */

static const uint64_t part[] = {30, 2, 17, 2, 0, 9, 11, 4, 5};

enum { N_PART = sizeof part / sizeof *part };

/* The indices of the batches that are left, one behind the other. */
static unsigned drain(tnm_stream *from, uint64_t *ret)
{
    tnm_batch *batch = NULL;
    unsigned n = 0;
    int r;
    while ((r = tnm_stream_next(from, &batch)) == 1) {
        for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++)
            ret[n++] = tnm_batch_indices(batch)[i];
        tnm_batch_free(batch);
    }
    assert_int_equal(r, 0);
    return n;
}

static void open_part(int shuffle, uint32_t rank, uint32_t world, int last)
{
    tnm_stream_close(stream);
    assert_int_equal(tnm_part_open(split, part, N_PART, shuffle, SEED, 1, SIZE, rank, world, last,
                                   DEPTH, &stream),
                     0);
}

static void a_split_comes_in_stored_order(void **state)
{
    (void)state;
    uint64_t indices[N];
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        tnm_stream_close(stream);
        assert_int_equal(tnm_part_open(split, NULL, 0, TNM_AS_GIVEN, SEED, epoch, SIZE, 0, 1,
                                       TNM_LAST_SHORT, DEPTH, &stream),
                         0);
        assert_int_equal(tnm_stream_n_batches(stream), N_BATCHES);
        assert_int_equal(drain(stream, indices), N);
        for (unsigned i = 0; i < N; i++)
            assert_int_equal(indices[i], i);
    }
}

static void a_part_comes_as_given_or_shuffled(void **state)
{
    (void)state;
    uint64_t indices[N_PART];
    uint32_t order[N_PART];
    open_part(TNM_AS_GIVEN, 0, 1, TNM_LAST_SHORT);
    assert_int_equal(tnm_stream_n_batches(stream), 3);
    assert_int_equal(drain(stream, indices), N_PART);
    assert_memory_equal(indices, part, sizeof part);
    open_part(TNM_SHUFFLED, 0, 1, TNM_LAST_SHORT);
    for (uint32_t epoch = 1; epoch < 3; epoch++) {
        order_epoch(SEED, epoch, N_PART, order);
        assert_int_equal(tnm_stream_set_epoch(stream, epoch), 0);
        assert_int_equal(drain(stream, indices), N_PART);
        for (unsigned i = 0; i < N_PART; i++)
            assert_int_equal(indices[i], part[order[i]]);
    }
}

static void all_of_a_split_shuffled_is_an_epoch(void **state)
{
    (void)state;
    tnm_stream_close(stream);
    assert_int_equal(tnm_part_open(split, NULL, 0, TNM_SHUFFLED, SEED, 3, SIZE, 0, 1,
                                   TNM_LAST_SHORT, DEPTH, &stream),
                     0);
    expect_batch(0, 3);
}

static void ranks_share_a_part_to_its_last_batch(void **state)
{
    (void)state;
    static const struct {
        int last;
        unsigned n; /* samples of all ranks */
    } lasts[] = {{TNM_LAST_SHORT, N_PART}, {TNM_LAST_DROP, 8}, {TNM_LAST_PAD, 12}};
    for (size_t l = 0; l < sizeof lasts / sizeof *lasts; l++)
        for (uint32_t world = 1; world <= SIZE; world++) {
            unsigned n = 0;
            for (uint32_t rank = 0; rank < world; rank++) {
                uint64_t indices[2 * N_PART], k = 0;
                open_part(TNM_AS_GIVEN, rank, world, lasts[l].last);
                unsigned own = drain(stream, indices);
                for (uint64_t at = 0; at < lasts[l].n; at++)
                    if (at % SIZE % world == rank)
                        assert_int_equal(indices[k++], part[at % N_PART]);
                assert_int_equal(own, k);
                n += own;
            }
            assert_int_equal(n, lasts[l].n);
        }
}

static void cursors_of_a_part_hold_for_it_alone(void **state)
{
    (void)state;
    char cursor[TNM_CURSOR_SIZE];
    uint64_t whole[N_PART], rest[N_PART];
    for (int shuffle = TNM_AS_GIVEN; shuffle <= TNM_SHUFFLED; shuffle++) {
        tnm_batch *batch;
        open_part(shuffle, 0, 1, TNM_LAST_SHORT);
        drain(stream, whole);
        open_part(shuffle, 0, 1, TNM_LAST_SHORT);
        assert_int_equal(tnm_stream_next(stream, &batch), 1);
        tnm_batch_free(batch);
        assert_int_equal(tnm_stream_tell(stream, cursor, sizeof cursor), 0);
        open_part(!shuffle, 0, 1, TNM_LAST_SHORT);
        assert_int_equal(tnm_stream_seek(stream, cursor), -EINVAL);
        tnm_stream_close(stream);
        assert_int_equal(tnm_part_open(split, part, N_PART - 1, shuffle, SEED, 1, SIZE, 0, 1,
                                       TNM_LAST_SHORT, DEPTH, &stream),
                         0);
        assert_int_equal(tnm_stream_seek(stream, cursor), -EINVAL);
        assert_string_equal(tnm_last_error(), "the cursor is of another part of train");
        open_part(shuffle, 0, 1, TNM_LAST_SHORT);
        assert_int_equal(tnm_stream_set_epoch(stream, 9), 0);
        assert_int_equal(tnm_stream_seek(stream, cursor), 0);
        assert_int_equal(drain(stream, rest), N_PART - SIZE);
        assert_memory_equal(rest, whole + SIZE, (N_PART - SIZE) * sizeof *rest);
    }
}

static void parts_that_cannot_be_are_not_opened(void **state)
{
    (void)state;
    tnm_stream *none = NULL;
    static const uint64_t past[] = {N - 1, N};
#define OPEN(indices, n, shuffle) \
    tnm_part_open(split, indices, n, shuffle, 1, 0, 4, 0, 1, TNM_LAST_SHORT, 1, &none)
    assert_int_equal(OPEN(past, 2, TNM_AS_GIVEN), -ENOENT);
    assert_string_equal(tnm_last_error(), "there is no sample 31; split train has 31");
    assert_int_equal(OPEN(past, 0, TNM_AS_GIVEN), -EINVAL);
    assert_string_equal(tnm_last_error(), "a part of 0 samples; 1 to 2147483647 are possible");
    assert_int_equal(OPEN(past, 1, 2), -EINVAL);
    assert_string_equal(tnm_last_error(), "shuffle is 2; it is 0 or 1");
#undef OPEN
    assert_null(none);
}

/* ---- What it has cost ---- */

static void statistics_say_what_was_handed_over_and_waited_for(void **state)
{
    (void)state;
    enum { DELAY_MS = 20 };
    tnm_stats stats;
    tnm_batch *batch;
    fake.delay_ms = DELAY_MS;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tnm_stream_next(stream, &batch), 1);
        tnm_batch_free(batch);
    }
    assert_int_equal(tnm_stream_stats(stream, &stats, sizeof stats), 0);
    assert_int_equal(stats.batches, 2);
    assert_int_equal(stats.samples, 2 * SIZE);
    assert_true(stats.waited_us >= (DELAY_MS - 1) * 1000);
    assert_true(stats.waited_network_us >= (DELAY_MS - 1) * 1000);
    assert_true(stats.waited_network_us <= stats.waited_us);
    assert_true(stats.network_us >= (DELAY_MS - 1) * 1000);
    assert_int_equal(stats.decoding_us, 0);
}

static void statistics_have_the_size_that_the_caller_knows(void **state)
{
    (void)state;
    struct {
        tnm_stats stats;
        uint64_t more;
    } later = {.more = 1};
    uint64_t earlier[2] = {0, 1};
    drain(stream, (uint64_t[N]){0});
    assert_int_equal(tnm_stream_stats(stream, &later.stats, sizeof later), 0);
    assert_int_equal(later.stats.batches, N_BATCHES);
    assert_int_equal(later.more, 0);
    assert_int_equal(tnm_stream_stats(stream, (tnm_stats *)(void *)earlier, sizeof earlier[0]), 0);
    assert_int_equal(earlier[0], N_BATCHES);
    assert_int_equal(earlier[1], 1); /* as it was */
    assert_int_equal(tnm_stream_stats(NULL, &later.stats, sizeof later), -EINVAL);
}

/* ---- Cancelling ---- */

static void cancel_client(void)
{
    tnm_cancel(client);
}

static void a_cancel_before_the_call_begins_to_wait_is_not_lost(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    fake.delay_ms = FAKE_NEVER_MS / 3;
    fake.on_start = cancel_client;
    assert_int_equal(tnm_stream_next(stream, &batch), -ECANCELED);
    assert_null(batch);
}

static void a_cancelled_stream_goes_on_after_a_seek(void **state)
{
    (void)state;
    char cursor[TNM_CURSOR_SIZE];
    tnm_batch *batch = NULL;
    expect_batch(0, 0);
    tnm_stream_cancel(stream);
    for (int i = 0; i < 2; i++)
        assert_int_equal(tnm_stream_next(stream, &batch), -ECANCELED);
    assert_string_equal(tnm_last_error(), "the stream was cancelled");
    assert_int_equal(tnm_stream_tell(stream, cursor, sizeof cursor), 0);
    assert_int_equal(tnm_stream_seek(stream, cursor), 0);
    expect_batch(1, 0);
    tnm_stream_cancel(NULL);
    tnm_stream_close(NULL);
}

/* ---- Elsewhere ---- */

static void a_cursor_leads_back_to_its_batch(void **state)
{
    (void)state;
    char cursors[N_BATCHES + 1][TNM_CURSOR_SIZE];
    assert_int_equal(tnm_stream_set_epoch(stream, 6), 0);
    for (uint64_t k = 0; k < N_BATCHES; k++) {
        assert_int_equal(tnm_stream_tell(stream, cursors[k], TNM_CURSOR_SIZE), 0);
        expect_batch(k, 6);
    }
    assert_int_equal(tnm_stream_tell(stream, cursors[N_BATCHES], TNM_CURSOR_SIZE), 0);
    assert_int_equal(tnm_stream_set_epoch(stream, 0), 0);
    for (uint64_t k = N_BATCHES; k-- > 0;) {
        assert_int_equal(tnm_stream_seek(stream, cursors[k]), 0);
        assert_int_equal(tnm_stream_epoch(stream), 6);
        expect_batch(k, 6);
    }
    assert_int_equal(tnm_stream_seek(stream, cursors[N_BATCHES]), 0);
    expect_end();
}

static void a_cursor_of_pairs_counts_pairs(void **state)
{
    (void)state;
    char cursor[TNM_CURSOR_SIZE];
    tnm_stream *other = NULL;
    assert_int_equal(tnm_stream_tell(stream, cursor, sizeof cursor), 0); /* at pair 40 */
    assert_int_equal(tnm_pairs_open(split, 1, 0, 8, 1, 2, 1, &other), 0);
    assert_int_equal(tnm_stream_seek(other, cursor), 0); /* of another size, rank and world */
    assert_int_equal(tnm_stream_position(other), 5);
    assert_int_equal(tnm_stream_seed(other), SEED);
    tnm_stream_close(other);
    assert_int_equal(tnm_pairs_open(split, 1, 0, 7, 0, 1, 1, &other), 0);
    assert_int_equal(tnm_stream_seek(other, cursor), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "place 40 is none of this stream"));
    assert_int_equal(tnm_stream_seed(other), 1);
    tnm_stream_close(other);
}

static void cursors_of_other_streams_are_refused(void **state)
{
    (void)state;
    struct cursor own, other;
    struct error why;
    char text[TNM_CURSOR_SIZE];
    assert_int_equal(tnm_stream_tell(stream, text, sizeof text), 0);
    assert_int_equal(cursor_read(text, &own, &why), 0);
#define WITH(change, r)                                               \
    do {                                                              \
        other = own;                                                  \
        other.change;                                                 \
        assert_int_equal(cursor_write(&other, text, sizeof text), 0); \
        assert_int_equal(tnm_stream_seek(stream, text), r);           \
    } while (0)
    WITH(split[0] = 'x', -ESTALE);
    WITH(revision[0] = 'f', -ESTALE);
    WITH(kind = CURSOR_PAIRS, -EINVAL);
    WITH(size = SIZE + 1, -EINVAL);
    WITH(last = TNM_LAST_DROP, -EINVAL);
    WITH(form = TNM_ORDER_TIME, -EINVAL);
    WITH(timestep_us = 1, -EINVAL);
    WITH(next = N_BATCHES + 1, -EINVAL);
    WITH(seed = (uint64_t)UINT32_MAX + 1, -EINVAL);
    WITH(epoch = (uint64_t)UINT32_MAX + 1, -EINVAL);
    assert_int_equal(tnm_stream_seek(stream, NULL), -EINVAL);
    assert_int_equal(tnm_stream_seek(stream, "tnm1"), -EINVAL);
    expect_batch(0, 0); /* it stayed where it was */
    WITH(seed = SEED, 0);
    WITH(next = N_BATCHES, 0);
#undef WITH
    expect_end();
}

static void a_cursor_needs_room(void **state)
{
    (void)state;
    char text[TNM_CURSOR_SIZE] = "kept";
    assert_int_equal(tnm_stream_tell(stream, text, 8), -ENOBUFS);
    assert_string_equal(tnm_last_error(), "a cursor needs 512 bytes");
    assert_string_equal(text, "kept");
}

static void a_stride_leaves_out_what_others_take(void **state)
{
    (void)state;
    assert_int_equal(tnm_stream_stride(stream, 1, 3), 0);
    unsigned before = fake.started;
    expect_batch(1, 0);
    expect_batch(4, 0);
    expect_batch(7, 0);
    expect_end();
    assert_int_equal(fake.started - before, 3); /* nothing else is fetched */
    assert_int_equal(tnm_stream_set_epoch(stream, 1), 0);
    expect_batch(0, 1);
    expect_batch(3, 1); /* a step stays */
    assert_int_equal(tnm_stream_stride(stream, 0, 1), 0);
    expect_batch(6, 1);
    expect_batch(7, 1);
    expect_end();
}

static void strides_past_the_end_end_there(void **state)
{
    (void)state;
    assert_int_equal(tnm_stream_stride(stream, 0, 0), -EINVAL);
    static const uint64_t skips[] = {N_BATCHES, N_BATCHES + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof skips / sizeof *skips; i++) {
        assert_int_equal(tnm_stream_stride(stream, skips[i], 1), 0);
        expect_end();
        assert_int_equal(tnm_stream_set_epoch(stream, 0), 0);
    }
    assert_int_equal(tnm_stream_stride(stream, 7, UINT64_MAX), 0);
    expect_batch(7, 0);
    expect_end();
    assert_int_equal(tnm_stream_stride(stream, 0, 1), 0);
    expect_end();
}

static void pairs_have_no_epochs(void **state)
{
    (void)state;
    assert_int_equal(tnm_stream_set_epoch(stream, 1), -EINVAL);
    assert_string_equal(tnm_last_error(), "pairs have no epochs");
    assert_int_equal(tnm_stream_epoch(stream), 0);
}

/* ---- Opening ---- */

static void streams_that_cannot_be_are_not_opened(void **state)
{
    (void)state;
    tnm_stream *none = NULL;
    assert_int_equal(tnm_epoch_open(split, 1, 0, 0, 0, 1, 0, 1, &none), -EINVAL);
    assert_int_equal(tnm_epoch_open(split, 1, 0, 4, 1, 1, 0, 1, &none), -EINVAL);
    assert_int_equal(tnm_epoch_open(split, 1, 0, 4, 0, 1, 3, 1, &none), -EINVAL);
    assert_int_equal(tnm_epoch_open(split, 1, 0, 4, 0, 1, 0, 0, &none), -EINVAL);
    assert_int_equal(tnm_epoch_open(split, 1, 0, 4, 0, 1, 0, TNM_MAX_DEPTH + 1, &none), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "a depth of 1025"));
    assert_int_equal(tnm_pairs_open(split, 1, 6, 4, 0, 1, 1, &none), -EINVAL);
    assert_string_equal(tnm_last_error(), "start 6 is no multiple of size 4");
    assert_int_equal(tnm_pairs_open(NULL, 1, 0, 4, 0, 1, 1, &none), -EINVAL);
    assert_int_equal(tnm_stream_next(NULL, NULL), -EINVAL);
    assert_int_equal(tnm_stream_seek(NULL, ""), -EINVAL);
    assert_int_equal(tnm_stream_stride(NULL, 0, 1), -EINVAL);
    assert_int_equal(tnm_stream_set_epoch(NULL, 0), -EINVAL);
    assert_int_equal(tnm_stream_set_decoder(NULL, NULL), -EINVAL);
    assert_int_equal(tnm_stream_lend(NULL, NULL, 0), -EINVAL);
    assert_null(none);
}

int main(void)
{
#define EPOCH(name) cmocka_unit_test_setup_teardown(name, setup_epoch, teardown)
#define PAIRS(name) cmocka_unit_test_setup_teardown(name, setup_pairs, teardown)
#define SPLIT(name) cmocka_unit_test_setup_teardown(name, setup_split, teardown)
    const struct CMUnitTest tests[] = {
        EPOCH(an_epoch_s_batches_come_in_order_to_the_end),
        EPOCH(no_more_than_depth_are_asked_for_ahead),
        PAIRS(pairs_go_on_from_their_start),
        EPOCH(an_error_stays_until_a_seek),
        EPOCH(requests_that_do_not_start_are_an_error_of_the_stream),
        SPLIT(a_split_comes_in_stored_order),
        SPLIT(a_part_comes_as_given_or_shuffled),
        SPLIT(all_of_a_split_shuffled_is_an_epoch),
        SPLIT(ranks_share_a_part_to_its_last_batch),
        SPLIT(cursors_of_a_part_hold_for_it_alone),
        SPLIT(parts_that_cannot_be_are_not_opened),
        EPOCH(statistics_say_what_was_handed_over_and_waited_for),
        EPOCH(statistics_have_the_size_that_the_caller_knows),
        EPOCH(a_cancel_before_the_call_begins_to_wait_is_not_lost),
        EPOCH(a_cancelled_stream_goes_on_after_a_seek),
        EPOCH(a_cursor_leads_back_to_its_batch),
        PAIRS(a_cursor_of_pairs_counts_pairs),
        EPOCH(cursors_of_other_streams_are_refused),
        EPOCH(a_cursor_needs_room),
        EPOCH(a_stride_leaves_out_what_others_take),
        EPOCH(strides_past_the_end_end_there),
        PAIRS(pairs_have_no_epochs),
        SPLIT(streams_that_cannot_be_are_not_opened),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
