/* SPDX-License-Identifier: Apache-2.0
 * What is kept of a request until it has ended, and then counted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/peer.h"
#include "server/request.h"
#include "server/samples/reply.h"

enum { RECORD_METHOD_SIZE = 16 };

struct record {
    uint64_t begun_ns;
    char method[RECORD_METHOD_SIZE]; /* "" before the head is read; cut */
};

/* The first line of a request has come. */
void record_begin(struct record *ret);

void record_method(struct record *record, const char *method);

/* How it ended. */
struct record_end {
    const struct request *request;
    const struct reply *reply;
    const struct peer *peer;
    uint64_t n_received; /* bytes of the request's body */
    uint64_t n_read;     /* bytes of the answer's body, as far as known where it is not whole */
    bool whole;          /* the answer was handed over to its last byte */
};
void record_end(const struct record *record, const struct record_end *end);
