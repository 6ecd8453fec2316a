/* SPDX-License-Identifier: Apache-2.0
 * A cache of views: all requests for a part of a split ask for the same positions. Any thread. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "common/view.h"
#include "server/samples/catalog.h"

/* What the cache holds at the most, beside the one that came last. */
enum { VIEWS_MAX_BYTES = 32 << 20 };

/* Read only. It needs nothing of the split that it is of. */
struct view {
    atomic_uint n_users;
    char revision[SHA256_HEX + 1]; /* of the split */
    struct view_rule rule;
    char sha256[SHA256_HEX + 1]; /* of the positions as u64, little-endian */
    uint32_t n;
    uint32_t positions[]; /* ascending */
};

struct views;
int views_new(struct views **ret); /* Errors: -ENOMEM */
void views_free(struct views *views);

/* The view of that rule, which was checked, if it is ready; else NULL. */
struct view *views_find(struct views *views, const struct entry *entry,
                        const struct view_rule *rule);

/* The same, made where it is not; both are to be given back with views_return(). Errors:
 * view_positions(). */
int views_borrow(struct views *views, const struct entry *entry, const struct view_rule *rule,
                 struct view **ret, struct error *why);
void views_return(struct view *view);
