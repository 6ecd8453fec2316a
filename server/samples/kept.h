/* SPDX-License-Identifier: Apache-2.0
 * A text about a split that is made once and answered from memory ever after, as it is and as gzip.
 * Any thread. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/sha256.h"
#include "server/samples/reply.h"

enum kept_coding { KEPT_PLAIN, KEPT_GZIP, KEPT_CODINGS };

struct kept_text {
    char *bytes; /* from malloc() */
    size_t size;
    uint32_t crc; /* CRC-32C */
};

struct kept {
    pthread_mutex_t making;
    atomic_bool is_made;
    char sha256[SHA256_HEX + 1]; /* of it as it is */
    struct kept_text codings[KEPT_CODINGS];
};

/* Makes a text in memory from malloc(). 0, or a negative errno. */
typedef int kept_maker(const void *user, char **ret, size_t *ret_size, struct error *why);

/* Make a text; and make its gzip, which is the same for the same text. Errors: the maker's;
 * -ENOMEM. */
int kept_text_make(kept_maker *make, const void *user, struct kept_text *ret, struct error *why);
int kept_text_compress(const struct kept_text *text, struct kept_text *ret, struct error *why);

/* One that is not made; the caller ends it by kept_free(). */
void kept_init(struct kept *kept);
void kept_free(struct kept *kept);

bool kept_is_made(const struct kept *kept);

/* Make it unless it is made already; who comes meanwhile waits. Errors: the maker's; -ENOMEM. */
int kept_make(struct kept *kept, kept_maker *make, const void *user, struct error *why);

/* Append one that is made to the body of a reply that it outlives. Errors: reply_borrow(). */
int kept_add(const struct kept *kept, enum kept_coding coding, struct reply *reply,
             struct error *why);
