/* SPDX-License-Identifier: Apache-2.0
 * How an answer leaves: through libmicrohttpd, in the way that suits its body, or past it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/samples/pace.h"
#include "server/samples/reply.h"
#include "server/tls.h"

struct MHD_Connection;

struct delivery {
    struct reply *reply;
    void (*release)(void *user); /* called once for each delivery_send(), at its end */
    /* Have delivery_await() called by a thread that may wait for a disk, the connection suspended
     * until then. False: that will not be. */
    bool (*wait)(void *user);
    void *user;

    struct pace_place place; /* where the next block begins */
    uint64_t read;

    /* delivery_plan() */
    bool is_paced;
    uint64_t awaited;   /* so much of the body is in memory, or was just now */
    uint64_t waited_at; /* where it was waited for last */
    unsigned in_vain;   /* how often there, before */
};

/* See whether the answer is so long, and perhaps not in memory, that it is read from the disk as it
 * leaves. Before delivery_claim(). */
void delivery_plan(struct delivery *delivery, bool is_cold);

/* Wait until what leaves next is in memory. The connection is suspended. */
void delivery_await(struct delivery *delivery);

/* Claim the block that an answer of many parts, or that is paced, is copied into. False: the budget
 * has none left. */
bool delivery_claim(struct delivery *delivery);

/* Hand the answer to libmicrohttpd; it and what it borrows stay until release(). False: there is no
 * memory, or the connection takes no answer now, and the caller has to hang up. */
bool delivery_send(struct delivery *delivery, struct MHD_Connection *connection, bool close);

/* Write an answer of one piece to the socket itself, where libmicrohttpd has no memory for it or
 * takes none now, as far as the socket takes it at once; through
 * `tls` where that is not NULL. */
void delivery_bypass(const struct reply *reply, int fd, struct tls_side *tls);
