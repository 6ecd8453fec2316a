/* SPDX-License-Identifier: Apache-2.0
 * Batches in order, fetched ahead: a ring of slots, each with one request or its answer.
 *
 * Slots belong to the loop's thread while a request is under way, and to the caller when it has
 * ended; `state` is under the client's lock. Decoding runs on the loop's worker pool. */
#include "client/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/failure.h"

enum {
    WORTH_A_JOB = 32768, /* events: some 100 us of decoding, against some 25 of handing over */
};

uint64_t stream_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct slot *slot_of(tnm_stream *stream, uint64_t k)
{
    return &stream->slots[k / stream->step % stream->depth];
}

/* ---- In the loop's thread ---- */

static void *take_lent(tnm_stream *stream, size_t size, size_t *ret_size)
{
    tnm_client *client = stream->split->client;
    void *buffer = NULL;
    *ret_size = 0;
    pthread_mutex_lock(&client->lock);
    for (struct lent **at = &stream->lent; *at; at = &(*at)->next)
        if ((*at)->size >= size) {
            struct lent *taken = *at;
            buffer = taken->buffer;
            *ret_size = taken->size;
            *at = taken->next;
            free(taken);
            break;
        }
    pthread_mutex_unlock(&client->lock);
    return buffer;
}

static int decode(tnm_stream *stream, tnm_batch *batch)
{
    uint64_t began_ns = stream_now_ns();
    size_t lent_size, size = tnm_decoder_size(stream->decoder, tnm_batch_n_samples(batch),
                                              tnm_batch_n_events(batch));
    void *lent = take_lent(stream, size, &lent_size);
    int r = batch_decode(batch, stream->decoder, stream->pool, lent, lent_size);
    atomic_fetch_add(&stream->decoding_ns, stream_now_ns() - began_ns);
    return r;
}

