/* SPDX-License-Identifier: Apache-2.0
 * One request to whichever server can answer it: tries, rests and fail-over. */
#include "client/request.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "client/problem.h"
#include "client/rank.h"
#include "client/request_state.h"
#include "client/retry.h"

enum {
    HEDGE_TIMES = 3,         /* of what other servers usually take */
    HEDGE_LEAST_MS = 200,    /* a daemon may be slow for once */
    HEDGE_UNKNOWN_MS = 1000, /* as long as no other server has answered */
    HEDGE_SLOWER = 8,        /* times slower than what others send is too slow, */
    HEDGE_SLOW_MS = 1000,    /* once it has had so long */
};

static uint32_t random_u32(void)
{
    uint32_t value = 0;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = (uint32_t)time(NULL);
    return value;
}

static struct server *server_of(const struct attempt *attempt)
{
    return &attempt->request->all->servers->list[attempt->server];
}

static struct standing *standing_of(const struct attempt *attempt)
{
    struct request *request = attempt->request;
    return attempt->life == server_of(attempt)->life ? &request->standings[attempt->server]
                                                     : &request->gone;
}

/* Of servers that have become others nothing is known yet. */
static void forget_gone(struct request *request)
{
    const struct servers *servers = request->all->servers;
    for (size_t s = 0; s < servers->n; s++)
        if (request->standings[s].life != servers->list[s].life)
            request->standings[s] = (struct standing){.life = servers->list[s].life};
}

static void free_request(struct request *request)
{
    loop_timer_free(request->timer);
    free((char *)request->ask.what);
    free((char *)request->ask.path);
    free((char *)request->ask.post);
    free(request);
}

/* ---- Waiting ---- */

static void stop_waiting(struct request *request)
{
    loop_timer_stop(request->timer);
    if (!request->waits)
        return;
    request->waits = false;
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    else
        request->all->last = request->link;
}

static void wait_until(struct request *request, uint64_t until_ms)
{
    struct requests *all = request->all;
    uint64_t now = loop_now_ms(all->loop);
    request->waits = true;
    request->next = NULL;
    request->link = all->last;
    *all->last = request;
    all->last = &request->next;
    loop_timer_start(request->timer, until_ms > now ? until_ms - now : 0);
}

static void wake_all(struct requests *all)
{
    for (struct request *other = all->waiting; other; other = other->next)
        loop_timer_start(other->timer, 0);
}

static void be_patient(struct request *request, uint64_t since_ms)
{
    if (request->is_patient)
        return;
    request->is_patient = true;
    request->patient_since_ms = since_ms;
}

static uint64_t deadline(const struct request *request)
{
    return request->patient_since_ms + request->ask.patience_ms;
}

/* ---- Ends ---- */

static struct request_tally *tally_of(struct request *request)
{
    return request->ask.tally ? request->ask.tally : &request->own_tally;
}

/* Forget a try that has ended. Whatever became of it, others need not wait for it any more. */
static void end_attempt(struct attempt *attempt)
{
    if (attempt->transfer) {
        tally_of(attempt->request)->bytes += transfer_received(attempt->transfer);
        server_of(attempt)->n_under_way--;
    }
    attempt->transfer = NULL;
    if (!attempt->is_probe)
        return;
    attempt->is_probe = false;
    server_of(attempt)->is_probed = false;
    wake_all(attempt->request->all);
}

static void stop_attempt(struct attempt *attempt)
{
    struct transfer *transfer = attempt->transfer;
    if (!transfer)
        return;
    end_attempt(attempt); /* while it can still be asked */
    transfer_cancel(transfer);
}

static void finish(struct request *request, int r, const char *server, const struct error *why)
{
    stop_waiting(request);
    for (int i = 0; i < N_ATTEMPTS; i++)
        stop_attempt(&request->attempts[i]);
    request->ask.done(request->ask.user, r, server, why);
    free_request(request);
}

static void give_up(struct request *request)
{
    struct error why;
    request_sentence(request, &why);
    finish(request, request_worst_error(request), NULL, &why);
}

