/* SPDX-License-Identifier: Apache-2.0
 * What is wrong, as application/problem+json (RFC 9457): one row for each kind. */
#pragma once

#include "server/request.h"
#include "server/samples/reply.h"

/* clang-format off */
#define PROBLEMS(X) \
    X(BAD_REQUEST,       400, "bad-request",        "This is not a request of HTTP/1.1") \
    X(BAD_PARAMETER,     400, "bad-parameter",      "A parameter is not valid") \
    X(BAD_BODY,          400, "bad-body",           "The body is not what this path takes") \
    X(NO_SUCH_PATH,      404, "no-such-path",       "There is nothing at this path") \
    X(NO_SUCH_SPLIT,     404, "no-such-split",      "There is no such split") \
    X(NO_SUCH_REVISION,  404, "no-such-revision",   "This revision of the split is not loaded") \
    X(NO_SUCH_SAMPLE,    404, "no-such-sample",     "There is no such sample") \
    X(NO_SUCH_BATCH,     404, "no-such-batch",      "The epoch has no such batch") \
    X(NO_SOURCE,         404, "no-source",          "The recordings behind this split are not loaded") \
    X(METHOD,            405, "method-not-allowed", "This path does not take that method") \
    X(NOT_ACCEPTABLE,    406, "not-acceptable",     "This path has no such format") \
    X(TOO_LARGE,         413, "too-large",          "This is more than one request may ask for") \
    X(URL_TOO_LONG,      414, "url-too-long",       "The URL is too long") \
    X(RANGE,             416, "range-not-satisfiable", "The range lies outside the file") \
    X(HEADERS_TOO_LARGE, 431, "headers-too-large",  "The head of the request is too large") \
    X(SPLIT_DAMAGED,     500, "split-damaged",      "The split's file was damaged while it was served") \
    X(INTERNAL,          500, "internal",           "The server made a mistake") \
    X(NO_MEMORY,         500, "no-memory",          "There is no memory for the answer") \
    X(NOT_IMPLEMENTED,   501, "not-implemented",    "This part of HTTP/1.1 is not taken") \
    X(BUSY,              503, "busy",               "The server has more to do than it takes on") \
    X(STOPPING,          503, "stopping",           "The server is stopping")
/* clang-format on */

enum problem_kind {
#define PROBLEM_KIND(kind, ...) PROBLEM_##kind,
    PROBLEMS(PROBLEM_KIND)
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
