/* SPDX-License-Identifier: Apache-2.0
 * One request to whichever server can answer it: tries, rests and fail-over. Loop thread only,
 * except requests_counts().
 *
 * A server that fails rests, for all requests of its client, and is tried again by one of them (by
 * GET /readyz first where it gave no answer and others are there to be asked). A request waits for
 * servers that rest as long as its patience. Of those that are well the fastest is asked (see
 * client/rank.h). Where a server's answer does not begin in the time that the others usually take,
 * or stops, or flows at a small part of their rate, the request is sent to one of them too (where
 * none is well to one whose rest is over), and so on: the first answer counts. Three are asked at
 * once at most; of more than these the oldest is left, if it has not even a connection. Past its
 * patience a request asks nobody again that has failed it. */
#pragma once

#include <stdint.h>

#include "client/loop.h"
#include "client/options.h"
#include "client/servers.h"
#include "client/transfer.h"
#include "common/error.h"

/* What requests of one client share. */
struct requests;

/* All arguments are borrowed. Errors: -ENOMEM. */
int requests_new(struct loop *loop, const tnm_options *options, struct servers *servers,
                 struct requests **ret);
void requests_free(struct requests *requests); /* all of them have ended */

/* Answers, their bytes, and tries that failed and were made again, so far. Any thread. */
void requests_counts(const struct requests *requests, uint64_t *ret_answers, uint64_t *ret_bytes,
                     uint64_t *ret_retries);

/* What requests have cost. Loop thread. */
struct request_tally {
    uint64_t bytes; /* that arrived, heads of answers included, of tries that have ended */
    uint64_t requests, retries, hedges,
        failures; /* tries; those after a failure; of a hedge; bad */
};

/* A first try of a request that was made elsewhere, and what became of it. */
struct request_tried {
    int r; /* of the transfer */
    struct answer answer;
    struct error why;
    uint64_t sent_ms;
};

struct request_ask {
    const char *what;            /* in words, for errors; copied, like the next two */
    const char *path;            /* behind the server's URL */
    const char *post;            /* JSON, or NULL for GET */
    const char *type;            /* Content-Type that the answer has to have; borrowed for ever */
    const char *revision;        /* of the data that it is of; borrowed to the end; or NULL */
    uint64_t max_bytes;          /* of the answer; 0: as the option max_answer_mb says */
    uint64_t part_begin;         /* where the part begins that is asked for, if it is one */
    uint64_t part_size;          /* bytes that it has to have; 0: all is asked for */
    uint64_t patience_ms;        /* how long to wait for servers that fail */
    bool leaves_connection;      /* in the loop's thread, for a stream to go on with */
    struct request_tried *tried; /* borrowed until the end; or NULL */
    struct request_tally *tally; /* is added to; or NULL */

    /* Look at a good answer: 0, or -EBADMSG damaged (tried again), -ESTALE other data or -EPROTO
     * not what was asked for (tried elsewhere), or what ends the request. May take the answer's
     * body when it returns 0. */
    int (*check)(void *user, struct answer *answer, struct error *why);

    /* Told once at the end, unless cancelled; `server` is whose answer was taken. */
    void (*done)(void *user, int r, const char *server, const struct error *why);
    void *user;
};

struct request;

/* done() is never called before this returns. Errors: -ENOMEM. */
int request_start(struct requests *requests, const struct request_ask *ask, struct request **ret);
void request_cancel(struct request *request); /* accepts NULL */

/* Whether a 200 is a good answer: its type, and what ask->check() says. Errors: those, and -EPROTO.
 * Any thread. */
int request_check(const struct request_ask *ask, struct answer *answer, struct error *why);

/* For who makes the first try: whether there is but one server, and it has not failed since it last
 * answered; a line to it; the time; an answer more. Any thread. */
bool requests_are_well(const struct requests *requests);
int requests_line(struct requests *requests, struct line **ret);
uint64_t requests_now_ms(void);
void requests_count_answer(struct requests *requests);

/* For which servers the request waits, and why: "waiting for http://one (connection refused), 12 s
 * of 300". False while it does not wait, or for less than 2 s. Loop thread. */
enum { REQUEST_TEXT_AFTER_MS = 2000 };
bool request_text(const struct request *request, struct error *ret);
