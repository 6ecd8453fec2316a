/* SPDX-License-Identifier: Apache-2.0
 * One row of the route table. */
#pragma once

#include "server/handlers.h"
#include "server/request.h"

#define METHOD_BIT(method) (1u << (method))

struct route {
    const char *pattern;
    unsigned methods; /* METHOD_BIT of each; HEAD comes with GET */
    unsigned formats; /* FORMAT_BIT of each */
    enum {
        SERVES_HEALTH, /* a document that is open: without a token, and however often */
        SERVES_DOCUMENT,
        SERVES_SAMPLE,
        SERVES_BATCH
    } serves;             /* the last two in their formats */
    unsigned params;      /* PARAM_BIT of each */
    handler_check *check; /* NULL: cheap, and always there */
    handler *handle;
    const char *help;
};
