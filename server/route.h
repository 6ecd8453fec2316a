/* SPDX-License-Identifier: Apache-2.0
 * One row of the route table. */
#pragma once

#include <stdint.h>

#include "server/handlers.h"
#include "server/request.h"

#define METHOD_BIT(method) (1u << (method))

struct route {
    const char *pattern;
    unsigned methods; /* METHOD_BIT of each; HEAD comes with GET */
    unsigned formats; /* FORMAT_BIT of each */
    enum {
        SERVES_HEALTH,  /* a document that is open: without a token, and however often */
        SERVES_PAGE,    /* the same, but counted against the rates */
        SERVES_METRICS, /* one at admin_listen alone, or for who shows a token */
        SERVES_DOCUMENT,
        SERVES_SHARDS, /* samples, and what is said of them, in the route's own formats */
        SERVES_SAMPLE,
        SERVES_BATCH
    } serves;             /* samples and batches in their formats */
    uint64_t params;      /* PARAM_BIT of each */
    handler_check *check; /* NULL: cheap, and always there */
    handler *handle;
    const char *help;
};

/* All of them, in routes.c. */
extern const struct route routes[];
extern const unsigned n_routes;

/* FORMAT_BIT of all formats that the route answers in. */
unsigned route_formats(const struct route *route);
