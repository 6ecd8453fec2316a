/* SPDX-License-Identifier: Apache-2.0
 * A text about something that changes now and then. */
#include "server/samples/latest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void latest_init(struct latest *latest)
{
    *latest = (struct latest){.state_size = 0};
    pthread_mutex_init(&latest->lock, NULL);
}

static void forget(struct latest *latest)
{
    for (unsigned coding = 0; coding < KEPT_CODINGS; coding++) {
        free(latest->codings[coding].bytes);
        latest->codings[coding] = (struct kept_text){.bytes = NULL};
    }
}

void latest_free(struct latest *latest)
{
    forget(latest);
    free(latest->state);
    pthread_mutex_destroy(&latest->lock);
}

static int remember_state(struct latest *latest, const void *state, size_t size, struct error *why)
{
    if (latest->state_size == size && memcmp(latest->state, state, size) == 0)
        return 0;
    void *memory = realloc(latest->state, size);
    if (!memory)
        return error_set(why, -ENOMEM, "no memory for a state of %zu bytes", size);
    latest->state = memcpy(memory, state, size);
    latest->state_size = size;
    forget(latest);
    return 0;
}

static int make_coding(struct latest *latest, enum kept_coding coding, kept_maker *make,
                       const void *user, struct error *why)
{
    struct kept_text *plain = &latest->codings[KEPT_PLAIN];
    int r = plain->bytes ? 0 : kept_text_make(make, user, plain, why);
    if (r == 0 && !latest->codings[coding].bytes)
        r = kept_text_compress(plain, &latest->codings[coding], why);
    return r;
}

/* The text may be another one before the reply has left: it takes a copy. */
static int add_copy(const struct kept_text *text, struct reply *reply, struct error *why)
{
    void *copy;
    int r = reply_alloc(reply, text->size, &copy, why);
    if (r < 0)
        return r;
    memcpy(copy, text->bytes, text->size);
    return reply_borrow_known(reply, copy, text->size, text->crc, why);
}

int latest_add(struct latest *latest, const void *state, size_t state_size, enum kept_coding coding,
               kept_maker *make, const void *user, struct reply *reply, struct error *why)
{
    pthread_mutex_lock(&latest->lock);
    int r = remember_state(latest, state, state_size, why);
    if (r == 0)
        r = make_coding(latest, coding, make, user, why);
    if (r == 0)
        r = add_copy(&latest->codings[coding], reply, why);
    pthread_mutex_unlock(&latest->lock);
    return r;
}
