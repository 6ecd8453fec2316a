/* SPDX-License-Identifier: Apache-2.0
 * A line of the access log: one request, as JSON or in the Common Log Format. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct access {
    struct timespec time; /* when it ended, CLOCK_REALTIME */
    const char *address;
    const char *token;  /* its name, or NULL */
    const char *method; /* "" where no head came */
    const char *url;    /* the target as it came; a long one is cut */
    unsigned status;    /* 0: there was no answer */
    uint64_t n_bytes;   /* of the answer's body, as far as is known where it is not whole */
    uint64_t duration_ns;
    bool aborted; /* it ended before its answer was whole */
};

enum access_format { ACCESS_JSON, ACCESS_COMMON };

enum { ACCESS_LINE_SIZE = 4096 };

/* The line with its end, whatever bytes the client sent: printable ASCII. Returns its length. */
size_t access_line(enum access_format format, const struct access *access,
                   char ret[ACCESS_LINE_SIZE]);
