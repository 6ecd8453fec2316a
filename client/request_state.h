/* SPDX-License-Identifier: Apache-2.0
 * What client/request*.c share: a request and its attempts, how servers are chosen for it, how it
 * says what becomes of it. Belongs to the loop's thread. */
#pragma once

#include <stdatomic.h>

#include "client/names.h"
#include "client/probe.h"
#include "client/request.h"

enum { N_ATTEMPTS = 3 }; /* at once: all but the first are hedges */

struct requests {
    struct loop *loop;
    const tnm_options *options;
    struct servers *servers;
    struct transfers *transfers;
    struct probes *probes;
    struct names *names;
    struct request *waiting, **last; /* for a server's rest to end, the oldest first */
    uint64_t n_sent;                 /* tries; each has its number */
    atomic_uint_least64_t answers, retries;
    atomic_bool are_well; /* see requests_are_well() */
};

/* A transfer under way. */
struct attempt {
    struct request *request;
    struct transfer *transfer; /* NULL while there is none */
    size_t server;
    unsigned life;    /* of the server, when it was sent, */
    const char *name; /* and its name */
    uint64_t number, sent_ms;
    uint64_t received; /* bytes, when it was looked at last */
    bool is_probe;     /* others wait for what becomes of it */
    bool is_slow; /* another server is asked since this one's answer has stopped, or trickles */
};

/* What one request knows of one server, beside what its client knows of it. */
struct standing {
    unsigned life;    /* of the server that it is of */
    unsigned damaged; /* answers */
    bool refused;     /* it will never give it */
    bool has_failed;  /* as a server */
    uint64_t rest_until_ms;
    int error;
    char reason[SERVER_REASON_MAX]; /* of the last bad answer; "" where it was the server's trouble
                                     */
};

struct request {
    struct requests *all;
    struct request_ask ask;         /* its texts are ours */
    struct request_tally own_tally; /* where the asker keeps none */
    struct loop_timer *timer;
    struct attempt attempts[N_ATTEMPTS];
    bool was_damaged;
    uint64_t key;    /* which servers it prefers */
    bool is_patient; /* waits for servers, since: */
    uint64_t patient_since_ms;
    bool waits;
    struct request *next, **link; /* while it waits */
    struct standing gone;         /* of servers that have become others since they were asked */
    struct standing standings[];  /* one for each server that there can be */
};

/* request.c */

void request_try_next(struct request *request);

/* Servers fail: from when on its patience counts; and when that ends. */
void request_be_patient(struct request *request, uint64_t since_ms);
uint64_t request_deadline(const struct request *request);

/* It is told and freed. */
void request_finish(struct request *request, int r, const char *server, const struct error *why);
void request_fail(struct request *request, const char *server, int r, const struct error *reason);

/* request_attempt.c */

struct server *attempt_server(const struct attempt *attempt);

/* The server that was asked may have become another one since. */
bool attempt_is_of_gone(const struct attempt *attempt);

/* What messages call who was asked; kept as long as the client. */
const char *attempt_label(const struct attempt *attempt);

struct request_tally *request_tally(struct request *request);

/* Ask server s. Errors: -ENOMEM. */
int attempt_start(struct request *request, size_t s, bool is_hedge);

/* It has ended, and is forgotten: whatever became of it, others need not wait for it any more. Or
 * (stop) it is ended, if it is under way. */
void attempt_end(struct attempt *attempt);
void attempt_stop(struct attempt *attempt);

/* What it has not done in its time, others have, or could: its server fails by that. */
void attempt_was_silent(const struct attempt *attempt, const char *what, const char *others);

/* Some are under way: do they get on, or is one more server asked? */
void request_look_after(struct request *request);

/* request_answer.c */

/* A transfer_done. */
void attempt_ended(void *user, int r, struct answer *answer, const struct error *why);

/* request_choice.c */

/* Whether server s may give an answer still, and whether it is being asked. */
bool request_can_use(const struct request *request, size_t s);
bool request_is_asking(const struct request *request, size_t s);

/* The server to ask at `now_ms`: of those that do not rest (and where some are being asked, of
 * those that are well, if there are any) the one that failed this request least, and of these the
 * one of the best rank. False where none is left; with *ret_until_ms > now_ms all that are left
 * rest until then. */
bool request_choose(const struct request *request, uint64_t now_ms, size_t *ret,
                    uint64_t *ret_until_ms);

/* The first of the attempts that are under way, or NULL. */
struct attempt *request_attempt(struct request *request);

/* request_shared.c */

uint32_t requests_random(void);

/* Each request that waits looks whether it can go on. */
void requests_wake_all(struct requests *all);

/* A server works, or does not, or there are others; or it has failed: whether that counted. */
bool requests_note_failure(struct requests *all, size_t s, struct server_failure failure);
void requests_note_health(struct requests *all);

/* request_words.c */

/* The worst that any server said, and one sentence of what each of them said. */
int request_worst_error(const struct request *request);
void request_sentence(const struct request *request, struct error *ret);
