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
#include "client/servers.h"

uint64_t stream_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct slot *stream_slot(tnm_stream *stream, uint64_t k)
{
    return &stream->slots[k / stream->step % stream->depth];
}

uint64_t stream_following(const tnm_stream *stream, uint64_t k)
{
    return stream->n_batches - k > stream->step ? k + stream->step : stream->n_batches;
}

/* ---- In the loop's thread ---- */

static void end_slot(struct slot *slot, int r, const struct error *why)
{
    tnm_client *client = slot->stream->split->client;
    pthread_mutex_lock(&client->lock);
    slot->request = NULL;
    slot->r = r;
    if (r < 0)
        slot->why = *why;
    slot->state = r < 0 ? SLOT_FAILED : SLOT_ARRIVED;
    slot->decoding = DECODING_PACKED;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
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
    static const struct error no_memory = {.text = "no memory for a batch"};
    const struct wish *wish = user;
    struct slot *slot = wish->owner;
    slot->arrived_ns = stream_now_ns();
    count_under_way(slot->stream, -1);
    if (r == 0) {
        slot->wish.batch->server = strdup(server);
        r = slot->wish.batch->server ? 0 : -ENOMEM;
        why = &no_memory;
    }
    end_slot(slot, r, why);
    stream_decode_near(slot->stream);
}

static int fill_fetch(tnm_stream *stream, uint64_t k, struct wish *ret)
{
    if (stream->kind == CURSOR_PAIRS)
        return wish_pairs(stream->split, stream->form, stream->seed, &stream->share, k, ret);
    if (stream->kind == CURSOR_EPOCH || stream->kind == CURSOR_VIEW)
        return wish_epoch(stream->split, stream->view, stream->form, (uint32_t)stream->seed,
                          stream->epoch, stream->order, &stream->share, k, ret);
    return wish_list(stream->split, stream->form, stream->order, stream->n_order, &stream->share, k,
                     ret);
}

static void start_slot(struct slot *slot, uint64_t k)
{
    tnm_stream *stream = slot->stream;
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
    else
        end_slot(slot, r, &(struct error){.text = "no memory for a request"});
}

/* The number of a batch that is to be asked for, and has its slot now; under the lock. */
static bool take_empty(tnm_stream *stream, uint64_t *ret)
{
    if (stream->asks_again) {
        stream->asks_again = false;
        *ret = stream->next;
    } else if (stream->started < stream->n_batches &&
               (stream->started - stream->next) / stream->step < stream->depth) {
        *ret = stream->started;
        stream->started = stream_following(stream, stream->started);
    } else {
        return false;
    }
    stream_slot(stream, *ret)->state = SLOT_UNDER_WAY;
    return true;
}

void stream_go_on(void *user)
{
    tnm_stream *stream = user;
    tnm_client *client = stream->split->client;
    uint64_t k = 0;
    bool found = false;
    do {
        if (found)
            start_slot(stream_slot(stream, k), k);
        pthread_mutex_lock(&client->lock);
        found = stream->is_begun && take_empty(stream, &k);
        pthread_mutex_unlock(&client->lock);
    } while (found);
    stream_decode_near(stream);
}

static void stop_all(void *user)
{
    tnm_stream *stream = user;
    for (unsigned i = 0; i < stream->depth; i++) {
        struct slot *slot = &stream->slots[i];
        if (slot->request)
            count_under_way(stream, -1);
        request_cancel(slot->request);
        slot->request = NULL;
        stream_abandon_job(slot);
        wish_clear(&slot->wish);
        slot->state = SLOT_EMPTY;
    }
}

static void stop_and_free(void *user)
{
    tnm_stream *stream = user;
    stop_all(stream);
    loop_alarm_free(stream->alarm);
}

/* ---- In the caller's thread ---- */

void stream_restart(tnm_stream *stream, uint64_t next)
{
    tnm_client *client = stream->split->client;
    pthread_mutex_lock(&client->lock);
    stream->is_begun = false; /* nothing is started behind our back */
    pthread_mutex_unlock(&client->lock);
    loop_call(client->loop, stop_all, stream);
    pthread_mutex_lock(&client->lock);
    stream->next = stream->started = next;
    stream->asks_again = false;
    stream->cancelled = false;
    pthread_mutex_unlock(&client->lock);
    stream->has_failed = false;
    stream->given_at_ns = 0;
}

void tnm_stream_close(tnm_stream *stream)
{
    if (!stream || !client_is_ours(stream->split->client))
        return;
    if (stream->pool)
        pool_tell(stream->pool, NULL, NULL);
    loop_call(stream->split->client->loop, stop_and_free, stream);
    while (stream->lent) {
        struct lent *lent = stream->lent;
        stream->lent = lent->next;
        free(lent);
    }
    pool_unref(stream->pool);
    view_unref(stream->view);
    split_unref(stream->split);
    free(stream->order);
    free(stream->part);
    free(stream);
}

static bool is_ready(const void *user)
{
    tnm_stream *stream = (tnm_stream *)user;
    const struct slot *slot = stream_slot(stream, stream->next);
    return stream->cancelled || slot->state == SLOT_FAILED ||
           (slot->state == SLOT_ARRIVED && slot->decoding != DECODING_RUNS);
}

static const struct request *request_of(const void *user)
{
    tnm_stream *stream = (tnm_stream *)user;
    return stream_slot(stream, stream->next)->request;
}

