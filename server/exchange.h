/* SPDX-License-Identifier: Apache-2.0
 * One request and its answer, between libmicrohttpd and the routes.
 *
 * An exchange belongs to its server's thread. While a worker makes its answer it is that worker's,
 * and libmicrohttpd has suspended the connection, so that nothing happens to either; it comes back
 * through the list `finished`, under a lock. So the counts here are only ever touched by the
 * server's thread, and are no atomics. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/peer.h"
#include "server/service.h"
#include "server/workers.h"

struct exchange;
struct MHD_Connection;

/* What all exchanges of one server share. */
struct exchanges {
    struct service *service;
    struct workers *workers;
    void (*wake)(void *user); /* any thread: have exchanges_collect() called */
    void *user;
    unsigned n_running; /* have begun to arrive, and are not answered to the end */
    unsigned n_out;     /* of them given to the workers */
    bool stopping;
    pthread_mutex_t lock; /* of `finished`; also held while wake() is called */
    struct exchange *finished;
    struct exchange *spare; /* that have ended, for those to come */
    unsigned n_spare;
};

void exchanges_init(struct exchanges *ret, struct service *service, struct workers *workers,
                    void (*wake)(void *user), void *user);

/* Go on with those that the workers have given back. */
void exchanges_collect(struct exchanges *all);

/* None may be out. */
void exchanges_free(struct exchanges *all);

/* A request whose target is `url` arrives. NULL: there is no memory. */
struct exchange *exchange_begin(struct exchanges *all, struct peer *peer, const char *url);

/* libmicrohttpd's call with the head, with each piece of the body, at the end. False: hang up. */
bool exchange_step(struct exchange *exchange, const char *path, const char *method,
                   const char *version, const char *piece, size_t piece_size);

/* The request has come to its end, in one way or another; `whole`: libmicrohttpd says that its
 * answer has left. */
void exchange_end(struct exchange *exchange, bool whole);

/* Take what still waits in the workers' queue out of it: because nobody is there any more, or, when
 * `late`, because the server stops, which is then the answer; one that leaves already ends there.
 * And try once more to have read on what had no room in the queue. */
void exchange_give_up(struct exchange *exchange, bool late);