static void fail(struct request *request, size_t s, int r, const struct error *reason)
{
    struct error why = *reason;
    error_prefix(&why, r, "%.256s: %.211s", request->ask.what,
                 request->all->servers->list[s].label);
    finish(request, r, NULL, &why);
}

/* ---- What is known of servers ---- */

static void note_health(struct requests *all)
{
    atomic_store(&all->are_well, servers_count(all->servers) == 1 && !all->servers->list[0].srv &&
                                     all->servers->list[0].failures == 0 &&
                                     names_are_known(all->names));
}

static bool note_failure(struct requests *all, size_t s, struct server_failure failure)
{
    failure.last_number = all->n_sent;
    failure.now_ms = loop_now_ms(all->loop);
    failure.random = random_u32();
    bool counted = server_failed(&all->servers->list[s], all->options, &failure);
    note_health(all);
    names_look(all->names, true);
    return counted;
}

/* What an attempt has not done in its time others have, or are asked to do. */
static void note_silence(const struct attempt *attempt, const char *what, const char *others)
{
    char reason[SERVER_REASON_MAX];
    uint64_t waited_ms = loop_now_ms(attempt->request->all->loop) - attempt->sent_ms;
    snprintf(reason, sizeof reason, "no %s within %" PRIu64 " ms, when others %s", what, waited_ms,
             others);
    note_failure(
        attempt->request->all, attempt->server,
        (struct server_failure){
            .number = attempt->number, .is_silent = true, .error = -ETIMEDOUT, .reason = reason});
}

/* ---- Trying ---- */

static void on_transferred(void *user, int r, struct answer *answer, const struct error *why);

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

static int start_attempt(struct request *request, size_t s, bool is_hedge)
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
    int r = transfer_start(all->transfers, &ask, on_transferred, attempt, &attempt->transfer);
    free(url);
    if (r == 0) {
        tally_of(request)->requests++;
        tally_of(request)->hedges += is_hedge;
        server->n_under_way++;
    }
    if (r == 0 && attempt->is_probe)
        server->is_probed = true;
    if (r == 0)
        look_in_time(request, s);
    return r;
}

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
        note_silence(oldest, "connection", "could be asked");
        stop_attempt(oldest);
    }
    return oldest;
}

/* Ask one more server, if there is one that is well. */
static bool hedge(struct request *request, uint64_t now_ms)
{
    uint64_t until;
    size_t s;
    if (!request_choose(request, now_ms, &s, &until) || until > now_ms ||
        request->all->servers->list[s].failures > 0 || !make_room(request))
        return false;
    for (int i = 0; i < N_ATTEMPTS; i++)
        request->attempts[i].is_slow = request->attempts[i].received > 0;
    return start_attempt(request, s, true) == 0;
}

static void look_after(struct request *request)
{
    uint64_t now = loop_now_ms(request->all->loop);
    if (any_gets_on(request, now) || !hedge(request, now))
        look_in_time(request, request_attempt(request)->server);
}

/* Are there SRV records of which it is not known yet whether they are found? That is a try under
 * way, which ends by itself. */
static bool is_looked_up_first(const struct requests *all)
{
    for (size_t s = 0; s < all->servers->n_urls; s++)
        if (all->servers->list[s].is_unknown && all->servers->list[s].failures == 0)
            return true;
    return false;
}

static void try_next(struct request *request)
{
    struct requests *all = request->all;
    uint64_t now = loop_now_ms(all->loop), until;
    size_t s;
    stop_waiting(request);
    forget_gone(request);
    names_look(all->names, false);
    if (!request_choose(request, now, &s, &until)) {
        give_up(request);
        return;
    }
    if (until <= now) {
        if (start_attempt(request, s, false) < 0) {
            struct error why;
            fail(request, s, error_set(&why, -ENOMEM, "no memory for a transfer"), &why);
        }
        return;
    }
    if (server_free_at(&all->servers->list[s]) > now) { /* not for our own damaged answer alone */
        be_patient(request, now);
        if (!is_looked_up_first(all)) {
            if (now >= deadline(request)) {
                give_up(request);
                return;
            }
            until = until < deadline(request) ? until : deadline(request);
        }
    }
    wait_until(request, until);
}

