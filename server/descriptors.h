/* SPDX-License-Identifier: Apache-2.0
 * How many connections the limit of open descriptors leaves room for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* What needs descriptors. */
struct descriptors {
    unsigned n_loops, n_listeners;
    unsigned n_admins; /* connections that are not among max_connections */
    size_t n_splits;
    uint64_t max_connections; /* as it is wanted */
};

/* Raise RLIMIT_NOFILE as far as this process may, and return it. */
uint64_t descriptors_raise_limit(void);

/* How many connections there can be under `limit`: at most those that are wanted.
 * Errors: -EMFILE not even one for each loop. */
int descriptors_fit(const struct descriptors *needed, uint64_t limit, uint64_t *ret_connections,
                    struct error *why);
