/* SPDX-License-Identifier: Apache-2.0
 * The bytes of an answer, in one aligned block that grows. */
#include "client/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int body_reserve(struct body *body, size_t room)
{
    void *bytes;
    if (room <= body->room)
        return 0;
    if (room > SIZE_MAX - BODY_SLACK || posix_memalign(&bytes, BODY_ALIGN, room + BODY_SLACK) != 0)
        return -ENOMEM;
    if (body->size)
        memcpy(bytes, body->bytes, body->size);
    memset((uint8_t *)bytes + room, 0, BODY_SLACK);
    free(body->bytes);
    body->bytes = bytes;
    body->room = room;
    return 0;
}

int body_add(struct body *body, const void *bytes, size_t size)
{
    size_t needed;
    if (__builtin_add_overflow(body->size, size, &needed))
        return -ENOMEM;
    if (needed > body->room) {
        size_t twice = body->room > SIZE_MAX / 2 ? needed : body->room * 2;
        if (body_reserve(body, needed > twice ? needed : twice) < 0)
            return -ENOMEM;
    }
    if (size)
        memcpy(body->bytes + body->size, bytes, size);
    body->size = needed;
    return 0;
}

void body_clear(struct body *body)
{
    free(body->bytes);
    *body = (struct body){0};
}

void body_take(struct body *body, struct body *ret)
{
    *ret = *body;
    *body = (struct body){0};
}