/* What the caller has tried is our first attempt. */
static void take_tried(struct request *request)
{
    struct request_tried *tried = request->ask.tried;
    struct attempt *attempt = &request->attempts[0];
    stop_waiting(request);
    request->ask.tried = NULL;
    *attempt = (struct attempt){.request = request,
                                .life = request->all->servers->list[0].life,
                                .number = ++request->all->n_sent,
                                .sent_ms = tried->sent_ms};
    on_transferred(attempt, tried->r, &tried->answer, &tried->why);
}

static void on_timer(void *user)
{
    struct request *request = user;
    forget_gone(request);
    if (request->ask.tried) {
        take_tried(request);
        return;
    }
    if (request_attempt(request))
        look_after(request);
    else
        try_next(request);
}

/* ---- What became of a attempt, which has ended ---- */

static void go_on(struct request *request)
{
    tally_of(request)->failures++;
    if (request_attempt(request))
        return; /* its answer may be the good one */
    atomic_fetch_add(&request->all->retries, 1);
    tally_of(request)->retries++;
    try_next(request);
}

static void server_trouble(struct attempt *attempt, int r, const struct answer *answer,
                           const char *reason)
{
    struct request *request = attempt->request;
    struct server_failure failure = {.number = attempt->number,
                                     .is_silent = answer->status == 0 || r == -ETIMEDOUT,
                                     .error = r,
                                     .reason = reason};
    retry_after_ms(answer->headers[HEADER_RETRY_AFTER], time(NULL), &failure.at_least_ms);
    note_failure(request->all, attempt->server, failure);
    standing_of(attempt)->error = 0; /* from now on the server's own word counts */
    be_patient(request, attempt->sent_ms);
    go_on(request);
}

static void note(struct standing *standing, int r, const char *reason)
{
    standing->error = r;
    snprintf(standing->reason, sizeof standing->reason, "%.319s", reason);
}

/* This answer was bad; the server as such may be well, and a cache in between keep the answer. */
static void answer_trouble(struct attempt *attempt, int r, const char *reason)
{
    struct request *request = attempt->request;
    const tnm_options *options = request->all->options;
    struct standing *standing = standing_of(attempt);
    standing->damaged++;
    request->was_damaged = true;
    standing->rest_until_ms =
        loop_now_ms(request->all->loop) + retry_backoff_ms(standing->damaged, options->backoff_ms,
                                                           options->backoff_max_ms, random_u32());
    note(standing, r, reason);
    go_on(request);
}

static void refused(struct attempt *attempt, int r, const char *reason)
{
    struct standing *standing = standing_of(attempt);
    standing->refused = true;
    note(standing, r, reason);
    go_on(attempt->request);
}

static void server_works(struct attempt *attempt)
{
    if (server_answered(server_of(attempt), attempt->number))
        wake_all(attempt->request->all);
    note_health(attempt->request->all);
}

static void note_time(const struct attempt *attempt, uint64_t bytes)
{
    const struct requests *all = attempt->request->all;
    const struct rank_of of = {.now_ms = loop_now_ms(all->loop), .sent = all->n_sent};
    rank_took(server_of(attempt), bytes, of.now_ms - attempt->sent_ms, &of);
}

/* A captive portal or a proxy's page of HTML is no reason to ask the same server again. */
static int check_type(const struct request_ask *ask, const struct answer *answer, struct error *why)
{
    const char *type = answer->headers[HEADER_CONTENT_TYPE], *wanted = ask->type;
    size_t length = strlen(wanted);
    if (strncasecmp(type, wanted, length) != 0 || (type[length] && !strchr("; \t", type[length])))
        return error_set(why, -EPROTO, "no twonmnist daemon: an answer of type \"%.64s\", not %s",
                         type, wanted);
    return 0;
}

/* A part has to be the one that was asked for, and all of it. Where it has no length of its own, a
 * connection that breaks looks like its end. */
