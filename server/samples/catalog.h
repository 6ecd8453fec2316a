/* SPDX-License-Identifier: Apache-2.0
 * All splits that are served: opened together, replaced together, dropped when unused. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/mixer.h"
#include "common/pairs.h"
#include "common/split.h"

enum { CATALOG_NAME_MAX = 63, CATALOG_MAX_SPLITS = 64, CATALOG_REVISION_MIN = 12 };

struct entry {
    char name[CATALOG_NAME_MAX + 1];
    char revision[SHA256_HEX + 1]; /* SHA-256 of the file */
    struct split *split;
    bool is_source;
    enum mix_order order; /* of its samples' events */
    uint64_t n_pairs;     /* samples of two digits */
    bool has_pairs;       /* whether fresh pairs can be drawn; no_pairs says why not */
    struct pairs pairs;
    struct error no_pairs;
    const struct entry *source; /* the loaded source split it was mixed from, or NULL */
    atomic_bool damaged;        /* its file was cut short while mapped */
    struct stat file;           /* as it was when opened */
};

struct catalog {
    atomic_uint n_users;
    size_t n_entries;
    struct entry *entries[CATALOG_MAX_SPLITS]; /* by name */
};

/* Open every `*.safetensors` of the folder; the caller holds the first reference. Splits are hashed
 * in parallel. Errors: those of opendir(); -ENODATA no split in it; those of split_open(). */
int catalog_open(const char *folder, struct catalog **ret, struct error *why);

/* Any thread. */
struct catalog *catalog_ref(struct catalog *catalog);
void catalog_unref(struct catalog *catalog);

/* The entry whose name is the `n` characters at `name`, or NULL. */
struct entry *catalog_find(const struct catalog *catalog, const char *name, size_t n);

/* Whether the folder holds other files than those that were opened. */
bool catalog_is_stale(const struct catalog *catalog, const char *folder);
