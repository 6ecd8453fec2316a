/* SPDX-License-Identifier: Apache-2.0
 * A stream: batches in order, fetched ahead. stream.c fetches them, stream_place.c says and changes
 * where the stream is. */
#pragma once

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
    int r; /* of an ended one */
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
    uint32_t *order; /* of the epoch; NULL for pairs */
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
    unsigned depth;
    struct slot slots[];
};

/* Go to batch `next`, with nothing under way. */
void stream_restart(tnm_stream *stream, uint64_t next);

/* Make this the seed and epoch of an epoch's stream. */
void stream_set_order(tnm_stream *stream, uint64_t seed, uint32_t epoch);