static int check_part(const struct request_ask *ask, const struct answer *answer, struct error *why)
{
    char wanted[64];
    const char *range = answer->headers[HEADER_CONTENT_RANGE];
    if ((answer->status == 206) != (ask->part_size > 0))
        return error_set(why, -EPROTO, "sends %s",
                         ask->part_size ? "all of it where a part was asked for"
                                        : "a part where all was asked for");
    if (ask->part_size == 0)
        return 0;
    snprintf(wanted, sizeof wanted, "bytes %" PRIu64 "-%" PRIu64 "/", ask->part_begin,
             ask->part_begin + ask->part_size - 1);
    bool is_it = strncmp(range, wanted, strlen(wanted)) == 0;
    if (is_it && answer->body.size < ask->part_size)
        return error_set(why, -EBADMSG, "the answer ends after %zu of %" PRIu64 " bytes",
                         answer->body.size, ask->part_size);
    if (!is_it || answer->body.size != ask->part_size)
        return error_set(why, -EPROTO, "sends \"%.64s\" with %zu bytes where \"%s\" was asked for",
                         range, answer->body.size, wanted);
    return 0;
}

/* The hedge was quicker: what has not even begun to answer, or trickled, counts as silent. */
static void leave_slow_one(struct attempt *slow, const struct attempt *quick)
{
    if (!slow->transfer || slow->number > quick->number ||
        (transfer_received(slow->transfer) > 0 && !slow->is_slow))
        return;
    note_silence(slow, slow->is_slow ? "whole answer" : "answer", "had given it");
}

static void take_answer(struct attempt *attempt, struct answer *answer)
{
    struct request *request = attempt->request;
    struct error why = {.text = ""};
    int r = check_type(&request->ask, answer, &why);
    if (r == 0)
        r = check_part(&request->ask, answer, &why);
    if (r == -EBADMSG) {
        answer_trouble(attempt, r, why.text);
        return;
    }
    if (r < 0) {
        refused(attempt, r, why.text);
        return;
    }
    if (answer->body.size == 0) {
        answer_trouble(attempt, -EPROTO, "an empty answer");
        return;
    }
    answer->server = server_of(attempt)->label;
    r = request->ask.check(request->ask.user, answer, &why);
    if (r == -EBADMSG) {
        answer_trouble(attempt, r, why.text);
    } else if (r == -ESTALE || r == -EPROTO) {
        refused(attempt, r, why.text);
    } else if (r < 0) {
        fail(request, attempt->server, r, &why);
    } else {
        atomic_fetch_add(&request->all->answers, 1);
        for (int i = 0; i < N_ATTEMPTS; i++)
            leave_slow_one(&request->attempts[i], attempt);
        finish(request, 0, server_of(attempt)->label, &why);
    }
}

/* A request that no server can mend. */
static bool is_hopeless(int r)
{
    return r == -EMSGSIZE || r == -ENOMEM || r == -EINVAL;
}

static void on_transferred(void *user, int r, struct answer *answer, const struct error *why)
{
    struct attempt *attempt = user;
    struct request *request = attempt->request;
    struct problem problem;
    end_attempt(attempt);
    if (is_hopeless(r)) {
        fail(request, attempt->server, r, why);
        return;
    }
    if (r == -EACCES) { /* its certificate: asking again changes nothing */
        refused(attempt, r, why->text);
        return;
    }
    if (r < 0) {
        server_trouble(attempt, r, answer, why->text);
        return;
    }
    problem_read(answer, &problem);
    enum retry_verdict verdict = retry_judge(answer->status, problem.code, &r);
    if (verdict == RETRY_AGAIN) {
        server_trouble(attempt, r, answer, problem.text);
        return;
    }
    server_works(attempt);
    if (verdict == RETRY_GOOD) {
        server_took(server_of(attempt), answer->begun_after_ms);
        note_time(attempt, answer->body.size);
        take_answer(attempt, answer);
    } else if (verdict == RETRY_OTHER) {
        refused(attempt, r, problem.text);
    } else {
        struct error reason;
        snprintf(reason.text, sizeof reason.text, "%s", problem.text);
        fail(request, attempt->server, r, &reason);
    }
}

