/* SPDX-License-Identifier: Apache-2.0
 * The problems of OpenAPI's document: which a path can have, and what each is. */
#pragma once

#include "server/description.h"
#include "server/route.h"

/* What a route is, for the problems that it can have. */
enum trait {
    HAS_SPLIT = 1u << 0,   /* the path names one */
    HAS_SAMPLES = 1u << 1, /* and samples of it */
    HAS_BATCHES = 1u << 2, /* or a batch */
    TAKES_BODY = 1u << 3,
    IS_CLOSED = 1u << 4,  /* not open to everybody */
    HAS_CHOICE = 1u << 5, /* of formats that may not be there */
    HAS_LIMIT = 1u << 6,  /* on how much is asked for */
    HAS_RANGE = 1u << 7,  /* a part of it can be asked for */
    IS_COUNTED = 1u << 8, /* against the rates */
    HAS_FILES = 1u << 9,  /* of which one may not be there */
    HAS_SHARDS = 1u << 10,
    NEVER = 1u << 31, /* whoever follows this document does not see it */
};

/* Bits of what a route is with one format, or (N_FORMATS) with the one that is accepted. */
unsigned openapi_traits(const struct route *route, enum format format);

/* Add, to the responses of an operation of these traits, those that tell of a problem. */
void openapi_add_problems(json_t *responses, unsigned traits);

/* Of the components: a response for each status that problems have, and what their bodies are. */
void openapi_add_problem_responses(json_t *objects);
json_t *openapi_problem_schema(void);
