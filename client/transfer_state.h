/* SPDX-License-Identifier: Apache-2.0
 * What client/transfer*.c share: an exchange, and what all of a client's have in common. */
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>

#include "client/transfer.h"

struct transfers {
    struct loop *loop;
    const tnm_options *options;
    CURLM *multi;
    struct loop_timer *timer;
    struct curl_slist *headers; /* sent with each request */
    struct curl_slist *fresh_headers, *post_headers;
    struct transfer *first, **last; /* that wait for their turn */
    uint64_t n_active;
    atomic_uint_least64_t bytes;
};

struct transfer {
    struct transfers *all;
    struct transfer *next; /* while it waits for its turn */
    bool active;
    CURL *easy;
    struct curl_slist *connect_to; /* or NULL */
    transfer_done *done;
    void *user;
    struct answer answer;
    uint64_t max_bytes; /* of a good answer's body */
    bool is_part;       /* part of something was asked for: 206 is good, 200 is not */
    uint64_t received;  /* bytes of head and body so far */
    bool in_head;       /* the status line has come, the end of the head has not */
    bool is_enough;     /* we ended it: the rest of its body is of no use */
    int refused;        /* why we ourselves ended it: negative errno */
    char message[CURL_ERROR_SIZE];
};

/* Most bytes of a 200's body. */
uint64_t transfer_max_bytes(const tnm_options *options, const struct transfer_ask *ask);

/* Tell the handle of a fresh transfer all that there is to tell. */
void transfer_set_up(struct transfer *transfer, const struct transfer_ask *ask);

/* What became of it: fills in what the answer says of the exchange; 0, or a negative errno and why.
 */
int transfer_result(struct transfer *transfer, CURLcode code, struct error *why);
