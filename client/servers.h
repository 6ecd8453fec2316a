/* SPDX-License-Identifier: Apache-2.0
 * The servers of a client, and which of them rest after a failure. A URL whose host has several
 * addresses is as many servers; so is one of SRV records, of which nothing is known until they were
 * looked up. Loop thread only, but for making and freeing, and what never changes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/options.h"
#include "client/srv.h"
#include "common/error.h"

enum { SERVER_REASON_MAX = 320, SERVER_ADDRESS_MAX = 46, SERVER_LABEL_MAX = 212 };

struct server {
    char *name;   /* as the caller gave it; never changes, like the next four */
    char *base;   /* what paths are put behind; of an SRV record it changes with its life */
    char *socket; /* path of a Unix socket, or NULL */
    char *host;   /* a name that may have several addresses, or NULL */
    char *srv;    /* the name of the SRV records that the URL stands for, or NULL */
    size_t url;   /* which of the URLs it belongs to */

    unsigned life;                    /* it has been so many others before */
    bool is_absent;                   /* its URL has fewer addresses by now */
    bool is_unknown;                  /* of SRV records that were not found yet: it has no base */
    char *own_base;                   /* of its record; or NULL */
    unsigned priority;                /* of its record: who has a lower one is asked before it */
    char address[SERVER_ADDRESS_MAX]; /* to go to; "" where the URL has but one */
    char label[SERVER_LABEL_MAX];     /* what messages call it */

    unsigned failures;  /* in a row */
    uint64_t failed_at; /* number of the last try that had been sent when it failed */
    bool is_silent;     /* it failed without an answer: it may hang */
    bool is_probed;     /* a try is under way to see whether it works again */
    uint64_t rest_until_ms;
    int error; /* of the last failure, like the next */
    char reason[SERVER_REASON_MAX];

    unsigned n_under_way;    /* tries, of this life */
    double typical_ms;       /* until its answers begin; 0: there was none yet */
    double typical_rate;     /* bytes in a millisecond of long answers; 0: there was none yet */
    double typical_whole_ms; /* until its answers are there; 0: there was none yet; INFINITY: all
                                were bad */
    uint64_t measured_ms;    /* when it last was, */
    uint64_t measured_at;    /* and how many tries had been sent then */
};

enum {
    SERVERS_MAX = 64,
    SERVERS_MORE = 15,        /* than URLs, for all of them together */
    SERVERS_LISTED = SRV_MAX, /* of one URL, addresses too */
};

struct servers {
    size_t n_urls; /* the first servers are theirs */
    size_t n;      /* with those of further addresses; it grows, */
    size_t n_most; /* up to this */
    uint32_t seed; /* of the client: not all know or ask the same servers first */
    struct server list[SERVERS_MAX];
};

/* Errors: -EINVAL a URL, their number, none; -ENOMEM. */
int servers_new(const char *const *urls, size_t n, struct servers **ret, struct error *why);
void servers_free(struct servers *servers);

/* The host of URL number `url` has these addresses now, SERVERS_LISTED at most: each is a server,
 * if there are several and it has a place. Where there are too few places the seed says which of
 * them have one. One that stays is as well or ill as it was. `last_number` is that of the last try
 * that was sent to anybody. Returns whether anything has changed. */
bool servers_set_addresses(struct servers *servers, size_t url,
                           const char (*addresses)[SERVER_ADDRESS_MAX], size_t n,
                           uint64_t last_number);

/* The same with the SRV records that were found for the URL; who has a lower priority has a place
 * before others. Without memory all stays as it is. */
bool servers_set_records(struct servers *servers, size_t url, const struct srv_records *records,
                         uint64_t last_number);

/* How many there are at present. */
size_t servers_count(const struct servers *servers);

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

/* So long it took until an answer began; and so long, in all, until its `bytes` were there: what is
 * short says nothing of a rate. */
void server_took(struct server *server, uint64_t ms);
void server_sent(struct server *server, uint64_t bytes, uint64_t ms);

/* When this server may be asked, which is UINT64_MAX while others wait for what becomes of a try;
 * 0: now, and it is well. */
uint64_t server_free_at(const struct server *server);

/* After how long answers of the other servers usually begin; 0 where none has answered yet. */
double servers_typical_ms(const struct servers *servers, size_t but);

/* Bytes of a long answer that usually come from them in a millisecond; 0 where none was long. */
double servers_typical_rate(const struct servers *servers, size_t but);
