/* SPDX-License-Identifier: Apache-2.0
 * Bytes that grow and are used again from one sample to the next. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes;
    size_t size, capacity; /* bytes in use, bytes there */
};

/* Make room for `capacity` bytes; what is in it stays. Errors: -ENOMEM. */
int buffer_reserve(struct buffer *buffer, size_t capacity);

/* Hold a copy of these bytes instead. Errors: -ENOMEM. */
int buffer_assign(struct buffer *buffer, const void *bytes, size_t size);

void buffer_free(struct buffer *buffer);
