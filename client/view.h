/* SPDX-License-Identifier: Apache-2.0
 * A view that is open: which samples of a split it has, found out from the split's labels. */
#pragma once

#include "client/split.h"
#include "common/sha256.h"
#include "common/view_words.h"

struct tnm_view {
    unsigned n_refs; /* under the client's lock */
    tnm_split *split;
    struct view_rule rule;
    char words[VIEW_TEXT_SIZE]; /* the rule, in one way */
    char sha256[SHA256_HEX + 1];
    uint64_t n;
    uint32_t *places;    /* [n], ascending */
    uint64_t *positions; /* the same */
};

tnm_view *view_ref(tnm_view *view);
void view_unref(tnm_view *view); /* not in the loop's thread; NULL is none */

/* 0 where the view may be used here; else -EINVAL or -ECHILD, kept as the last error. */
int view_usable(const tnm_view *view);
