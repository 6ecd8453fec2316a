/* SPDX-License-Identifier: Apache-2.0
 * One split file as it is held: opened, watched over, hashed. Catalogs that serve it share it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/sha256.h"
#include "common/split.h"

struct holding {
    atomic_uint n_users;
    struct split *split;
    char revision[SHA256_HEX + 1];  /* SHA-256 of the file; "" before it is hashed */
    atomic_bool damaged;            /* the file is no longer what was hashed; for ever */
    atomic_uint_fast64_t looked_ms; /* when holding_glance() looked at the file last */
};

/* Open the file, and watch its map before a byte of it is read. The caller has the first reference.
 * Errors: split_open(); -ENOMEM. */
int holding_open(const char *path, struct holding **ret, struct error *why);

/* Any thread. */
struct holding *holding_ref(struct holding *holding);
void holding_unref(struct holding *holding);

/* Read all of it, for its revision. Errors: -EBADMSG it was cut short or written to meanwhile. */
int holding_hash(struct holding *holding, struct error *why);

/* Look at the file, and mark the holding as damaged where it was cut short or written to since it
 * was opened. False where it is damaged. Costs one system call. Any thread. */
bool holding_check(struct holding *holding);

/* holding_check(), unless that was done in this tick of the clock already (some milliseconds): for
 * each request, at hardly any cost. Any thread. */
void holding_glance(struct holding *holding);

/* Whether it is a sound holding of the file that `file` describes. */
bool holding_is_of(const struct holding *holding, const struct stat *file);
