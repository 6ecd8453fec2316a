/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets: our own, one for each loop, or those that systemd passes. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "server/settings.h"

enum { LISTEN_NAME_SIZE = 128 };

/* One address, with a descriptor for each loop. */
struct listener {
    char name[LISTEN_NAME_SIZE];
    int *fds; /* [n_loops] */
};

struct listeners {
    unsigned n, n_loops;
    struct listener *items;
};

/* Open what systemd passed, or else every address of the settings, for `n_loops` loops.
 * Port 0 takes a free one, which then stands in the name.
 * Errors: -EADDRINUSE and other errors of socket(), bind(); -EINVAL not ADDR:PORT; -EACCES an
 * address that other machines reach without allow_anonymous. */
int listeners_open(const struct settings *settings, unsigned n_loops, struct listeners *ret,
                   struct error *why);

/* Close those descriptors that are still here (not -1). */
void listeners_close(struct listeners *listeners);
