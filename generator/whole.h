/* SPDX-License-Identifier: Apache-2.0
 * Is it all of N-MNIST, or all of the published 2NMNIST? By how many samples show what. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/event.h"
#include "common/split.h"
#include "generator/folder.h"
#include "generator/listing.h"

struct whole_count {
    uint64_t n_samples, n_pairs, n_of_digit[N_DIGITS];
};

/* What a part of a listing, or a split, holds. */
struct whole_count whole_count_listing(const struct listing *listing, enum part part);
struct whole_count whole_count_split(const struct split *split);

/* Errors: -ENODATA it is something else; why says which numbers differ, and what they would be. */
int whole_check(const struct whole_count *count, enum folder_kind kind, enum part part,
                struct error *why);
