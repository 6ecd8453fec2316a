/* SPDX-License-Identifier: Apache-2.0
 * The servers of a client, and which of them rest after a failure. Loop thread only, but for
 * making and freeing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/options.h"
#include "common/error.h"

enum { SERVER_REASON_MAX = 320 };

struct server {
    char *name;   /* as the caller gave it */
    char *base;   /* what paths are put behind */
    char *socket; /* path of a Unix socket, or NULL */

    unsigned failures;  /* in a row */
    uint64_t failed_at; /* number of the last try that had been sent when it failed */
    bool is_silent;     /* it failed without an answer: it may hang */
    bool is_probed;     /* a try is under way to see whether it works again */
    uint64_t rest_until_ms;
    int error; /* of the last failure, like the next */
    char reason[SERVER_REASON_MAX];

    double typical_ms; /* until its answers begin; 0: there was none yet */
};

enum { SERVERS_MAX = 64 };

struct servers {
    size_t n;
    struct server list[SERVERS_MAX];
};

/* Errors: -EINVAL a URL, their number, none; -ENOMEM. */
int servers_new(const char *const *urls, size_t n, struct servers **ret, struct error *why);
void servers_free(struct servers *servers);

/* Whether all of them are on this machine, by their names: bytes cost nothing there, and what a
 * server computes is taken from us. Any thread. */
bool servers_are_local(const struct servers *servers);

/* What became of a try. Tries are numbered in the order in which they are sent. */
struct server_failure {
    uint64_t number, last_number; /* of the try, and of the last one that was sent to anybody */
    uint64_t now_ms;
    uint64_t at_least_ms; /* of rest, as its Retry-After says */
    bool is_silent;
    int error;
    const char *reason;
    uint32_t random;
};

/* Let the server rest. Returns whether it counted: tries that were under way together count once.
 */
bool server_failed(struct server *server, const tnm_options *options,
                   const struct server_failure *failure);

/* The server answered the try of this number. An answer to what was sent before the server failed
 * says nothing of what it is now, and lifts no rest. Returns whether it did lift one. */
bool server_answered(struct server *server, uint64_t number);

/* So long it took until an answer began. */
void server_took(struct server *server, uint64_t ms);

/* When this server may be asked, which is UINT64_MAX while others wait for what becomes of a try;
 * 0: now, and it is well. */
uint64_t server_free_at(const struct server *server);

/* After how long answers of the other servers usually begin; 0 where none has answered yet. */
double servers_typical_ms(const struct servers *servers, size_t but);