/* Until batch `next` is the caller's, or cannot be had. */
static int wait_for_next(tnm_stream *stream)
{
    tnm_client *client = stream->split->client;
    struct client_waited what = {is_ready, request_of, stream, client_cancels(client)};
    pthread_mutex_lock(&client->lock);
    bool rings = !stream->is_begun || stream->has_failed;
    stream->asks_again = stream->has_failed;
    if (stream->has_failed)
        stream_slot(stream, stream->next)->state = SLOT_EMPTY;
    stream->has_failed = false;
    stream->is_begun = true;
    if (rings)
        loop_alarm_ring(stream->alarm);
    int r = client_wait(client, &what);
    bool cancelled = stream->cancelled;
    if (r == 0 && !cancelled)
        stream_claim(stream_slot(stream, stream->next));
    pthread_mutex_unlock(&client->lock);
    if (r == 0 && cancelled)
        r = failure_set(-ECANCELED, "the stream was cancelled");
    return r;
}

/* Note how long the caller waited in this call, and for what. */
static void note_waiting(tnm_stream *stream, uint64_t began_ns, uint64_t arrived_ns)
{
    uint64_t now = stream_now_ns();
    stream->waited_ns += now - began_ns;
    if (arrived_ns > began_ns)
        stream->waited_network_ns += (arrived_ns < now ? arrived_ns : now) - began_ns;
}

/* Take the batch off its slot, which is free for another one. */
static tnm_batch *take_batch(tnm_stream *stream, struct slot *slot)
{
    tnm_client *client = stream->split->client;
    tnm_batch *batch = slot->wish.batch;
    slot->wish.batch = NULL;
    wish_clear(&slot->wish);
    pthread_mutex_lock(&client->lock);
    slot->state = SLOT_EMPTY;
    stream->next = stream_following(stream, stream->next);
    pthread_mutex_unlock(&client->lock);
    loop_alarm_ring(stream->alarm);
    return batch;
}

/* It is asked for once more by the next call. */
static void drop_failed(tnm_stream *stream, struct slot *slot)
{
    tnm_client *client = stream->split->client;
    pthread_mutex_lock(&client->lock);
    slot->state = SLOT_FAILED;
    pthread_mutex_unlock(&client->lock);
    wish_clear(&slot->wish);
    stream->has_failed = true;
}

/* The batch `next`, decoded. */
static int get_next(tnm_stream *stream, uint64_t began_ns, tnm_batch **ret)
{
    stream_count_held(stream);
    int r = wait_for_next(stream);
    if (r < 0)
        return r;
    struct slot *slot = stream_slot(stream, stream->next);
    r = slot->state == SLOT_FAILED ? failure_keep(slot->r, &slot->why)
                                   : stream_decode_claimed(slot);
    note_waiting(stream, began_ns, slot->arrived_ns);
    if (r < 0)
        drop_failed(stream, slot);
    else
        *ret = take_batch(stream, slot);
    return r;
}

int tnm_stream_next(tnm_stream *stream, tnm_batch **ret)
{
    tnm_batch *batch = NULL;
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    uint64_t began_ns = stream_now_ns();
    if (stream->given_at_ns)
        stream->consumer_ns += began_ns - stream->given_at_ns;
    stream->given_at_ns = 0;
    if (stream->next == stream->n_batches)
        return 0;
    r = get_next(stream, began_ns, &batch);
    if (r < 0)
        return r;
    stream->n_given++;
    stream->n_samples += tnm_batch_n_samples(batch);
    stream->given_at_ns = stream_now_ns();
    *ret = batch;
    return 1;
}

/* Whether what is to be had as places, too, is to come so: as asked for; else where that is less to
 * send, to a server that is elsewhere. */
static const struct rule *wanted_rule(const tnm_stream *stream, const tnm_decoder *decoder)
{
    const tnm_split *split = stream->split;
    const tnm_client *client = split->client;
    uint64_t n_events = split->n_samples ? split->n_events / split->n_samples : 0;
    if (stream->kind == CURSOR_PAIRS)
        n_events *= 2;
    switch (client->options->wire) {
    case OPTION_WIRE_EVENTS:
        return NULL;
    case OPTION_WIRE_SPARSE:
        return decoder_wire_rule(decoder, n_events, true);
    default:
        return servers_are_local(client->servers) ? NULL
                                                  : decoder_wire_rule(decoder, n_events, false);
    }
}

/* The rule by which to ask for places; NULL: events it is. Servers round no times of what they cut
 * by times, and filter once: where samples are to be had so we cut them ourselves. */
static const struct rule *stream_wire_rule(const tnm_stream *stream, const tnm_decoder *decoder)
{
    const struct rule *rule = wanted_rule(stream, decoder);
    bool filters_twice = rule && rule_has_filters(rule) && rule_has_filters(&stream->form.filters);
    return filters_twice || stream->form.timestep_us ? NULL : rule;
}

int tnm_stream_set_decoder(tnm_stream *stream, const tnm_decoder *decoder)
{
    int r = split_check(stream ? stream->split : NULL);
    if (r < 0)
        return r;
    if (stream->is_begun)
        return failure_set(-EINVAL, "batches are under way; a decoder is set before the first one");
    tnm_client *client = stream->split->client;
    pthread_mutex_lock(&client->lock);
    stream->decoder = decoder;
    stream->form.frames = stream_wire_rule(stream, decoder);
    pthread_mutex_unlock(&client->lock);
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
    loop_alarm_ring(stream->alarm);
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