static void end_slot(struct slot *slot, int r, const struct error *why)
{
    tnm_client *client = slot->stream->split->client;
    pthread_mutex_lock(&client->lock);
    slot->request = NULL;
    slot->r = r;
    if (r < 0)
        slot->why = *why;
    slot->state = SLOT_ENDED;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

static const struct error no_memory = {.text = "no memory for a batch"};

static void run_job(struct loop_work *work)
{
    struct job *job = (struct job *)work;
    tnm_client *client = job->stream->split->client;
    job->r = decode(job->stream, job->slot->wish.batch);
    pthread_mutex_lock(&client->lock);
    job->has_run = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

static void end_job(struct loop_work *work)
{
    struct job *job = (struct job *)work;
    if (job->slot) {
        job->slot->job = NULL;
        end_slot(job->slot, job->r, &no_memory);
    }
    free(job);
}

/* Decode in the background; or here, where handing it over costs as much. */
static void start_decoding(struct slot *slot)
{
    tnm_stream *stream = slot->stream;
    tnm_batch *batch = slot->wish.batch;
    struct job *job = NULL;
    if (tnm_batch_n_events(batch) >= WORTH_A_JOB)
        job = malloc(sizeof *job);
    if (job) {
        *job =
            (struct job){.work = {.run = run_job, .done = end_job}, .stream = stream, .slot = slot};
        slot->job = job;
        if (loop_work(stream->split->client->loop, &job->work) == 0)
            return;
        slot->job = NULL;
        free(job);
    }
    end_slot(slot, decode(stream, batch), &no_memory);
}

/* Wait for the slot's decoder, and tell it that nobody else does. */
static void abandon_job(struct slot *slot)
{
    tnm_client *client = slot->stream->split->client;
    struct job *job = slot->job;
    if (!job)
        return;
    pthread_mutex_lock(&client->lock);
    while (!job->has_run)
        pthread_cond_wait(&client->changed, &client->lock);
    pthread_mutex_unlock(&client->lock);
    job->slot = NULL;
    slot->job = NULL;
}

static void count_under_way(tnm_stream *stream, int more)
{
    uint64_t now = stream_now_ns();
    if (stream->n_under_way > 0)
        stream->network_ns += now - stream->network_since_ns;
    stream->network_since_ns = now;
    stream->n_under_way += (unsigned)more;
}

static void on_done(void *user, int r, const char *server, const struct error *why)
{
    const struct wish *wish = user;
    struct slot *slot = wish->owner;
    slot->request = NULL;
    slot->arrived_ns = stream_now_ns();
    count_under_way(slot->stream, -1);
    if (r == 0) {
        slot->wish.batch->server = strdup(server);
        r = slot->wish.batch->server ? 0 : -ENOMEM;
        why = &no_memory;
    }
    if (r == 0 && slot->stream->decoder)
        start_decoding(slot);
    else
        end_slot(slot, r, why);
}

static int fill_fetch(tnm_stream *stream, uint64_t k, struct wish *ret)
{
    if (stream->kind == CURSOR_PAIRS)
        return wish_pairs(stream->split, stream->form, stream->seed, &stream->share, k, ret);
    if (stream->kind == CURSOR_EPOCH)
        return wish_epoch(stream->split, stream->form, (uint32_t)stream->seed, stream->epoch,
                          stream->order, &stream->share, k, ret);
    return wish_list(stream->split, stream->form, stream->order, stream->n_order, &stream->share, k,
                     ret);
}

static void start_slot(tnm_stream *stream, uint64_t k)
{
    struct slot *slot = slot_of(stream, k);
    slot->state = SLOT_UNDER_WAY;
    int r = fill_fetch(stream, k, &slot->wish);
    if (r == 0) {
        struct request_ask ask = wish_ask(&slot->wish);
        ask.done = on_done;
        ask.patience_ms = stream->split->client->options->patience_s * 1000;
        ask.tally = &stream->tally;
        slot->wish.owner = slot;
        r = request_start(stream->split->client->requests, &ask, &slot->request);
    }
    if (r == 0)
        count_under_way(stream, 1);
    if (r < 0)
        end_slot(slot, r, &(struct error){.text = "no memory for a request"});
}

/* The batch after batch k; at the end n_batches, however long the step is. */
static uint64_t following(const tnm_stream *stream, uint64_t k)
{
    return stream->n_batches - k > stream->step ? k + stream->step : stream->n_batches;
}

static void start_ahead(void *user)
{
    tnm_stream *stream = user;
    while (stream->started < stream->n_batches &&
           (stream->started - stream->next) / stream->step < stream->depth) {
        start_slot(stream, stream->started);
        stream->started = following(stream, stream->started);
    }
}

/* Ask once more for the next batch, which could not be had. */
static void ask_again(void *user)
{
    tnm_stream *stream = user;
    stream->asks_again = false;
    start_slot(stream, stream->next);
}

static void stop_all(void *user)
{
    tnm_stream *stream = user;
    for (unsigned i = 0; i < stream->depth; i++) {
        if (stream->slots[i].request)
            count_under_way(stream, -1);
        request_cancel(stream->slots[i].request);
        stream->slots[i].request = NULL;
        abandon_job(&stream->slots[i]);
        wish_clear(&stream->slots[i].wish);
        stream->slots[i].state = SLOT_EMPTY;
    }
}

/* ---- In the caller's thread ---- */

void stream_restart(tnm_stream *stream, uint64_t next)
{
    tnm_client *client = stream->split->client;
    loop_call(client->loop, stop_all, stream);
    stream->next = stream->started = next;
    stream->asks_again = false;
    stream->given_at_ns = 0;
    pthread_mutex_lock(&client->lock);
    stream->cancelled = false;
    pthread_mutex_unlock(&client->lock);
}

void tnm_stream_close(tnm_stream *stream)
{
    if (!stream || !client_is_ours(stream->split->client))
        return;
    loop_call(stream->split->client->loop, stop_all, stream);
    while (stream->lent) {
        struct lent *lent = stream->lent;
        stream->lent = lent->next;
        free(lent);
    }
    pool_unref(stream->pool);
    split_unref(stream->split);
    free(stream->order);
    free(stream->part);
    free(stream);
}

static bool is_ready(const void *user)
{
    const tnm_stream *stream = user;
    return stream->cancelled ||
           stream->slots[stream->next / stream->step % stream->depth].state == SLOT_ENDED;
}

static const struct request *request_of(const void *user)
{
    const tnm_stream *stream = user;
    return stream->slots[stream->next / stream->step % stream->depth].request;
}

static int wait_for_next(tnm_stream *stream, uint64_t n_cancels)
{
    tnm_client *client = stream->split->client;
    const struct client_waited what = {is_ready, request_of, stream, n_cancels};
    pthread_mutex_lock(&client->lock);
    int r = client_wait(client, &what);
    bool cancelled = stream->cancelled;
    pthread_mutex_unlock(&client->lock);
    if (r == 0 && cancelled)
        r = failure_set(-ECANCELED, "the stream was cancelled");
    return r;
}

/* Note how long the caller waited in this call, and for what. */
static void note_waiting(tnm_stream *stream, uint64_t began_ns)
{
    uint64_t now = stream_now_ns(), arrived = slot_of(stream, stream->next)->arrived_ns;
    stream->waited_ns += now - began_ns;
    if (arrived > began_ns)
        stream->waited_network_ns += (arrived < now ? arrived : now) - began_ns;
}

/* Wait for the batch `next`, and take it off its slot. */
static int take_next(tnm_stream *stream, uint64_t began_ns, tnm_batch **ret)
{
    uint64_t n_cancels = client_cancels(stream->split->client);
    if (stream->asks_again)
        loop_call(stream->split->client->loop, ask_again, stream);
    else if (stream->started == stream->next)
        loop_call(stream->split->client->loop, start_ahead, stream);
    int r = wait_for_next(stream, n_cancels);
    if (r < 0)
        return r;
    struct slot *slot = slot_of(stream, stream->next);
    note_waiting(stream, began_ns);
    if (slot->r < 0) {
        r = failure_keep(slot->r, &slot->why);
        wish_clear(&slot->wish);
        stream->asks_again = true;
        return r;
    }
    *ret = slot->wish.batch;
    slot->wish.batch = NULL;
    wish_clear(&slot->wish);
    slot->state = SLOT_EMPTY;
    return 0;
}

int tnm_stream_next(tnm_stream *stream, tnm_batch **ret)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    uint64_t began_ns = stream_now_ns();
    if (stream->given_at_ns)
        stream->consumer_ns += began_ns - stream->given_at_ns;
    stream->given_at_ns = 0;
    if (stream->next == stream->n_batches)
        return 0;
    tnm_batch *batch = NULL;
    r = take_next(stream, began_ns, &batch);
    if (r < 0)
        return r;
    stream->next = following(stream, stream->next);
    loop_call(stream->split->client->loop, start_ahead, stream);
    stream->n_given++;
    stream->n_samples += tnm_batch_n_samples(batch);
    stream->given_at_ns = stream_now_ns();
    *ret = batch;
    return 1;
}

int tnm_stream_set_decoder(tnm_stream *stream, const tnm_decoder *decoder)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    if (stream->started != stream->next)
        return failure_set(-EINVAL, "batches are under way; a decoder is set before the first one");
    stream->decoder = decoder;
    return 0;
}

int tnm_stream_lend(tnm_stream *stream, void *buffer, size_t size)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    struct lent *lent = malloc(sizeof *lent);
    if (!lent)
        return failure_set(-ENOMEM, "no memory to note a buffer");
    tnm_client *client = stream->split->client;
    pthread_mutex_lock(&client->lock);
    *lent = (struct lent){.next = stream->lent, .buffer = buffer, .size = size};
    stream->lent = lent;
    pthread_mutex_unlock(&client->lock);
    return 0;
}

void tnm_stream_cancel(tnm_stream *stream)
{
    if (!stream || !client_is_ours(stream->split->client))
        return;
    tnm_client *client = stream->split->client;
    pthread_mutex_lock(&client->lock);
    stream->cancelled = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}
