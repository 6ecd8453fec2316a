/* SPDX-License-Identifier: Apache-2.0
 * All splits that are served: opened together, replaced together, dropped when unused.
 *
 * A file that is no split of ours, or not whole, is passed over with its reason; what was served
 * under its name before is served on. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/mixer.h"
#include "common/pairs.h"
#include "server/samples/found.h"
#include "server/samples/holding.h"
#include "server/samples/kept.h"
#include "server/samples/latest.h"

enum { CATALOG_MAX_SPLITS = 64 };

/* What is said of all splits. */
enum catalog_document {
    CATALOG_LIST,
    CATALOG_OPENAPI,
    CATALOG_CROISSANT,
    CATALOG_LLMS,
    CATALOG_N_DOCUMENTS
};

/* What is said of a split, once made. */
enum entry_text {
    ENTRY_DESCRIPTION,
    ENTRY_LABELS,
    ENTRY_FIRST_PAGE, /* of its rows */
    ENTRY_CSV,        /* all of them */
    ENTRY_LINES,
    ENTRY_N_TEXTS
};

struct entry {
    char name[WIRE_NAME_MAX + 1];
    struct holding *holding;
    const struct split *split; /* the holding's, and its revision */
    const char *revision;
    bool is_source;
    enum mix_order order; /* of its samples' events */
    uint64_t n_pairs;     /* samples of two digits */
    bool has_pairs;       /* whether fresh pairs can be drawn; no_pairs says why not */
    struct pairs pairs;
    struct error no_pairs;
    const struct entry *source; /* the loaded source split it was mixed from, or NULL */
    struct kept texts[ENTRY_N_TEXTS];
};

struct catalog {
    atomic_uint n_users;
    size_t n_entries;
    struct entry *entries[CATALOG_MAX_SPLITS]; /* by name */
    size_t n_found;
    struct found *found; /* by name; the files they were opened from, and those passed over */
    struct latest documents[CATALOG_N_DOCUMENTS];
};

/* Open every `*.safetensors` of the folder; the caller holds the first reference. Of a
 * file its header and index alone are read; those that `old` (or NULL) holds and that are unchanged
 * are taken over.
 * Errors: those of opendir(); -ENODATA no split in it that can be served; -ENOMEM. */
int catalog_open(const char *folder, const struct catalog *old, struct catalog **ret,
                 struct error *why);

/* Any thread. */
struct catalog *catalog_ref(struct catalog *catalog);
void catalog_unref(struct catalog *catalog);

/* The entry whose name is the `n` characters at `name`, or NULL. */
struct entry *catalog_find(const struct catalog *catalog, const char *name, size_t n);

/* Look whether each file that is served is still what was opened, and mark as damaged those that
 * are not. False where one is damaged. Any thread. */
bool catalog_check(const struct catalog *catalog);

/* Whether the folder holds other files than those that were found in it. */
bool catalog_is_stale(const struct catalog *catalog, const char *folder);

/* Whether the split's file is known to be damaged. */
bool entry_is_damaged(const struct entry *entry);

/* Whether some of what the entry's answers are made of is not in memory (holding_is_cold()). */
bool entry_is_cold(const struct entry *entry);

/* holding_vouch() for sample i of the entry's split, which why names. */
int entry_vouch(const struct entry *entry, uint64_t i, struct error *why);

/* Look at the files that the entry's answers are made of: now, or now and then (holding_check(),
 * holding_glance()). */
void entry_check(const struct entry *entry);
void entry_glance(const struct entry *entry);
