/* SPDX-License-Identifier: Apache-2.0
 * SRV records (RFC 2782): at which hosts and ports there is a service. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "client/loop.h"
#include "common/error.h"

enum { SRV_MAX = 256, SRV_TARGET_MAX = 254 }; /* of DNS names as text, with its end */

struct srv_record {
    uint16_t priority, port;
    char target[SRV_TARGET_MAX]; /* in small letters */
};

/* Each host and port once, the lowest priorities first. */
struct srv_records {
    size_t n;
    struct srv_record list[SRV_MAX];
};

/* The records in an answer of a name server. What can be no server is left out: the root as target,
 * port 0, a target that is no host's name; so are the last ones of more than SRV_MAX. Any thread.
 * Errors: -EBADMSG damaged; -ENOENT it has none. */
int srv_read(const uint8_t *bytes, size_t size, struct srv_records *ret, struct error *why);

/* Ask the system's resolver for the records of this name, which is copied, on the worker pool, and
 * tell them, which are borrowed; or NULL, and why, which begins with the name. Nothing is told once
 * it was abandoned, which has to be before the loop is freed; that waits for the resolver. Loop
 * thread. Errors: -ENOMEM and what libuv says. */
struct srv_lookup;
int srv_lookup(struct loop *loop, const char *name,
               void (*done)(void *user, const struct srv_records *found, const struct error *why),
               void *user, struct srv_lookup **ret);
void srv_lookup_abandon(struct srv_lookup *lookup); /* accepts NULL */
