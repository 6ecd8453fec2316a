/* SPDX-License-Identifier: Apache-2.0
 * What is wrong, as application/problem+json (RFC 9457). The kinds are rows of common/wire.h. */
#pragma once

#include "common/wire.h"
#include "server/request.h"
#include "server/samples/reply.h"

enum problem_kind {
#define PROBLEM_KIND(kind, ...) PROBLEM_##kind,
    WIRE_PROBLEMS(PROBLEM_KIND)
#undef PROBLEM_KIND
};

/* Make `reply` the answer that tells the problem; whatever it held is dropped. */
void problem(const struct request *request, struct reply *reply, enum problem_kind kind,
             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same with a member of its own, `name`: `number`. */
void problem_number(const struct request *request, struct reply *reply, enum problem_kind kind,
                    const char *name, uint64_t number, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The problem behind an error of server/samples/, whose words are `why`. */
void problem_error(const struct request *request, struct reply *reply, int error,
                   const struct error *why);
