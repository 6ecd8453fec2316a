/* SPDX-License-Identifier: Apache-2.0
 * The library's options: one row feeds the struct, the parser and the help. */
#pragma once

#include <stdint.h>

#include "client/twonmnist.h"

/*  name                default   min  max        help */
#define OPTIONS_NUMBERS(X)                                                                      \
    X(patience_s, 300, 0, 31536000, "s that a stream waits for a server to come back")          \
    X(call_patience_s, 10, 0, 31536000, "s that opening and single calls wait for a server")    \
    X(connect_timeout_ms, 5000, 1, 3600000, "ms until a connection has to stand")               \
    X(timeout_ms, 0, 0, 86400000,                                                               \
      "ms until an answer has to be whole, however it flows; 0: no limit")                      \
    X(stall_timeout_s, 15, 1, 86400, "s without an answer after which a server counts as gone") \
    X(retries, 6, 0, 1000, "further tries at each server after an answer that was damaged")     \
    X(backoff_ms, 100, 1, 60000, "ms of rest for a server after its first failure")             \
    X(backoff_max_ms, 2000, 1, 3600000, "ms of rest at most, as it doubles")                    \
    X(retry_after_max_ms, 60000, 0, 86400000, "ms of a server's Retry-After that are obeyed")   \
    X(connections, 8, 1, 256, "requests under way at once")                                     \
    X(max_answer_mb, 1024, 1, 1048576, "MB (10^6 bytes) in one answer at most")

/*  name, help */
#define OPTIONS_TEXTS(X)                                                                           \
    X(token, "bearer token")                                                                       \
    X(ca_file, "PEM file of the certificates to trust instead of the system's")                    \
    X(certificate_file, "PEM file of a certificate to show to servers that ask for one")           \
    X(key_file, "PEM file of its private key, where that is not in the same file")                 \
    X(proxy, "URL of a proxy, or \"environment\": what http_proxy, https_proxy and no_proxy say; " \
             "default none")

#define OPTION_PROXY_ENVIRONMENT "environment"

/* How what becomes frames by a rule is sent. */
enum option_wire { OPTION_WIRE_AUTO, OPTION_WIRE_EVENTS, OPTION_WIRE_SPARSE };

struct tnm_options {
    uint64_t wire; /* enum option_wire */
#define X(name, ...) uint64_t name;
    OPTIONS_NUMBERS(X)
#undef X
#define X(name, ...) char *name;
    OPTIONS_TEXTS(X)
#undef X
};

/* A copy, or the defaults where `options` is NULL. Errors: -ENOMEM. */
int options_copy(const tnm_options *options, tnm_options **ret);
