/* SPDX-License-Identifier: Apache-2.0
 * One request to whichever server can answer it: tries, rests and fail-over. Loop thread only,
 * except requests_counts(). */
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

struct request_ask {
    const char *what;   /* in words, for errors; copied, like the next two */
    const char *path;   /* behind the server's URL */
    const char *post;   /* JSON, or NULL for GET */
    const char *type;   /* Content-Type that the answer has to have; borrowed for ever */
    uint64_t max_bytes; /* of the answer; 0: as the option max_answer_mb says */

    /* Look at a 200: 0, or -EBADMSG damaged (tried again), -ESTALE other data (tried elsewhere), or
     * what ends the request. May take the answer's body when it returns 0. */
    int (*check)(void *user, struct answer *answer, struct error *why);

    /* Told once at the end, unless cancelled; `server` is whose answer was taken. */
    void (*done)(void *user, int r, const char *server, const struct error *why);
    void *user;
};

struct request;

/* done() is never called before this returns. Errors: -ENOMEM. */
int request_start(struct requests *requests, const struct request_ask *ask, struct request **ret);
void request_cancel(struct request *request); /* accepts NULL */
