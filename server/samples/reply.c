/* SPDX-License-Identifier: Apache-2.0
 * An answer in the making. */
#include "server/samples/reply.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/samples/budget.h"

enum { FIRST_PARTS = 8 };

void reply_reset(struct reply *reply)
{
    for (unsigned i = 0; i < reply->n_owned; i++)
        free(reply->owned[i]);
    free(reply->parts);
    budget_return(reply->n_claimed);
    *reply = (struct reply){0};
}

void reply_free(struct reply *reply)
{
    reply_reset(reply);
}

void reply_set_header(struct reply *reply, const char *name, const char *format, ...)
{
    assert(reply->n_headers < REPLY_MAX_HEADERS);
    struct reply_header *header = &reply->headers[reply->n_headers++];
    header->name = name;
    va_list args;
    va_start(args, format);
    vsnprintf(header->value, sizeof header->value, format, args);
    va_end(args);
}

int reply_borrow(struct reply *reply, const void *bytes, size_t size)
{
    if (size == 0)
        return 0;
    struct iovec *last = reply->n_parts ? &reply->parts[reply->n_parts - 1] : NULL;
    reply->n_bytes += size;
    if (last && (const char *)last->iov_base + last->iov_len == bytes) {
        last->iov_len += size;
        return 0;
    }
    if (reply->n_parts == reply->parts_size) {
        size_t more = reply->parts_size ? 2 * reply->parts_size : FIRST_PARTS;
        struct iovec *parts = reallocarray(reply->parts, more, sizeof *parts);
        if (!parts)
            return -ENOMEM;
        reply->parts = parts;
        reply->parts_size = more;
    }
    reply->parts[reply->n_parts++] = (struct iovec){(void *)bytes, size};
    return 0;
}

int reply_own(struct reply *reply, void *bytes, size_t size)
{
    assert(reply->n_owned < REPLY_MAX_OWNED);
    reply->owned[reply->n_owned++] = bytes;
    return reply_borrow(reply, bytes, size);
}
