/* SPDX-License-Identifier: Apache-2.0
 * The bytes of an answer, in one aligned block that grows. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    BODY_ALIGN = 64,
    BODY_SLACK = 32, /* readable bytes behind the end: vector loads may read past it */
};

struct body {
    uint8_t *bytes; /* BODY_ALIGN-aligned; NULL while room is 0 */
    size_t size, room;
};

/* Make room for `room` bytes in all. Errors: -ENOMEM. */
int body_reserve(struct body *body, size_t room);

/* Append. Errors: -ENOMEM. */
int body_add(struct body *body, const void *bytes, size_t size);

/* Free the bytes; the body is empty then. */
void body_clear(struct body *body);

/* Hand the bytes over to *ret; the body is empty then. */
void body_take(struct body *body, struct body *ret);
