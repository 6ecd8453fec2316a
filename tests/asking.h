/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/: requests without a connection, as server/http makes them. */
#pragma once

#include "server/routes.h"

/* The small splits behind a service, with settings that may be changed until it is opened. */
struct asked_service {
    char folder[256];
    struct settings settings;
    struct service *service;
};
void asked_service_init(struct asked_service *ret);
void asked_service_open(struct asked_service *asked);
void asked_service_close(struct asked_service *asked);

/* One request, and what came of it. */
struct asking {
    struct request request;
    struct reply reply;
    char *text; /* that path and query point into */
};

/* Begin a request of a target like "/v1/splits?x=y", without headers or body. Nothing is decoded.
 * The caller adds what it wants, and ends it with asking_end(). */
void asking_begin(struct asking *ret, struct asked_service *asked, enum request_method method,
                  const char *target);

/* Up to the checks, or to the answer. Returns the status: 0 where the checks have passed. */
unsigned asking_check(struct asking *asking);
unsigned asking_answer(struct asking *asking);

/* Drop it; fails unless all that it claimed has gone back. */
void asking_end(struct asking *asking);

/* A whole request of this target; fails unless its answer has this status. */
void asking_get(struct asking *ret, struct asked_service *asked, const char *target,
                unsigned status);

/* Fails unless the answer is the problem of this code with these words in its detail. */
void asking_is_problem(const struct asking *asking, const char *code, const char *words);

/* A whole request, that fails by this problem. */
void asking_fails(struct asked_service *asked, const char *target, unsigned status,
                  const char *code, const char *words);
