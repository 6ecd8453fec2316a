/* SPDX-License-Identifier: Apache-2.0
 * HTTP exchanges with servers, many at once. Loop thread only, except transfers_bytes(), lines and
 * transfer_check_url(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/body.h"
#include "client/loop.h"
#include "client/options.h"
#include "common/error.h"

enum answer_header {
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_RANGE,
    HEADER_DIGEST,
    HEADER_LOCATION,
    HEADER_RETRY_AFTER,
    N_ANSWER_HEADERS
};

enum { HEADER_MAX = 256 };

struct answer {
    long status;             /* of HTTP; 0 while there is none */
    uint64_t begun_after_ms; /* from sending to its first byte */
    const char *server;      /* whose it is, for who asked; NULL where that is not told */
    struct body body;
    char headers[N_ANSWER_HEADERS][HEADER_MAX]; /* "" where absent */
};

struct transfers;

/* `options` are borrowed. Errors: -ENOMEM. */
int transfers_new(struct loop *loop, const tnm_options *options, struct transfers **ret);
void transfers_free(struct transfers *transfers); /* all of them have ended */

/* Bytes of answers so far. Any thread. */
uint64_t transfers_bytes(const struct transfers *transfers);

/* Told once at the end, unless cancelled: r is 0 when an answer came, whatever its status, and else
 * the negative errno. The answer may be changed, and its body taken. */
typedef void transfer_done(void *user, int r, struct answer *answer, const struct error *why);

struct transfer;

struct transfer_ask {
    const char *url;
    const char *unix_socket; /* to go over, or NULL */
    const char *address; /* to go to instead of what the URL's host resolves to; "" or NULL: none */
    const char *post;    /* JSON, or NULL for GET */
    uint64_t max_bytes;  /* of a 200's body; 0: the option max_answer_mb alone */
    uint64_t part_begin; /* where the part begins that is asked for, if it is one */
    uint64_t part_size;  /* bytes of it; 0: all is asked for */
    uint64_t timeout_ms; /* for the whole answer; 0: as the option timeout_ms says */
    bool is_urgent;      /* does not wait for its turn */
    bool is_fresh;       /* caches in between ask the server anew */
};

/* Ask; all texts are copied. Waits for its turn while as many as the option `connections` are under
 * way. Nothing is told before it returns. Of the body of an answer other than 200 no more is read
 * than a problem has; of a part no more than was asked for, and of all that came instead nothing.
 * Errors: -ENOMEM. */
int transfer_start(struct transfers *transfers, const struct transfer_ask *ask, transfer_done *done,
                   void *user, struct transfer **ret);
void transfer_cancel(struct transfer *transfer);

/* Whether its turn has come; whether it has a connection over which it can ask; and the bytes of
 * its answer so far. */
bool transfer_has_begun(const struct transfer *transfer);
bool transfer_is_connected(const struct transfer *transfer);
uint64_t transfer_received(const struct transfer *transfer);

/* A connection that is kept for one exchange after the other, in the caller's own thread: what
 * waits for one answer has nothing to gain from another thread. One thread at a time. */
struct line;

/* The transfers are borrowed. Errors: -ENOMEM. */
int line_new(struct transfers *transfers, struct line **ret);
void line_free(struct line *line);

/* Get what is asked for, without a body of ours, from the one server that the line is used for.
 * Asks `tick` ten times a second while it waits, which ends it by a negative errno. Like
 * transfer_done() otherwise; the caller clears the answer's body. */
int line_get(struct line *line, const struct transfer_ask *ask, int (*tick)(void *user), void *user,
             struct answer *ret, struct error *why);

/* Check `url` as a server's: http or https, a host, no query. Errors: -EINVAL. Any thread. */
int transfer_check_url(const char *url, struct error *why);
