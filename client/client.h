/* SPDX-License-Identifier: Apache-2.0
 * What all parts of one client share: its thread, its servers, and waiting. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/loop.h"
#include "client/options.h"
#include "client/request.h"
#include "client/twonmnist.h"
#include "common/error.h"

struct tnm_client {
    unsigned n_refs; /* under the lock */
    pid_t pid;       /* that opened it: a forked child has no background thread */
    tnm_options *options;
    struct servers *servers;
    struct loop *loop;
    struct requests *requests;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something that a call may wait for has happened */
    uint64_t n_cancels;     /* under the lock, like the next ones */
    tnm_progress *progress;
    void *progress_user;
    tnm_message *message;
    void *message_user;
    pthread_mutex_t line_lock;
    struct line *line; /* for single requests; under its lock */
};

/* 0 where the client may be used here; else -EINVAL or -ECHILD, kept as the last error. */
int client_check(const tnm_client *client);

/* False in a forked child, which can only forget what the parent opened. */
bool client_is_ours(const tnm_client *client);

tnm_client *client_ref(tnm_client *client);
void client_unref(tnm_client *client); /* not in the loop's thread */

/* How often tnm_cancel() was called. A call notes it before it starts what it waits for, so that no
 * cancel in between is lost. */
uint64_t client_cancels(tnm_client *client);

/* What a call waits for. */
struct client_waited {
    bool (*ready)(const void *user); /* asked under the lock */
    /* The request that it hangs on, or NULL; asked in the loop's thread. */
    const struct request *(*request)(const void *user);
    const void *user;
    uint64_t n_cancels; /* client_cancels(), noted before it was started */
};

/* Wait until it is ready, or cancelled; the caller holds the lock. Errors: -ECANCELED, kept as the
 * last error. */
int client_wait(tnm_client *client, const struct client_waited *waited);

/* Tell the progress, as a call that waits by itself has to ten times a second. Errors: -ECANCELED,
 * kept as the last error. */
int client_tick(tnm_client *client, uint64_t n_cancels);

/* Give a text to who listens to messages, in this thread. */
void client_say(tnm_client *client, const struct error *text);

/* Make one request and wait for its end. The caller frees *ret_server, which may be NULL. Errors:
 * those of requests, kept as the last error. */
int client_request(tnm_client *client, const struct request_ask *ask, char **ret_server);
