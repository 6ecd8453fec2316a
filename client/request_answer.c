/* SPDX-License-Identifier: Apache-2.0
 * What becomes of an attempt: good answers, bad ones, none. */
#include "client/request_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "client/problem.h"
#include "client/rank.h"
#include "client/retry.h"

static struct standing *standing_of(const struct attempt *attempt)
{
    struct request *request = attempt->request;
    return attempt_is_of_gone(attempt) ? &request->gone : &request->standings[attempt->server];
}

static void go_on(struct request *request)
{
    request_tally(request)->failures++;
    if (request_attempt(request))
        return; /* its answer may be the good one */
    atomic_fetch_add(&request->all->retries, 1);
    request_tally(request)->retries++;
    request_try_next(request);
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
    if (!attempt_is_of_gone(attempt))
        requests_note_failure(request->all, attempt->server, failure);
    standing_of(attempt)->has_failed = true;
    standing_of(attempt)->error = 0; /* from now on the server's own word counts */
    request_be_patient(request, attempt->sent_ms);
    go_on(request);
}

static void note(struct standing *standing, int r, const char *reason)
{
    standing->error = r;
    snprintf(standing->reason, sizeof standing->reason, "%.319s", reason);
}

static struct rank_of rank_now(const struct requests *all)
{
    return (struct rank_of){.now_ms = loop_now_ms(all->loop), .sent = all->n_sent};
}

static void gave_nothing(const struct attempt *attempt)
{
    const struct rank_of of = rank_now(attempt->request->all);
    if (!attempt_is_of_gone(attempt))
        rank_gave_nothing(attempt_server(attempt), &of);
}

/* This answer was bad; the server as such may be well, and a cache in between keep the answer. */
static void answer_trouble(struct attempt *attempt, int r, const char *reason)
{
    struct request *request = attempt->request;
    const tnm_options *options = request->all->options;
    struct standing *standing = standing_of(attempt);
    standing->damaged++;
    request->was_damaged = true;
    standing->rest_until_ms = loop_now_ms(request->all->loop) +
                              retry_backoff_ms(standing->damaged, options->backoff_ms,
                                               options->backoff_max_ms, requests_random());
    note(standing, r, reason);
    gave_nothing(attempt);
    go_on(request);
}

static void refused(struct attempt *attempt, int r, const char *reason)
{
    struct standing *standing = standing_of(attempt);
    standing->refused = true;
    note(standing, r, reason);
    gave_nothing(attempt);
    go_on(attempt->request);
}

static void server_works(struct attempt *attempt)
{
    if (server_answered(attempt_server(attempt), attempt->number))
        requests_wake_all(attempt->request->all);
    requests_note_health(attempt->request->all);
}

/* A good answer of `bytes` was there at `at_ms`. */
static void note_times(const struct attempt *attempt, uint64_t bytes, uint64_t at_ms)
{
    const struct rank_of of = rank_now(attempt->request->all);
    /* What was tried elsewhere was sent by another clock. */
    uint64_t took_ms = at_ms > attempt->sent_ms ? at_ms - attempt->sent_ms : 0;
    if (!attempt_is_of_gone(attempt))
        rank_took(attempt_server(attempt), bytes, took_ms, &of);
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
    attempt_was_silent(slow, slow->is_slow ? "whole answer" : "answer", "had given it");
}

static void take_answer(struct attempt *attempt, struct answer *answer)
{
    struct request *request = attempt->request;
    struct error why = {.text = ""};
    uint64_t at_ms = loop_now_ms(request->all->loop), bytes = answer->body.size;
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
    answer->server = attempt_label(attempt);
    r = request->ask.check(request->ask.user, answer, &why);
    if (r == -EBADMSG) {
        answer_trouble(attempt, r, why.text);
    } else if (r == -ESTALE || r == -EPROTO) {
        refused(attempt, r, why.text);
    } else if (r < 0) {
        request_fail(request, attempt_label(attempt), r, &why);
    } else {
        note_times(attempt, bytes, at_ms);
        atomic_fetch_add(&request->all->answers, 1);
        for (int i = 0; i < N_ATTEMPTS; i++)
            leave_slow_one(&request->attempts[i], attempt);
        request_finish(request, 0, attempt_label(attempt), &why);
    }
}

/* A request that no server can mend. */
static bool is_hopeless(int r)
{
    return r == -EMSGSIZE || r == -ENOMEM || r == -EINVAL;
}

void attempt_ended(void *user, int r, struct answer *answer, const struct error *why)
{
    struct attempt *attempt = user;
    struct request *request = attempt->request;
    struct problem problem;
    attempt_end(attempt);
    if (is_hopeless(r)) {
        request_fail(request, attempt_label(attempt), r, why);
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
        if (!attempt_is_of_gone(attempt))
            server_took(attempt_server(attempt), answer->begun_after_ms);
        take_answer(attempt, answer);
    } else if (verdict == RETRY_OTHER) {
        refused(attempt, r, problem.text);
    } else {
        struct error reason;
        snprintf(reason.text, sizeof reason.text, "%s", problem.text);
        request_fail(request, attempt_label(attempt), r, &reason);
    }
}

int request_check(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    int r = answer->status == 200 ? check_type(ask, answer, why) : -EPROTO;
    if (r == 0 && answer->body.size == 0)
        r = -EPROTO;
    return r < 0 ? r : ask->check(ask->user, answer, why);
}
