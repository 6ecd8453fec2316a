/* SPDX-License-Identifier: Apache-2.0
 * Makes the splits of a run in a staging folder, and counts them. */
#pragma once

#include "common/error.h"
#include "generator/choices.h"
#include "generator/shares.h"
#include "generator/source.h"
#include "generator/staging.h"
#include "generator/summary.h"

struct making {
    const struct choices *choices; /* plan, order, threads */
    struct source *source;
    const struct shares *shares; /* whose samples are mixed already, or NULL */
    struct staging *staging;
    struct summary summary;
};

/* The source split of a part. Errors: those of source_split_write(). */
int making_source_split(struct making *making, enum part part, const char **ret_path,
                        struct error *why);

/* The samples of a part: mixed from a source split, or taken over where `source_path` is NULL.
 * Errors: those of mixed_split_write() and published_split_write(). */
int making_split(struct making *making, enum part part, const char *source_path, struct error *why);
