/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets: our own, one for each loop, or those that systemd passes. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "common/error.h"
#include "server/address.h"
#include "server/settings.h"

enum { LISTEN_NAME_SIZE = ADDRESS_TEXT_SIZE + 64 };

/* One address, with a descriptor for each loop. */
struct listener {
    char name[LISTEN_NAME_SIZE];
    bool is_admin;    /* tells health and metrics alone */
    int *fds;         /* [n_loops] */
    char *file;       /* of a Unix socket that we made, else NULL */
    struct stat made; /* that file as it was then */
};

struct listeners {
    unsigned n, n_loops;
    struct listener *items;
};

/* Whether the addresses of the settings can be understood and may be served; opens nothing.
 * Errors: address_parse(); -EACCES other machines reach it, neither tokens nor certificates are
 * asked for, and allow_anonymous is no. */
int listeners_check(const struct settings *settings, struct error *why);

/* Open what systemd passed, or else every address of `listen`, and that of `admin_listen`, for
 * `n_loops` loops.
 * Port 0 takes a free one, which then stands in the name. What systemd said about passed sockets
 * is taken out of the environment: before there are threads.
 * Errors: listeners_check(); -EADDRINUSE somebody else listens there, or what stands in a Unix
 * socket's place is none; -ENOTSOCK, -EINVAL what was passed is no socket that listens; others of
 * socket() and bind(). */
int listeners_open(const struct settings *settings, unsigned n_loops, struct listeners *ret,
                   struct error *why);

/* Whether one of them tells health and metrics alone. */
bool listeners_have_admin(const struct listeners *listeners);

/* Remove the files of our Unix sockets, if they are ours still, so that nobody new comes in. */
void listeners_unlink(struct listeners *listeners);

/* Unlink, and close those descriptors that are still here (not -1). */
void listeners_close(struct listeners *listeners);
