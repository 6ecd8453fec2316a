/* SPDX-License-Identifier: Apache-2.0
 * One request to whichever server can answer it: tries, rests and fail-over. */
#include "client/request.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "client/problem.h"
#include "client/retry.h"

struct requests {
    struct loop *loop;
    const tnm_options *options;
    struct servers *servers;
    struct transfers *transfers;
    struct request *waiting; /* for a server's rest to end */
    size_t turn;             /* the server to begin with next */
    atomic_uint_least64_t answers, retries;
};

enum { REASON_MAX = 320 };

/* What one request knows of one server. */
struct attempt {
    unsigned tries; /* that failed */
    bool refused;   /* it will never give it */
    uint64_t rest_until_ms;
    int error;
    char reason[REASON_MAX]; /* of the last failure */
};

struct request {
    struct requests *all;
    struct request_ask ask; /* its texts are ours */
    struct loop_timer *timer;
    struct transfer *transfer; /* while one is under way, to server `now_at` */
    size_t now_at, first_at;
    bool waits;
    struct request *next, **link; /* while it waits */
    struct attempt attempts[];    /* one for each server */
};

static uint32_t random_u32(void)
{
    uint32_t value = 0;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = (uint32_t)time(NULL);
    return value;
}

static void free_request(struct request *request)
{
    loop_timer_free(request->timer);
    free((char *)request->ask.what);
    free((char *)request->ask.path);
    free((char *)request->ask.post);
    free(request);
}

static void stop_waiting(struct request *request)
{
    if (!request->waits)
        return;
    request->waits = false;
    loop_timer_stop(request->timer);
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
}

static void wait_until(struct request *request, uint64_t until_ms)
{
    uint64_t now = loop_now_ms(request->all->loop);
    request->waits = true;
    request->next = request->all->waiting;
    request->link = &request->all->waiting;
    if (request->next)
        request->next->link = &request->next;
    request->all->waiting = request;
    loop_timer_start(request->timer, until_ms > now ? until_ms - now : 0);
}

static void finish(struct request *request, int r, const char *server, const struct error *why)
{
    request->ask.done(request->ask.user, r, server, why);
    free_request(request);
}

/* ---- Giving up: one sentence of what each server said ---- */

static int worst_error(const struct request *request)
{
    static const int ranks[] = {-EBADMSG, -ESTALE, -EACCES,    -EMSGSIZE,
                                -ENOENT,  -EPROTO, -ETIMEDOUT, -EHOSTUNREACH};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        for (size_t s = 0; s < request->all->servers->n; s++)
            if (request->attempts[s].error == ranks[i])
                return ranks[i];
    return -EHOSTUNREACH;
}

static void give_up(struct request *request)
{
    struct error why;
    const struct servers *servers = request->all->servers;
    size_t used = (size_t)snprintf(why.text, sizeof why.text, "%.256s", request->ask.what);
    for (size_t s = 0; s < servers->n && used < sizeof why.text; s++)
        used +=
            (size_t)snprintf(why.text + used, sizeof why.text - used, "%s%.160s: %s",
                             s ? "; " : ": ", servers->list[s].name, request->attempts[s].reason);
    finish(request, worst_error(request), NULL, &why);
}

static void fail(struct request *request, int r, const struct error *reason)
{
    struct error why = *reason;
    error_prefix(&why, r, "%.256s: %.160s", request->ask.what,
                 request->all->servers->list[request->now_at].name);
    finish(request, r, NULL, &why);
}

/* ---- Trying ---- */

static void on_transferred(void *user, int r, struct answer *answer, const struct error *why);

static bool is_usable(const struct request *request, size_t s)
{
    const struct attempt *attempt = &request->attempts[s];
    return !attempt->refused && attempt->tries <= request->all->options->retries;
}

/* The server to ask at `now_ms`: of those that do not rest the one that failed this request least.
 * False where none is left; with *ret_until_ms > now_ms all that are left rest until then. */
