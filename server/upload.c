/* SPDX-License-Identifier: Apache-2.0
 * The body of a request on its way in. */
#include "server/upload.h"

#include <stdlib.h>
#include <string.h>

#include "server/samples/budget.h"

enum { FIRST_BYTES = 1024 };

void upload_free(struct upload *upload)
{
    free(upload->bytes);
    budget_return(upload->address, upload->room);
    upload->bytes = NULL;
    upload->size = upload->room = 0;
}

static enum upload_fault make_room(struct upload *upload, size_t size)
{
    uint64_t room = upload->room ? upload->room : FIRST_BYTES;
    while (room < size)
        room *= 2;
    if (upload->length)
        room = upload->length;
    if (room > upload->most)
        room = upload->most;
    if (!budget_claim(upload->address, room - upload->room))
        return UPLOAD_NO_BUDGET;
    char *bytes = realloc(upload->bytes, room);
    if (!bytes) {
        budget_return(upload->address, room - upload->room);
        return UPLOAD_NO_MEMORY;
    }
    upload->bytes = bytes;
    upload->room = room;
    return UPLOAD_SOUND;
}

bool upload_add(struct upload *upload, const char *bytes, size_t size)
{
    upload->received += size;
    if (upload->fault == UPLOAD_SOUND && upload->received > upload->most)
        upload->fault = UPLOAD_TOO_LONG;
    if (upload->fault == UPLOAD_SOUND && upload->size + size > upload->room)
        upload->fault = make_room(upload, upload->size + size);
    if (upload->fault != UPLOAD_SOUND) {
        upload_free(upload);
        return upload->received <= upload->most_read;
    }
    memcpy(upload->bytes + upload->size, bytes, size);
    upload->size += size;
    return true;
}
