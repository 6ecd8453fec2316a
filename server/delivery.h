/* SPDX-License-Identifier: Apache-2.0
 * How an answer leaves: through libmicrohttpd, in the way that suits its body, or past it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/samples/reply.h"
#include "server/tls.h"

struct MHD_Connection;

struct delivery {
    struct reply *reply;
    void (*release)(void *user); /* called once for each delivery_send(), at its end */
    void *user;

    size_t part, part_read; /* where the next block begins */
    uint64_t read;
};

/* Claim the block that an answer of many parts is copied into. False: the budget has none left. */
bool delivery_claim(struct delivery *delivery);

/* Hand the answer to libmicrohttpd; it and what it borrows stay until release(). False: there is no
 * memory, or the connection takes no answer now, and the caller has to hang up. */
bool delivery_send(struct delivery *delivery, struct MHD_Connection *connection, bool close);

/* Write an answer of one piece to the socket itself, where libmicrohttpd has no memory for it or
 * takes none now, as far as the socket takes it at once; through
 * `tls` where that is not NULL. */
void delivery_bypass(const struct reply *reply, int fd, struct tls_side *tls);
