/* SPDX-License-Identifier: Apache-2.0
 * An answer in the making: status, headers, and a body of pieces that are borrowed from a map or
 * owned. Belongs to one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { REPLY_MAX_HEADERS = 10, REPLY_HEADER_VALUE = 192, REPLY_MAX_OWNED = 4 };

struct reply_header {
    const char *name;
    char value[REPLY_HEADER_VALUE];
};

struct reply {
    unsigned status;
    unsigned n_headers;
    struct reply_header headers[REPLY_MAX_HEADERS];
    struct iovec *parts;
    size_t n_parts, parts_size;
    void *owned[REPLY_MAX_OWNED];
    unsigned n_owned;
    uint64_t n_bytes;
    uint64_t n_claimed; /* bytes of the budget that go back with the reply */
};

/* `reply` is all zeros before. */
void reply_free(struct reply *reply);

/* Forget body and headers, to answer something else. */
void reply_reset(struct reply *reply);

void reply_set_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Append bytes that outlive the reply; neighbours in memory become one part. Errors: -ENOMEM. */
int reply_borrow(struct reply *reply, const void *bytes, size_t size);

/* Append bytes from malloc() that the reply frees, also when this fails. Errors: -ENOMEM. */
int reply_own(struct reply *reply, void *bytes, size_t size);
