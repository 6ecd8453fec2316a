/* SPDX-License-Identifier: Apache-2.0
 * The servers of a client, and which of them rest after a failure. Loop thread only, but for
 * making and freeing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/options.h"
#include "common/error.h"

struct server {
    char *name;        /* as the caller gave it */
    char *base;        /* what paths are put behind */
    char *socket;      /* path of a Unix socket, or NULL */
    unsigned failures; /* in a row */
    bool is_probed;    /* a try is under way to see whether it works again */
    uint64_t rest_until_ms;
};

enum { SERVERS_MAX = 64 };

struct servers {
    size_t n;
    struct server list[SERVERS_MAX];
};

/* Errors: -EINVAL a URL, their number, none; -ENOMEM. */
int servers_new(const char *const *urls, size_t n, struct servers **ret, struct error *why);
void servers_free(struct servers *servers);

/* The server failed at `now_ms`: let it rest, at least `at_least_ms`. Failures of tries that were
 * under way together count once. */
void server_failed(struct server *server, const tnm_options *options, uint64_t now_ms,
                   uint64_t at_least_ms, uint32_t random);

/* The server answered. */
void server_answered(struct server *server);

/* A try begins: where the last one failed, others wait for what becomes of this one. */
void server_probe(struct server *server, const tnm_options *options, uint64_t now_ms);
