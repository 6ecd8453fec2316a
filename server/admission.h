/* SPDX-License-Identifier: Apache-2.0
 * Who may come in: connections are counted over all loops, in all and for each address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/error.h"

struct admission;

/* A connection that was let in, and whose it is. */
struct guest {
    int fd; /* non-blocking, closed by exec */
    struct sockaddr_storage from;
    socklen_t from_size;
    uint64_t address; /* stands for the client: its IPv4 address, IPv6 network, or user */
    struct admission *admission; /* that let it in */
    bool is_admin;               /* came in where health and metrics are told, and nothing else */
};

enum {
    GUEST_NAME_SIZE = 64,
    ADMISSION_ADMINS = 16, /* may ask for health and metrics at a time, beside all others */
};

/* The client's address, as people write it: without a port, or "unix:" and the user's number. */
void guest_name(const struct guest *guest, char ret[GUEST_NAME_SIZE]);

/* At most `most` connections, `most_per_address` from each address; 0 of these is no limit.
 * Errors: -ENOMEM. */
int admission_new(unsigned most, unsigned most_per_address, struct admission **ret,
                  struct error *why);

/* Accept the next connection of a listening socket. Any thread.
 * Errors: -EAGAIN nobody waits; -EUSERS there are as many as may be; -ECONNREFUSED one was closed
 * at once, because its address has as many as it may; those of accept4(). */
int admission_accept(struct admission *admission, int listen_fd, struct guest *ret);

/* A guest of this address has left. Any thread. */
void admission_leave(struct admission *admission, uint64_t address);

/* How many are in. Any thread. */
unsigned admission_count(struct admission *admission);

/* Nobody may be in. */
void admission_free(struct admission *admission);
