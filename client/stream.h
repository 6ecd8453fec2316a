/* SPDX-License-Identifier: Apache-2.0
 * A stream: batches in order, fetched ahead. stream_open.c makes a stream, stream.c fetches them,
 * stream_decode.c decodes them, stream_place.c says and changes where the stream is, stream_stats.c
 * what it has cost. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/cursor.h"
#include "client/decoder.h"
#include "client/loop.h"
#include "client/pool.h"
#include "client/split.h"
#include "client/wish.h"

enum slot_state { SLOT_EMPTY, SLOT_UNDER_WAY, SLOT_ARRIVED, SLOT_FAILED };

/* Of an arrived batch: PACKED ones are decoded when they are near; LEFT ones could not be, and the
 * caller learns why when it tries; CALLERS are what it takes packed or left, which nobody else
 * touches. */
enum decoding { DECODING_PACKED, DECODING_RUNS, DECODING_DONE, DECODING_LEFT, DECODING_CALLERS };

/* A batch that is being decoded. */
struct job {
    struct loop_work work; /* first */
    tnm_stream *stream;    /* NULL once nobody waits for it; loop thread */
    struct slot *slot;
};

struct slot {
    tnm_stream *stream;
    enum slot_state state;  /* under the client's lock */
    enum decoding decoding; /* the same */
    struct wish wish;
    struct request *request; /* loop thread, like `job` */
    struct job *job;
    uint64_t arrived_ns; /* the answer, or why there is none */
    int r;               /* of a failed one */
    struct error why;
};

/* A buffer that the caller lent, until a batch takes it. */
struct lent {
    struct lent *next;
    void *buffer;
    size_t size;
};

struct tnm_stream {
    tnm_split *split;
    tnm_view *view; /* or NULL */
    struct form form;
    enum cursor_kind kind;
    uint64_t seed;
    uint32_t epoch;
    uint32_t *order;            /* samples as they come in this epoch, [n_order]; NULL for pairs */
    uint32_t *part;             /* samples to be shuffled, [n_order]; NULL: those of the split */
    uint64_t n_order, part_key; /* see client/cursor.h */
    struct wish_share share;
    uint64_t n_batches;
    uint64_t step;
    const tnm_decoder *decoder;
    struct pool *pool;
    struct loop_alarm *alarm; /* stream_go_on(), which it calls in the loop's thread */
    bool has_failed;          /* the caller's: it was told that batch `next` cannot be had */

    /* Under the client's lock: */
    uint64_t next;    /* batch that is handed over next; the caller alone changes it */
    uint64_t started; /* every step'th batch of next..started has a slot */
    bool is_begun;    /* batches are asked for */
    bool asks_again;  /* for batch `next`, which could not be had */
    bool cancelled;
    struct lent *lent;
    unsigned most_blocks; /* that may be out of the pool for what is decoded ahead */

    /* What became of all this, for tnm_stream_stats(). The loop thread's: */
    struct request_tally tally;
    unsigned n_under_way; /* requests */
    uint64_t network_ns, network_since_ns;
    atomic_uint_least64_t decoding_ns;
    atomic_size_t largest; /* bytes that a batch became */
    /* The caller's: */
    uint64_t n_given, n_samples, waited_ns, waited_network_ns, consumer_ns;
    uint64_t given_at_ns; /* when the last batch was handed over; 0: none since a start anew */

    unsigned depth;
    struct slot slots[];
};

/* Decoded batches at once: the caller's and the one after it. */
enum { STREAM_BLOCKS = 2 };

/* CLOCK_MONOTONIC. */
uint64_t stream_now_ns(void);

/* Ask for what can be asked for, and decode what is near. Loop thread; `user` is the stream. */
void stream_go_on(void *user);

/* The slot of batch k, and the batch after it; at the end n_batches, however long the step is. */
struct slot *stream_slot(tnm_stream *stream, uint64_t k);
uint64_t stream_following(const tnm_stream *stream, uint64_t k);

/* stream_decode.c: begin to decode what is near, in order, as long as what is decoded is few or
 * little; wait for the slot's job to be over, and forget it. Loop thread. */
void stream_decode_near(tnm_stream *stream);
void stream_abandon_job(struct slot *slot);

/* In the caller's thread: make what has arrived its own, under the lock under which that was seen;
 * then, without it, decode what nobody has. Errors, kept as the last error: those of
 * batch_decode(). */
void stream_claim(struct slot *slot);
int stream_decode_claimed(struct slot *slot);

/* Note how many batches the caller has, before it gets one more. */
void stream_count_held(tnm_stream *stream);

/* Go to batch `next`, with nothing under way. */
void stream_restart(tnm_stream *stream, uint64_t next);

/* Make this the seed and epoch of an epoch's stream, or of one over a part. */
void stream_set_order(tnm_stream *stream, uint64_t seed, uint32_t epoch);
