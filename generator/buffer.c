/* SPDX-License-Identifier: Apache-2.0
 * Bytes that grow and are used again from one sample to the next. */
#include "generator/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_CAPACITY = 1 << 16 };

int buffer_reserve(struct buffer *buffer, size_t capacity)
{
    if (capacity <= buffer->capacity && buffer->bytes)
        return 0;
    if (capacity < MIN_CAPACITY)
        capacity = MIN_CAPACITY;
    uint8_t *bytes = realloc(buffer->bytes, capacity);
    if (!bytes)
        return -ENOMEM;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return 0;
}

int buffer_assign(struct buffer *buffer, const void *bytes, size_t size)
{
    int r = buffer_reserve(buffer, size);
    if (r < 0)
        return r;
    memcpy(buffer->bytes, bytes, size);
    buffer->size = size;
    return 0;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