/* The server that was silent answers again, whatever: the next request tries it. */
static void on_probed(void *user, size_t s, uint64_t number, int r, const struct answer *answer,
                      const struct error *why)
{
    struct requests *all = user;
    struct server *server = &all->servers->list[s];
    struct problem problem;
    const char *reason = why->text;
    enum retry_verdict verdict = RETRY_AGAIN;
    server->is_probed = false;
    if (r == 0) {
        problem_read(answer, &problem);
        verdict = retry_judge(answer->status, problem.code, &r);
        reason = problem.text;
    }
    if (verdict == RETRY_AGAIN) {
        struct server_failure failure = {
            .number = number, .is_silent = answer->status == 0, .error = r, .reason = reason};
        retry_after_ms(answer->headers[HEADER_RETRY_AFTER], time(NULL), &failure.at_least_ms);
        note_failure(all, s, failure);
    } else {
        server->is_silent = false;
    }
    wake_all(all);
}

static uint64_t last_number(void *user)
{
    const struct requests *all = user;
    return all->n_sent;
}

/* Servers have come or gone. */
static void on_names(void *user)
{
    struct requests *all = user;
    note_health(all);
    wake_all(all);
}

/* ---- Beginning and cancelling ---- */

int request_start(struct requests *all, const struct request_ask *ask, struct request **ret)
{
    struct request *request =
        calloc(1, sizeof *request + all->servers->n_most * sizeof *request->standings);
    if (!request)
        return -ENOMEM;
    request->all = all;
    request->ask = *ask;
    request->ask.what = strdup(ask->what);
    request->ask.path = strdup(ask->path);
    request->ask.post = ask->post ? strdup(ask->post) : NULL;
    names_look(all->names, false);
    request->key = rank_key(ask->path, ask->part_begin);
    if (!request->ask.what || !request->ask.path || (ask->post && !request->ask.post) ||
        loop_timer_new(all->loop, on_timer, request, &request->timer) < 0) {
        free_request(request);
        return -ENOMEM;
    }
    wait_until(request, 0); /* begins from the loop, so that nothing is told before we return */
    *ret = request;
    return 0;
}

void request_cancel(struct request *request)
{
    if (!request)
        return;
    stop_waiting(request);
    for (int i = 0; i < N_ATTEMPTS; i++)
        stop_attempt(&request->attempts[i]);
    free_request(request);
}

int requests_new(struct loop *loop, const tnm_options *options, struct servers *servers,
                 struct requests **ret)
{
    struct requests *all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->loop = loop;
    all->options = options;
    all->servers = servers;
    all->last = &all->waiting;
    all->seed = random_u32();
    if (transfers_new(loop, options, &all->transfers) < 0 ||
        probes_new(all->transfers, options, servers, on_probed, all, &all->probes) < 0 ||
        names_new(loop, servers, options->proxy, last_number, on_names, all, &all->names) < 0) {
        requests_free(all);
        return -ENOMEM;
    }
    note_health(all);
    *ret = all;
    return 0;
}

void requests_free(struct requests *all)
{
    if (!all)
        return;
    assert(!all->waiting);
    names_free(all->names);
    probes_free(all->probes);
    transfers_free(all->transfers);
    free(all);
}

int request_check(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    int r = answer->status == 200 ? check_type(ask, answer, why) : -EPROTO;
    if (r == 0 && answer->body.size == 0)
        r = -EPROTO;
    return r < 0 ? r : ask->check(ask->user, answer, why);
}

bool requests_are_well(const struct requests *all)
{
    return atomic_load(&all->are_well);
}

int requests_line(struct requests *all, struct line **ret)
{
    return line_new(all->transfers, ret);
}

uint64_t requests_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void requests_count_answer(struct requests *all)
{
    atomic_fetch_add(&all->answers, 1);
}

void requests_counts(const struct requests *all, uint64_t *ret_answers, uint64_t *ret_bytes,
                     uint64_t *ret_retries)
{
    *ret_answers = atomic_load(&all->answers);
    *ret_bytes = transfers_bytes(all->transfers);
    *ret_retries = atomic_load(&all->retries);
}
