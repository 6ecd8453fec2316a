/* SPDX-License-Identifier: Apache-2.0
 * What must be true of a split, and of each of its samples. */
#pragma once

#include "common/error.h"
#include "common/split.h"
#include "generator/recordings.h"

/* What a 2NMNIST split is held against; `recordings.source` is NULL without a source split. */
struct check {
    const struct split *split;
    struct recordings recordings;
    struct plan_row *rows; /* of the plan, one for each sample */
    enum mix_order order;
};

/* Check sample `i`: checksum, events, labels, and with a source its place in the plan and its mix.
 * `mixed` is working memory. *fault says what is wrong, or "".
 * Errors, which are not faults: -ENOMEM. */
int check_sample(const struct check *check, uint64_t i, struct mixer *mixer, struct buffer *raw,
                 struct buffer *mixed, struct error *fault, struct error *why);

/* Check that all that stands behind the header is what the header says, as one. *fault is untouched
 * where it is. Errors: -EINTR a signal came; -ENOMEM. */
int check_data(const struct split *split, struct error *fault, struct error *why);
