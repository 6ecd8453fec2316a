/* SPDX-License-Identifier: Apache-2.0
 * One request to whichever server can answer it: when it tries, rests and ends. */
#include "client/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/rank.h"
#include "client/request_state.h"

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

void request_be_patient(struct request *request, uint64_t since_ms)
{
    if (request->is_patient)
        return;
    request->is_patient = true;
    request->patient_since_ms = since_ms;
}

uint64_t request_deadline(const struct request *request)
{
    return request->patient_since_ms + request->ask.patience_ms;
}

/* ---- Ends ---- */

void request_finish(struct request *request, int r, const char *server, const struct error *why)
{
    stop_waiting(request);
    for (int i = 0; i < N_ATTEMPTS; i++)
        attempt_stop(&request->attempts[i]);
    request->ask.done(request->ask.user, r, server, why);
    free_request(request);
}

static void give_up(struct request *request)
{
    struct error why;
    request_sentence(request, &why);
    request_finish(request, request_worst_error(request), NULL, &why);
}

void request_fail(struct request *request, const char *server, int r, const struct error *reason)
{
    struct error why = *reason;
    error_prefix(&why, r, "%.256s: %.211s", request->ask.what, server);
    request_finish(request, r, NULL, &why);
}

/* ---- Trying ---- */

/* Are there SRV records of which it is not known yet whether they are found? That is a try under
 * way, which ends by itself. */
static bool is_looked_up_first(const struct requests *all)
{
    for (size_t s = 0; s < all->servers->n_urls; s++)
        if (all->servers->list[s].is_unknown && all->servers->list[s].failures == 0)
            return true;
    return false;
}

void request_try_next(struct request *request)
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
        if (attempt_start(request, s, false) < 0) {
            struct error why;
            request_fail(request, all->servers->list[s].label,
                         error_set(&why, -ENOMEM, "no memory for a transfer"), &why);
        }
        return;
    }
    if (server_free_at(&all->servers->list[s]) > now) { /* not for our own damaged answer alone */
        request_be_patient(request, now);
        if (!is_looked_up_first(all)) {
            if (now >= request_deadline(request)) {
                give_up(request);
                return;
            }
            if (until > request_deadline(request))
                until = request_deadline(request);
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
                                .name = request->all->servers->list[0].name,
                                .number = ++request->all->n_sent,
                                .sent_ms = tried->sent_ms};
    attempt_ended(attempt, tried->r, &tried->answer, &tried->why);
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
        request_look_after(request);
    else
        request_try_next(request);
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
        attempt_stop(&request->attempts[i]);
    free_request(request);
}
