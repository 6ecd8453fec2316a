/* SPDX-License-Identifier: Apache-2.0
 * The attempts of one request: servers that are asked, and others beside those that are slow. */
#include "client/request_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HEDGE_TIMES = 3,         /* of what other servers usually take */
    HEDGE_LEAST_MS = 200,    /* a daemon may be slow for once */
    HEDGE_UNKNOWN_MS = 1000, /* as long as no other server has answered */
    HEDGE_SLOWER = 8,        /* times slower than what others send is too slow, */
    HEDGE_SLOW_MS = 1000,    /* once it has had so long */
};

struct server *attempt_server(const struct attempt *attempt)
{
    return &attempt->request->all->servers->list[attempt->server];
}

bool attempt_is_of_gone(const struct attempt *attempt)
{
    return attempt->life != attempt_server(attempt)->life;
}

const char *attempt_label(const struct attempt *attempt)
{
    return attempt_is_of_gone(attempt) ? attempt->name : attempt_server(attempt)->label;
}

struct request_tally *request_tally(struct request *request)
{
    return request->ask.tally ? request->ask.tally : &request->own_tally;
}

/* ---- Beginning and ending ---- */

void attempt_end(struct attempt *attempt)
{
    bool is_of_gone = attempt_is_of_gone(attempt), is_probe = attempt->is_probe;
    if (attempt->transfer) {
        request_tally(attempt->request)->bytes += transfer_received(attempt->transfer);
        attempt_server(attempt)->n_under_way -= !is_of_gone;
    }
    attempt->transfer = NULL;
    attempt->is_probe = false;
    if (!is_probe || is_of_gone)
        return;
    attempt_server(attempt)->is_probed = false;
    requests_wake_all(attempt->request->all);
}

void attempt_stop(struct attempt *attempt)
{
    struct transfer *transfer = attempt->transfer;
    if (!transfer)
        return;
    attempt_end(attempt); /* while it can still be asked */
    transfer_cancel(transfer);
}

void attempt_was_silent(const struct attempt *attempt, const char *what, const char *others)
{
    char reason[SERVER_REASON_MAX];
    uint64_t waited_ms = loop_now_ms(attempt->request->all->loop) - attempt->sent_ms;
    snprintf(reason, sizeof reason, "no %s within %" PRIu64 " ms, when others %s", what, waited_ms,
             others);
    requests_note_failure(
        attempt->request->all, attempt->server,
        (struct server_failure){
            .number = attempt->number, .is_silent = true, .error = -ETIMEDOUT, .reason = reason});
}

/* NULL: as many are under way as there may be. */
static struct attempt *idle_attempt(struct request *request)
{
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (!request->attempts[i].transfer)
            return &request->attempts[i];
    return NULL;
}

static uint64_t hedge_after_ms(const struct request *request, size_t s)
{
    double typical = servers_typical_ms(request->all->servers, s);
    uint64_t after = typical > 0 ? (uint64_t)(typical * HEDGE_TIMES) : HEDGE_UNKNOWN_MS;
    return after > HEDGE_LEAST_MS ? after : HEDGE_LEAST_MS;
}

/* Server s is asked: see what has become of it once others would usually have answered. */
static void look_in_time(struct request *request, size_t s)
{
    if (request->all->servers->n_most > 1) /* there can be another to ask */
        loop_timer_start(request->timer, hedge_after_ms(request, s));
}

int attempt_start(struct request *request, size_t s, bool is_hedge)
{
    struct requests *all = request->all;
    struct server *server = &all->servers->list[s];
    struct attempt *attempt = idle_attempt(request);
    char *url;
    if (asprintf(&url, "%s%s", server->base, request->ask.path) < 0)
        return -ENOMEM;
    *attempt = (struct attempt){.request = request,
                                .server = s,
                                .life = server->life,
                                .name = server->name,
                                .number = ++all->n_sent,
                                .sent_ms = loop_now_ms(all->loop),
                                .is_probe = server->failures > 0};
    const struct transfer_ask ask = {.url = url,
                                     .unix_socket = server->socket,
                                     .address = server->address,
                                     .post = request->ask.post,
                                     .max_bytes = request->ask.max_bytes,
                                     .part_begin = request->ask.part_begin,
                                     .part_size = request->ask.part_size,
                                     .is_urgent = is_hedge,
                                     .is_fresh = request->was_damaged};
    int r = transfer_start(all->transfers, &ask, attempt_ended, attempt, &attempt->transfer);
    free(url);
    if (r < 0)
        return r;
    request_tally(request)->requests++;
    request_tally(request)->hedges += is_hedge;
    server->n_under_way++;
    if (attempt->is_probe)
        server->is_probed = true;
    look_in_time(request, s);
    return 0;
}

/* ---- Others beside the slow ones ---- */

/* Does the answer arrive, but at a small part of the rate at which others send theirs? */
static bool trickles(const struct attempt *attempt, uint64_t now_ms, uint64_t received)
{
    double typical = servers_typical_rate(attempt->request->all->servers, attempt->server);
    uint64_t took_ms = now_ms - attempt->sent_ms;
    return took_ms >= HEDGE_SLOW_MS && (double)received * HEDGE_SLOWER < typical * (double)took_ms;
}

/* Is more there than when it was looked at last, and not at a trickle? */
static bool gets_on(struct attempt *attempt, uint64_t now_ms)
{
    uint64_t before = attempt->received;
    attempt->received = transfer_received(attempt->transfer);
    if (transfer_has_begun(attempt->transfer))
        return attempt->received != before && !trickles(attempt, now_ms, attempt->received);
    attempt->sent_ms = now_ms; /* it waits for its turn with us */
    return true;
}

static bool any_gets_on(struct request *request, uint64_t now_ms)
{
    bool any = false;
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (request->attempts[i].transfer && gets_on(&request->attempts[i], now_ms))
            any = true;
    return any;
}

/* Of those that have not even a connection the one that was sent first: as little is lost by
 * leaving it. */
static struct attempt *oldest_unconnected(struct request *request)
{
    struct attempt *oldest = NULL;
    for (int i = 0; i < N_ATTEMPTS; i++) {
        struct attempt *attempt = &request->attempts[i];
        if (attempt->transfer && !transfer_is_connected(attempt->transfer) &&
            (!oldest || attempt->number < oldest->number))
            oldest = attempt;
    }
    return oldest;
}

static bool make_room(struct request *request)
{
    if (idle_attempt(request))
        return true;
    struct attempt *oldest = oldest_unconnected(request);
    if (oldest) {
        attempt_was_silent(oldest, "connection", "could be asked");
        attempt_stop(oldest);
    }
    return oldest;
}

/* Ask one more server, if there is one: nobody is left for one that may be as bad. */
static bool hedge(struct request *request, uint64_t now_ms)
{
    uint64_t until;
    size_t s;
    names_look(request->all->names, false);
    if (!request_choose(request, now_ms, &s, &until) || until > now_ms)
        return false;
    if (request->all->servers->list[s].failures > 0 ? !idle_attempt(request) : !make_room(request))
        return false;
    for (int i = 0; i < N_ATTEMPTS; i++)
        request->attempts[i].is_slow = request->attempts[i].received > 0;
    return attempt_start(request, s, true) == 0;
}

void request_look_after(struct request *request)
{
    uint64_t now = loop_now_ms(request->all->loop);
    if (any_gets_on(request, now) || !hedge(request, now))
        look_in_time(request, request_attempt(request)->server);
}
