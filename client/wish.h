/* SPDX-License-Identifier: Apache-2.0
 * What one batch is asked for by, and what its answer has to be. */
#pragma once

#include <stdint.h>

#include "client/batch.h"
#include "client/request.h"
#include "client/view.h"

/* Which share of the global batches of an endless or finite order. */
struct wish_share {
    uint64_t size;
    uint32_t rank, world;
    int last; /* enum tnm_last */
};

/* Errors, kept as the last error: -EINVAL. */
int wish_check_share(const struct wish_share *share);

enum wish_kind { WISH_SAMPLES, WISH_EPOCH, WISH_PAIRS, WISH_MIX };

struct wish {
    enum wish_kind kind;
    const tnm_split *split; /* borrowed */
    const tnm_view *view;   /* the same, of an epoch over one; or NULL */
    struct form form;
    uint64_t seed; /* of an epoch or of pairs */
    uint32_t epoch;
    struct wish_share share;
    char what[160], *path, *post;
    uint64_t parts[N_DIGITS]; /* [n_parts] of a mix */
    size_t n_parts;
    uint64_t number;   /* of the batch in its order */
    uint64_t *indices; /* [n] that have to come */
    uint64_t n;
    tnm_batch *batch; /* what came */
    void *owner;      /* for who is told of the end */
};

/* Fill in a wish; the caller ends it with wish_clear(). `order` is that of the epoch
 * of the split, or of the view where that is not NULL: samples, [n_samples]; `list` names samples
 * in their order, batches of which are asked for by its indices. Errors: -ENOMEM. */
int wish_samples(const tnm_split *split, struct form form, const uint64_t *indices, size_t n,
                 struct wish *ret);
int wish_epoch(const tnm_split *split, const tnm_view *view, struct form form, uint32_t seed,
               uint32_t epoch, const uint32_t *order, const struct wish_share *share, uint64_t k,
               struct wish *ret);
int wish_list(const tnm_split *split, struct form form, const uint32_t *list, uint64_t n_list,
              const struct wish_share *share, uint64_t k, struct wish *ret);
int wish_pairs(const tnm_split *split, struct form form, uint64_t seed,
               const struct wish_share *share, uint64_t k, struct wish *ret);
int wish_mix(const tnm_split *split, struct form form, const uint64_t *parts, size_t n,
             struct wish *ret); /* n up to N_DIGITS */
void wish_clear(struct wish *wish);

/* The request for it; its check leaves the batch in `wish`. */
struct request_ask wish_ask(struct wish *wish);
