/* SPDX-License-Identifier: Apache-2.0
 * A text about something that changes now and then: made when it has changed since, and answered
 * from memory otherwise, as it is and as gzip. Any thread. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include "common/error.h"
#include "server/samples/kept.h"
#include "server/samples/reply.h"

struct latest {
    pthread_mutex_t lock;
    void *state;
    size_t state_size;
    struct kept_text codings[KEPT_CODINGS]; /* `bytes` is NULL where it was not asked for yet */
};

void latest_init(struct latest *latest);
void latest_free(struct latest *latest);

/* Append the text that tells of `state`, `state_size` bytes, to the body of the reply: that of last
 * time where they are the same as then. Errors: the maker's; reply_alloc(); -ENOMEM. */
int latest_add(struct latest *latest, const void *state, size_t state_size, enum kept_coding coding,
               kept_maker *make, const void *user, struct reply *reply, struct error *why);
