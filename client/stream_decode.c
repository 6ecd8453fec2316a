/* SPDX-License-Identifier: Apache-2.0
 * Decoding the batches of a stream when they are near: what waits stays packed, which is a
 * hundredth of what frames become. */
#include <limits.h>
#include <stdlib.h>

#include "client/stream.h"

enum {
    WORTH_A_JOB =
        32768, /* events or places: some 100 us of decoding, against some 25 of handing over */
    WORTH_A_JOB_BYTES = 1 << 20, /* the same, of what they become */
};

/* Bytes that the batch becomes; where only decoding tells, as many as the largest until now. */
static size_t decoded_size(const tnm_stream *stream, const tnm_batch *batch)
{
    if (!decoder_knows_size(stream->decoder))
        return atomic_load(&stream->largest);
    return tnm_decoder_size(stream->decoder, tnm_batch_n_samples(batch), tnm_batch_n_events(batch));
}

/* ---- Under the client's lock ---- */

static bool take_lent(tnm_stream *stream, tnm_batch *batch, size_t size)
{
    for (struct lent **at = &stream->lent; *at; at = &(*at)->next)
        if ((*at)->size >= size) {
            struct lent *taken = *at;
            batch_set_lent(batch, taken->buffer, taken->size);
            *at = taken->next;
            free(taken);
            return true;
        }
    return false;
}

/* Memory for a batch, if it may have a block beside most_blocks - 1 others. */
static bool get_memory(tnm_stream *stream, tnm_batch *batch, unsigned most_blocks)
{
    size_t size = decoded_size(stream, batch);
    struct pool_block block;
    if (decoder_knows_size(stream->decoder) && take_lent(stream, batch, size))
        return true;
    if (pool_take_few(stream->pool, size, most_blocks, &block) < 0)
        return false;
    batch_set_block(batch, stream->pool, block);
    return true;
}

/* The nearest batch that is packed still and may be decoded, which is the caller's from now on. */
static struct slot *take_packed(tnm_stream *stream)
{
    for (uint64_t k = stream->next; k < stream->started; k = stream_following(stream, k)) {
        struct slot *slot = stream_slot(stream, k);
        if (slot->state != SLOT_ARRIVED)
            return NULL; /* what is nearer comes first */
        if (slot->decoding != DECODING_PACKED)
            continue;
        if (!get_memory(stream, slot->wish.batch, stream->most_blocks))
            return NULL;
        slot->decoding = DECODING_RUNS;
        return slot;
    }
    return NULL;
}

/* ---- Without it, in any thread ---- */

/* Under the lock, under which the caller counts blocks (stream_count_held()). */
static void lend(tnm_batch *batch, size_t size, void *user)
{
    tnm_stream *stream = user;
    tnm_client *client = stream->split->client;
    struct pool_block block;
    pthread_mutex_lock(&client->lock);
    if (!take_lent(stream, batch, size) && !(batch->decoded && size <= batch->room) &&
        pool_take(stream->pool, size, &block) == 0)
        batch_set_block(batch, stream->pool, block);
    pthread_mutex_unlock(&client->lock);
}

static int decode(tnm_stream *stream, tnm_batch *batch)
{
    uint64_t began_ns = stream_now_ns();
    int r = batch_decode(batch, stream->decoder, stream->pool, lend, stream);
    atomic_fetch_add(&stream->decoding_ns, stream_now_ns() - began_ns);
    if (r == 0 && batch->decoded_size > atomic_load(&stream->largest))
        atomic_store(&stream->largest, batch->decoded_size);
    return r;
}

/* ---- In the loop's thread, and on its worker pool ---- */

static void run(struct slot *slot)
{
    tnm_client *client = slot->stream->split->client;
    int r = decode(slot->stream, slot->wish.batch);
    pthread_mutex_lock(&client->lock);
    slot->decoding = r < 0 ? DECODING_LEFT : DECODING_DONE;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

static void run_job(struct loop_work *work)
{
    run(((struct job *)work)->slot);
}

static void end_job(struct loop_work *work)
{
    struct job *job = (struct job *)work;
    if (job->stream) {
        job->slot->job = NULL;
        stream_decode_near(job->stream);
    }
    free(job);
}

/* One that has run may not have ended yet when the slot gets another. */
static void forget_job(struct slot *slot)
{
    if (slot->job)
        slot->job->stream = NULL;
    slot->job = NULL;
}

/* Decode on the worker pool; or here, where handing it over costs as much. */
static void start(struct slot *slot)
{
    tnm_stream *stream = slot->stream;
    const tnm_batch *batch = slot->wish.batch;
    struct job *job = NULL;
    if (tnm_batch_n_events(batch) >= WORTH_A_JOB || batch->blob.n_places >= WORTH_A_JOB ||
        decoded_size(stream, batch) >= WORTH_A_JOB_BYTES)
        job = malloc(sizeof *job);
    if (job) {
        *job =
            (struct job){.work = {.run = run_job, .done = end_job}, .stream = stream, .slot = slot};
        forget_job(slot);
        slot->job = job;
        if (loop_work(stream->split->client->loop, &job->work) == 0)
            return;
        slot->job = NULL;
        free(job);
    }
    run(slot);
}

void stream_decode_near(tnm_stream *stream)
{
    tnm_client *client = stream->split->client;
    struct slot *slot = NULL;
    do {
        if (slot)
            start(slot);
        pthread_mutex_lock(&client->lock);
        slot = stream->decoder ? take_packed(stream) : NULL;
        pthread_mutex_unlock(&client->lock);
    } while (slot);
}

void stream_abandon_job(struct slot *slot)
{
    tnm_client *client = slot->stream->split->client;
    pthread_mutex_lock(&client->lock);
    while (slot->decoding == DECODING_RUNS)
        pthread_cond_wait(&client->changed, &client->lock);
    pthread_mutex_unlock(&client->lock);
    forget_job(slot);
}

/* ---- In the caller's thread ---- */

void stream_claim(struct slot *slot)
{
    tnm_stream *stream = slot->stream;
    tnm_batch *batch = slot->wish.batch;
    if (slot->state != SLOT_ARRIVED || slot->decoding == DECODING_DONE || !stream->decoder)
        return;
    slot->decoding = DECODING_CALLERS;
    if (!batch->decoded) /* before the one behind it may be decoded ahead */
        get_memory(stream, batch, UINT_MAX);
}

int stream_decode_claimed(struct slot *slot)
{
    return slot->decoding == DECODING_CALLERS ? decode(slot->stream, slot->wish.batch) : 0;
}

static bool has_block(const struct slot *slot)
{
    return slot->state == SLOT_ARRIVED && slot->decoding != DECODING_PACKED &&
           slot->wish.batch->pool;
}

void stream_count_held(tnm_stream *stream)
{
    tnm_client *client = stream->split->client;
    if (!stream->decoder)
        return;
    pthread_mutex_lock(&client->lock);
    unsigned held = pool_n_out(stream->pool);
    for (unsigned i = 0; i < stream->depth; i++)
        held -= has_block(&stream->slots[i]);
    stream->most_blocks = held + 1 > STREAM_BLOCKS ? held + 1 : STREAM_BLOCKS;
    pthread_mutex_unlock(&client->lock);
}
