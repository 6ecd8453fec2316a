/* SPDX-License-Identifier: Apache-2.0
 * A stream: batches in order, fetched ahead. stream_open.c makes a stream, stream.c fetches them,
 * stream_place.c says and changes where the stream is, stream_stats.c what it has cost. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/cursor.h"
#include "client/loop.h"
#include "client/pool.h"
#include "client/split.h"
#include "client/wish.h"

enum slot_state { SLOT_EMPTY, SLOT_UNDER_WAY, SLOT_ENDED };

/* A batch that is being decoded. */
struct job {
    struct loop_work work; /* first */
    tnm_stream *stream;
    struct slot *slot; /* loop thread; NULL once nobody waits for it */
    int r;
    bool has_run; /* under the client's lock */
};

struct slot {
    tnm_stream *stream;
    enum slot_state state;
    struct wish wish;
    struct request *request; /* loop thread, like `job` */
    struct job *job;
    uint64_t arrived_ns; /* the answer, or why there is none */
    int r;               /* of an ended one */
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
    struct form form;
    enum cursor_kind kind;
    uint64_t seed;
    uint32_t epoch;
    uint32_t *order;            /* samples as they come in this epoch, [n_order]; NULL for pairs */
    uint32_t *part;             /* samples to be shuffled, [n_order]; NULL: those of the split */
    uint64_t n_order, part_key; /* see client/cursor.h */
    struct wish_share share;
    uint64_t n_batches;
    uint64_t next;    /* batch that is handed over next */
    uint64_t started; /* every step'th batch of next..started has a slot */
    uint64_t step;
    bool asks_again; /* for batch `next`, which could not be had */
    bool cancelled;  /* under the client's lock */
    const tnm_decoder *decoder;
    struct lent *lent; /* under the client's lock */
    struct pool *pool;

    /* What became of all this, for tnm_stream_stats(). The loop thread's: */
    struct request_tally tally;
    unsigned n_under_way; /* requests */
    uint64_t network_ns, network_since_ns;
    atomic_uint_least64_t decoding_ns;
    /* The caller's: */
    uint64_t n_given, n_samples, waited_ns, waited_network_ns, consumer_ns;
    uint64_t given_at_ns; /* when the last batch was handed over; 0: none since a start anew */

    unsigned depth;
    struct slot slots[];
};

enum { SPARE_BLOCKS = 2 }; /* for batches that the caller has at once */

/* CLOCK_MONOTONIC. */
uint64_t stream_now_ns(void);

/* Go to batch `next`, with nothing under way. */
void stream_restart(tnm_stream *stream, uint64_t next);

/* Make this the seed and epoch of an epoch's stream, or of one over a part. */
void stream_set_order(tnm_stream *stream, uint64_t seed, uint32_t epoch);