static bool choose(const struct request *request, uint64_t now_ms, size_t *ret,
                   uint64_t *ret_until_ms)
{
    const struct servers *servers = request->all->servers;
    uint64_t until = UINT64_MAX;
    unsigned fewest = UINT32_MAX;
    bool found = false;
    for (size_t i = 0; i < servers->n; i++) {
        size_t s = (request->first_at + i) % servers->n;
        const struct attempt *attempt = &request->attempts[s];
        if (!is_usable(request, s))
            continue;
        uint64_t rest = servers->list[s].rest_until_ms;
        rest = attempt->rest_until_ms > rest ? attempt->rest_until_ms : rest;
        rest = rest > now_ms ? rest : now_ms;
        if (!found || rest < until || (rest == until && attempt->tries < fewest)) {
            found = true;
            until = rest;
            fewest = attempt->tries;
            *ret = s;
        }
    }
    *ret_until_ms = until;
    return found;
}

static int start_transfer(struct request *request, size_t s)
{
    struct server *server = &request->all->servers->list[s];
    char *url;
    if (asprintf(&url, "%s%s", server->base, request->ask.path) < 0)
        return -ENOMEM;
    const struct transfer_ask ask = {.url = url,
                                     .unix_socket = server->socket,
                                     .post = request->ask.post,
                                     .max_bytes = request->ask.max_bytes};
    int r =
        transfer_start(request->all->transfers, &ask, on_transferred, request, &request->transfer);
    free(url);
    return r;
}

static void try_next(void *user)
{
    struct request *request = user;
    struct requests *all = request->all;
    uint64_t now = loop_now_ms(all->loop), until;
    size_t s;
    stop_waiting(request);
    if (!choose(request, now, &s, &until)) {
        give_up(request);
        return;
    }
    if (until > now) {
        wait_until(request, until);
        return;
    }
    request->now_at = s;
    server_probe(&all->servers->list[s], all->options, now);
    if (start_transfer(request, s) < 0) {
        struct error why;
        fail(request, error_set(&why, -ENOMEM, "no memory for a transfer"), &why);
    }
}

static void note(struct attempt *attempt, int r, const char *reason)
{
    attempt->error = r;
    snprintf(attempt->reason, sizeof attempt->reason, "%s", reason);
}

static void try_again(struct request *request)
{
    atomic_fetch_add(&request->all->retries, 1);
    try_next(request);
}

/* The server is in trouble: this counts for all requests that wait for it too. */
static void server_trouble(struct request *request, int r, const struct answer *answer,
                           const char *reason)
{
    struct requests *all = request->all;
    uint64_t at_least = 0;
    retry_after_ms(answer->headers[HEADER_RETRY_AFTER], time(NULL), &at_least);
    server_failed(&all->servers->list[request->now_at], all->options, loop_now_ms(all->loop),
                  at_least, random_u32());
    for (struct request *other = all->waiting; other; other = other->next) {
        struct attempt *attempt = &other->attempts[request->now_at];
        attempt->tries++;
        note(attempt, r, reason);
        loop_timer_start(other->timer, 0);
    }
    request->attempts[request->now_at].tries++;
    note(&request->attempts[request->now_at], r, reason);
    try_again(request);
}

/* This answer was bad; the server as such may be well. */
static void answer_trouble(struct request *request, int r, const char *reason)
{
    const tnm_options *options = request->all->options;
    struct attempt *attempt = &request->attempts[request->now_at];
    attempt->tries++;
    attempt->rest_until_ms =
        loop_now_ms(request->all->loop) + retry_backoff_ms(attempt->tries, options->backoff_ms,
                                                           options->backoff_max_ms, random_u32());
    note(attempt, r, reason);
    try_again(request);
}

static void refused(struct request *request, int r, const char *reason)
{
    struct attempt *attempt = &request->attempts[request->now_at];
    attempt->refused = true;
    note(attempt, r, reason);
    try_again(request);
}

static void wake_all(struct requests *all)
{
    for (struct request *other = all->waiting; other; other = other->next)
        loop_timer_start(other->timer, 0);
}

static void server_works(struct request *request)
{
    struct server *server = &request->all->servers->list[request->now_at];
    if (server->failures > 0)
        wake_all(request->all);
    server_answered(server);
}

