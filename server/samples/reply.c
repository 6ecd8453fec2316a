/* SPDX-License-Identifier: Apache-2.0
 * An answer in the making. */
#include "server/samples/reply.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "server/samples/ahead.h"
#include "server/samples/budget.h"
#include "server/samples/tally.h"

enum { FIRST_PARTS = 8 };

void reply_end(struct reply *reply)
{
    for (unsigned i = 0; i < reply->n_owned; i++)
        free(reply->owned[i]);
    free(reply->parts);
    budget_return(reply->address, reply->n_claimed);
}

void reply_reset(struct reply *reply)
{
    reply_end(reply);
    *reply = (struct reply){
        .max_bytes = reply->max_bytes,
        .address = reply->address,
        .head_only = reply->head_only,
    };
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

void reply_add_header(struct reply *reply, const char *name, const char *value)
{
    assert(reply->n_headers < REPLY_MAX_HEADERS);
    struct reply_header *header = &reply->headers[reply->n_headers++];
    size_t n = strnlen(value, sizeof header->value - 1);
    header->name = name;
    memcpy(header->value, value, n);
    header->value[n] = '\0';
}

int reply_check(const struct reply *reply, uint64_t size, struct error *why)
{
    uint64_t all;
    if (__builtin_add_overflow(reply->n_claimed, size, &all))
        all = UINT64_MAX;
    if (all > reply->max_bytes)
        return error_set(why, -E2BIG,
                         "the answer may take %" PRIu64 " bytes; max_answer_bytes is %" PRIu64, all,
                         reply->max_bytes);
    return 0;
}

int reply_claim(struct reply *reply, uint64_t size, struct error *why)
{
    int r = reply_check(reply, size, why);
    if (r < 0)
        return r;
    if (!budget_claim(reply->address, size))
        return error_set(why, -EAGAIN,
                         "the answers being made take all of max_pending_bytes, or those for this "
                         "address its share");
    reply->n_claimed += size;
    return 0;
}

int reply_alloc(struct reply *reply, uint64_t size, void **ret, struct error *why)
{
    assert(reply->n_owned < REPLY_MAX_OWNED);
    int r = reply_claim(reply, size, why);
    if (r < 0)
        return r;
    void *bytes = malloc(size ? size : 1);
    if (!bytes)
        return error_set(why, -ENOMEM, "no memory for %" PRIu64 " bytes", size);
    reply->owned[reply->n_owned++] = bytes;
    *ret = bytes;
    return 0;
}

static int grow_parts(struct reply *reply, struct error *why)
{
    size_t more = reply->parts_size ? 2 * reply->parts_size : FIRST_PARTS;
    int r = reply->parts_size
                ? reply_claim(reply, (more - reply->parts_size) * sizeof *reply->parts, why)
                : 0;
    if (r < 0)
        return r;
    struct iovec *parts = reallocarray(reply->parts, more, sizeof *parts);
    if (!parts)
        return error_set(why, -ENOMEM, "no memory for an answer of %zu parts", more);
    reply->parts = parts;
    reply->parts_size = more;
    return 0;
}

static int add_part(struct reply *reply, const void *bytes, size_t size, struct error *why)
{
    struct iovec *last = reply->n_parts ? &reply->parts[reply->n_parts - 1] : NULL;
    if (last && (const char *)last->iov_base + last->iov_len == bytes) {
        last->iov_len += size;
        return 0;
    }
    int r = reply->n_parts == reply->parts_size ? grow_parts(reply, why) : 0;
    if (r == 0)
        reply->parts[reply->n_parts++] = (struct iovec){(void *)bytes, size};
    return r;
}

int reply_borrow_known(struct reply *reply, const void *bytes, size_t size, uint32_t crc,
                       struct error *why)
{
    int r = size == 0 || reply->head_only ? 0 : add_part(reply, bytes, size, why);
    if (r < 0)
        return r;
    reply->n_bytes += size;
    reply->crc = crc32c_combine(reply->crc, crc, size);
    return 0;
}

int reply_borrow_unread(struct reply *reply, const void *bytes, size_t size, struct error *why)
{
    reply->unknown_crc = true;
    return reply_borrow_known(reply, bytes, size, 0, why);
}

int reply_borrow(struct reply *reply, const void *bytes, size_t size, struct error *why)
{
    if (reply->head_only && !bytes)
        return reply_borrow_unread(reply, bytes, size, why);
    tally_add(TALLY_CHECKSUM_BYTES, size);
    return reply_borrow_known(reply, bytes, size, crc32c(0, bytes, size), why);
}

int reply_own(struct reply *reply, void *bytes, size_t size, struct error *why)
{
    assert(reply->n_owned < REPLY_MAX_OWNED);
    reply->owned[reply->n_owned++] = bytes;
    return reply_borrow(reply, bytes, size, why);
}

void reply_cut(struct reply *reply, uint64_t first, uint64_t last)
{
    uint64_t at = 0, end = last + 1;
    size_t n_kept = 0;
    for (size_t i = 0; i < reply->n_parts; i++) {
        struct iovec part = reply->parts[i];
        uint64_t part_end = at + part.iov_len;
        uint64_t from = first > at ? first : at, to = end < part_end ? end : part_end;
        if (from < to)
            reply->parts[n_kept++] = (struct iovec){(char *)part.iov_base + (from - at), to - from};
        at = part_end;
    }
    reply->n_parts = n_kept;
    reply->n_bytes = end - first;
    reply->unknown_crc = true;
}

const struct split *reply_lender(const struct reply *reply, const void *bytes)
{
    for (unsigned i = 0; i < REPLY_MAX_WATCHED && reply->lenders[i]; i++) {
        uintptr_t start = (uintptr_t)split_bytes(reply->lenders[i]);
        if ((uintptr_t)bytes - start < split_size(reply->lenders[i]))
            return reply->lenders[i];
    }
    return NULL;
}

bool reply_is_long(const struct reply *reply)
{
    uint64_t n = 0;
    if (reply->n_bytes <= REPLY_AWAITED_MAX)
        return false;
    for (size_t i = 0; i < reply->n_parts; i++)
        if (reply_lender(reply, reply->parts[i].iov_base))
            n += reply->parts[i].iov_len;
    return n > REPLY_AWAITED_MAX;
}

void reply_await(const struct reply *reply)
{
    bool is_long = reply_is_long(reply);
    for (size_t i = 0; i < reply->n_parts && !is_long; i++)
        ahead_fetch(reply->parts[i].iov_base, reply->parts[i].iov_len);
    for (size_t i = 0; i < reply->n_parts && !is_long; i++)
        ahead_await(reply->parts[i].iov_base, reply->parts[i].iov_len);
}

bool reply_skips(struct reply *reply, bool known)
{
    reply->unknown_length = reply->head_only && !known;
    return reply->unknown_length;
}

void reply_watch(struct reply *reply, const atomic_bool *flag, const struct split *lender)
{
    for (unsigned i = 0; i < REPLY_MAX_WATCHED; i++)
        if (!reply->watched[i] || reply->watched[i] == flag) {
            reply->watched[i] = flag;
            reply->lenders[i] = lender;
            return;
        }
    assert(false && "more maps than an answer can watch");
}

bool reply_is_damaged(const struct reply *reply)
{
    bool damaged = false;
    for (unsigned i = 0; i < REPLY_MAX_WATCHED; i++)
        damaged |= reply->watched[i] && atomic_load(reply->watched[i]);
    return damaged;
}
