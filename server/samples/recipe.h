/* SPDX-License-Identifier: Apache-2.0
 * What one sample of an answer is made of: stored bytes, or recordings to mix now. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/mixer.h"
#include "common/safetensors.h"
#include "server/samples/catalog.h"
#include "server/samples/form.h"

enum recipe_kind {
    RECIPE_STORED,    /* parts[0] as it is */
    RECIPE_FILTERED,  /* parts[0], but not all of it */
    RECIPE_PUBLISHED, /* parts[0] is stored in published order, and something else is wanted */
    RECIPE_MIX,       /* parts[0..k) mixed */
};

struct recipe {
    enum recipe_kind kind;
    struct mix_rule rule;
    const struct form *filtered_by; /* in the end, whatever the kind; NULL: it is not */
    unsigned k;
    struct event_span parts[MIX_MAX_DIGITS];
    const struct entry *lender; /* in whose split the parts lie; NULL: in none */
    bool of_sources;            /* they are the samples `sources` of it, not `index` */
    bool has_index;
    uint64_t index; /* of the stored sample or the fresh pair */
    unsigned n_sources;
    int32_t sources[MIX_MAX_DIGITS];
    uint8_t labels[N_DIGITS];
    uint32_t checksum; /* CRC-32C of a stored sample's events */
    size_t n_second;   /* events of the second recording, for RECIPE_PUBLISHED; or MIX_NOT_KNOWN */
};

/* Sample `i` of the entry's split, in the order and timestep of the form.
 * Errors: -ENOENT no such sample; -ENODATA its recordings are needed and not loaded. */
int recipe_sample(const struct entry *entry, const struct form *form, uint64_t i,
                  struct recipe *ret, struct error *why);

/* Recordings of a source, of different digits. Errors: -ENOENT no such recording; -EINVAL how many,
 * or a digit twice (why says which). */
int recipe_mix(const struct entry *source, const struct form *form, const uint64_t *recordings,
               size_t k, struct recipe *ret, struct error *why);

/* Fresh pair `index` of the set `seed`; the source has pairs. */
void recipe_pair(const struct entry *source, const struct form *form, uint64_t seed, uint64_t index,
                 struct recipe *ret);

/* Most events it can give. */
size_t recipe_max_events(const struct recipe *recipe);

/* Fetch what it is made of into the caches. */
void recipe_prefetch(const struct recipe *recipe);

/* Have what it is made of read from the disk (ahead_fetch()); and whether it is in memory. */
void recipe_fetch(const struct recipe *recipe);
bool recipe_is_there(const struct recipe *recipe);

/* Make sure that what it is made of is what its checksums say (entry_vouch()): before something is
 * made of it that gets a checksum of its own. Errors: -EBADMSG. */
int recipe_vouch(const struct recipe *recipe, struct error *why);

/* Vouch for it, and write its events, filtered, to `out`, which has room for recipe_max_events().
 * Errors: -ENOMEM; -EINVAL the form does not suit these events (mixer_mix()); -ENODATA its
 * recordings are needed (mixer_mix_again()); -EBADMSG recipe_vouch(). */
int recipe_make(const struct recipe *recipe, uint8_t *out, size_t *ret_n_events, struct error *why);

/* Put before an error that speaks of "it" what that is; returns r. */
int recipe_failed(const struct recipe *recipe, int r, struct error *why);

/* The samples of a batch: stored ones, fresh pairs of a set, or a single one of whatever kind. */
enum batch_kind { BATCH_STORED, BATCH_PAIRS, BATCH_SINGLE };

struct batch {
    const struct entry *entry;
    enum batch_kind kind;
    uint64_t seed;               /* of the pairs */
    const struct recipe *single; /* the only one */
    const uint64_t *indices;
    size_t n;
    const struct meta *about; /* what a format with metadata says of it */
    size_t n_about;
};

/* The recipe of its sample i < n. Errors: recipe_sample(). */
int batch_recipe(const struct batch *batch, const struct form *form, size_t i, struct recipe *ret,
                 struct error *why);
