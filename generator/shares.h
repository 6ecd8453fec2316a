/* SPDX-License-Identifier: Apache-2.0
 * The parts of a run of `splits` in a folder: all of them there, whole, and of one run. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/split.h"
#include "generator/buffer.h"
#include "generator/job.h"
#include "generator/source.h"

struct shares;

/* Open all parts in `folder`. Errors: -ENOENT there is none; -ENODATA some are missing; -EBADMSG
 * some are damaged; -EINVAL two are of different runs; in each case why names them; -ENOMEM. */
int shares_open(const char *folder, struct shares **ret, struct error *why);
void shares_close(struct shares *shares);

const struct job *shares_job(const struct shares *shares);

/* Labels and sources of the i-th recording or sample of that kind and part; of its events only the
 * number counts. */
struct sample shares_sample(const struct shares *shares, enum folder_kind kind, enum part part,
                            uint64_t i);

/* Its events. Any thread. Errors: -EBADMSG they are not what they were; those of pread(); -ENOMEM.
 */
int shares_read(const struct shares *shares, enum folder_kind kind, enum part part, uint64_t i,
                struct buffer *out, struct error *why);

/* Were the samples mixed from these recordings? NULL where there is no such part.
 * Errors: -EINVAL, why names the parts of which they were not. */
int shares_check_mixed_from(const struct shares *shares, const struct split *const splits[N_PARTS],
                            struct error *why);

/* Read all of them again, after -EBADMSG: *why is written where some are damaged, and names them.
 * Errors: -EBADMSG there are such; -ENOMEM. */
int shares_find_damage(const struct shares *shares, struct error *why);

/* The recordings, or the samples of the published archive, as a source; it borrows from `shares`.
 * Errors: -EBADMSG it is not one; -ENOMEM. */
int shares_source(const struct shares *shares, struct source **ret, struct error *why);