/* A captive portal or a proxy's page of HTML is no reason to ask the same server again. */
static int check_type(const struct request *request, const struct answer *answer, struct error *why)
{
    const char *type = answer->headers[HEADER_CONTENT_TYPE], *wanted = request->ask.type;
    size_t length = strlen(wanted);
    if (strncasecmp(type, wanted, length) != 0 || (type[length] && !strchr("; \t", type[length])))
        return error_set(why, -EPROTO, "no twonmnist daemon: an answer of type \"%.64s\", not %s",
                         type, wanted);
    return 0;
}

static void take_answer(struct request *request, struct answer *answer)
{
    struct error why = {.text = ""};
    if (check_type(request, answer, &why) < 0) {
        refused(request, -EPROTO, why.text);
        return;
    }
    if (answer->body.size == 0) {
        answer_trouble(request, -EPROTO, "an empty answer");
        return;
    }
    const char *server = request->all->servers->list[request->now_at].name;
    int r = request->ask.check(request->ask.user, answer, &why);
    if (r == -EBADMSG) {
        answer_trouble(request, r, why.text);
    } else if (r == -ESTALE) {
        refused(request, r, why.text);
    } else if (r < 0) {
        fail(request, r, &why);
    } else {
        atomic_fetch_add(&request->all->answers, 1);
        finish(request, 0, server, &why);
    }
}

static void on_transferred(void *user, int r, struct answer *answer, const struct error *why)
{
    struct request *request = user;
    struct problem problem;
    request->transfer = NULL;
    if (r == -EMSGSIZE || r == -ENOMEM || r == -EINVAL) { /* no server can mend these */
        fail(request, r, why);
        return;
    }
    if (r < 0) {
        server_trouble(request, r, answer, why->text);
        return;
    }
    problem_read(answer, &problem);
    enum retry_verdict verdict = retry_judge(answer->status, problem.code, &r);
    if (verdict == RETRY_AGAIN) {
        server_trouble(request, r, answer, problem.text);
        return;
    }
    server_works(request);
    if (verdict == RETRY_GOOD) {
        take_answer(request, answer);
    } else if (verdict == RETRY_OTHER) {
        refused(request, r, problem.text);
    } else {
        struct error reason;
        snprintf(reason.text, sizeof reason.text, "%s", problem.text);
        fail(request, r, &reason);
    }
}

int request_start(struct requests *all, const struct request_ask *ask, struct request **ret)
{
    struct request *request =
        calloc(1, sizeof *request + all->servers->n * sizeof *request->attempts);
    if (!request)
        return -ENOMEM;
    request->all = all;
    request->ask = *ask;
    request->ask.what = strdup(ask->what);
    request->ask.path = strdup(ask->path);
    request->ask.post = ask->post ? strdup(ask->post) : NULL;
    request->first_at = all->turn++ % all->servers->n;
    if (!request->ask.what || !request->ask.path || (ask->post && !request->ask.post) ||
        loop_timer_new(all->loop, try_next, request, &request->timer) < 0) {
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
    if (request->transfer) {
        struct server *server = &request->all->servers->list[request->now_at];
        if (server->failures > 0) { /* others wait for what becomes of this try */
            server->rest_until_ms = 0;
            wake_all(request->all);
        }
        transfer_cancel(request->transfer);
    }
    free_request(request);
}

int requests_new(struct loop *loop, const tnm_options *options, struct servers *servers,
                 struct requests **ret)
{
    struct requests *all = calloc(1, sizeof *all);
    if (!all || transfers_new(loop, options, &all->transfers) < 0) {
        free(all);
        return -ENOMEM;
    }
    all->loop = loop;
    all->options = options;
    all->servers = servers;
    all->turn = random_u32(); /* many clients do not begin with the same server */
    *ret = all;
    return 0;
}

void requests_free(struct requests *all)
{
    if (!all)
        return;
    assert(!all->waiting);
    transfers_free(all->transfers);
    free(all);
}

void requests_counts(const struct requests *all, uint64_t *ret_answers, uint64_t *ret_bytes,
                     uint64_t *ret_retries)
{
    *ret_answers = atomic_load(&all->answers);
    *ret_bytes = transfers_bytes(all->transfers);
    *ret_retries = atomic_load(&all->retries);
}
