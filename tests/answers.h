/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/: what is in an answer. */
#pragma once

#include <stdint.h>

#include "server/samples/reply.h"

/* A reply that may hold all the budget there is. */
struct reply answer_new(void);

/* The value of its header, or NULL; fails where the header is there twice. */
const char *answer_header(const struct reply *reply, const char *name);

/* Its body in one piece with a NUL behind it, from malloc(). */
char *answer_body(const struct reply *reply);

/* Fails unless the body is these bytes. */
void answer_is(const struct reply *reply, const void *bytes, size_t size);

/* Drop it; fails unless all that was claimed has gone back to the budget. */
void answer_end(struct reply *reply);
