/* SPDX-License-Identifier: Apache-2.0
 * An answer in the making: status, headers, and a body of pieces that are borrowed from a map or
 * owned. All memory that it holds is claimed from the budget first, and goes back with it. Belongs
 * to one thread at a time. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/error.h"
#include "common/split.h"

enum {
    REPLY_MAX_HEADERS = 10,
    REPLY_HEADER_VALUE = 192,
    REPLY_MAX_OWNED = 8,
    REPLY_MAX_WATCHED = 2,
    REPLY_AWAITED_MAX = 1 << 24,
};

struct reply_header {
    const char *name;
    char value[REPLY_HEADER_VALUE];
};

struct reply {
    /* for whom it is made; stands before anything else, and stays through a reset */
    uint64_t max_bytes; /* that it may claim */
    uint64_t address;   /* whose share of the budget it claims from */
    bool head_only;     /* the body's length is wanted, not the body: pieces are counted only */

    bool all_origins; /* it may be read by all sites' pages in a browser */

    unsigned status;
    unsigned n_headers;
    struct reply_header headers[REPLY_MAX_HEADERS];
    struct iovec *parts;
    size_t n_parts, parts_size;
    void *owned[REPLY_MAX_OWNED];
    unsigned n_owned;
    uint64_t n_bytes; /* of the body */
    uint32_t crc;     /* CRC-32C of the body, unless */
    bool unknown_crc;
    bool unknown_length; /* only making the body would tell; with head_only alone */
    uint64_t n_claimed;
    /* the splits from whose maps parts may be borrowed, and what is set when one is not any more
     * what it was */
    const atomic_bool *watched[REPLY_MAX_WATCHED];
    const struct split *lenders[REPLY_MAX_WATCHED];
};

/* Drop body and headers, to answer something else; or for good: then it is not to be used again. A
 * reply that was all zeros needs none. */
void reply_reset(struct reply *reply);
void reply_end(struct reply *reply);

/* `name` outlives the reply. A value is cut off at REPLY_HEADER_VALUE - 1 bytes. */
void reply_add_header(struct reply *reply, const char *name, const char *value);
void reply_set_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Claim `size` bytes. Errors: -E2BIG more than max_bytes in all; -EAGAIN the budget is used up. */
int reply_claim(struct reply *reply, uint64_t size, struct error *why);

/* Whether that many could be claimed as far as max_bytes goes; nothing is. Errors: -E2BIG. */
int reply_check(const struct reply *reply, uint64_t size, struct error *why);

/* Claim and allocate `size` bytes that live as long as it does. Errors: reply_claim(); -ENOMEM. */
int reply_alloc(struct reply *reply, uint64_t size, void **ret, struct error *why);

/* Append bytes that outlive the reply, or live as long, and are read for the body's CRC-32C now;
 * neighbours in memory become one part. With head_only, `bytes` may be NULL: they are counted.
 * Errors: -E2BIG, -EAGAIN, -ENOMEM for the list of parts. */
int reply_borrow(struct reply *reply, const void *bytes, size_t size, struct error *why);

/* The same where their CRC-32C is known: they are not read. */
int reply_borrow_known(struct reply *reply, const void *bytes, size_t size, uint32_t crc,
                       struct error *why);

/* The same where they are too many to read: the body's CRC-32C stays unknown. */
int reply_borrow_unread(struct reply *reply, const void *bytes, size_t size, struct error *why);

/* Append bytes from malloc() that the reply frees, also when this fails. Errors: reply_borrow(). */
int reply_own(struct reply *reply, void *bytes, size_t size, struct error *why);

/* Keep of the body what is from byte `first` to `last`, which are in it; its CRC-32C is unknown. */
void reply_cut(struct reply *reply, uint64_t first, uint64_t last);

/* The split whose map these bytes lie in, or NULL: they are in memory. */
const struct split *reply_lender(const struct reply *reply, const void *bytes);

/* Whether it borrows more than REPLY_AWAITED_MAX bytes from maps: they are read as they leave. */
bool reply_is_long(const struct reply *reply);

/* Wait until all that it borrows from maps is in memory, unless it is long. */
void reply_await(const struct reply *reply);

/* Whether making the body is to be skipped: only its length is wanted, and making it alone would
 * tell (`known` says that there is another way). The length then stays unknown. */
bool reply_skips(struct reply *reply, bool known);

/* What is borrowed from now on may be of the split's map, and is no longer true once *flag, the
 * split's, is set. */
void reply_watch(struct reply *reply, const atomic_bool *flag, const struct split *lender);

/* Whether a flag of reply_watch() is set. */
bool reply_is_damaged(const struct reply *reply);
