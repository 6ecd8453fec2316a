/* SPDX-License-Identifier: Apache-2.0
 * What all parts of a run have in common: by it they are known to belong together, and joined.
 *
 * It stands in the header of each part, which is a split file of another use: the recordings and
 * samples of the part's ranges, one range behind the other. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "common/sha256.h"
#include "common/split.h"
#include "generator/folder.h"
#include "generator/metadata.h"
#include "generator/share.h"
#include "generator/source.h"

enum { JOB_NUMBER_SIZE = 24, JOB_TOTALS_SIZE = 64, JOB_STRINGS_MAX = 16 };

struct job {
    const char *origin;
    uint32_t plan_seed;
    enum mix_order order;
    uint64_t totals[N_FOLDER_KINDS][N_PARTS]; /* recordings, samples; 0 where there are none */
    char names_sha256[SHA256_HEX + 1];        /* of the source's files */
    char seed[JOB_NUMBER_SIZE];               /* of a simulation, otherwise "" */
};

/* What the source says of it; the caller sets plan, order, seed, and the totals of samples that are
 * mixed. Borrows from `source`. Errors: -ENOMEM. */
int job_of_source(const struct source *source, struct job *ret, struct error *why);

/* How many recordings and samples a part holds. */
uint64_t job_share_size(const struct job *job, struct share share);

/* The header's strings of its part `share`, whose samples were mixed from recordings of which
 * `mixed_from` is the SHA-256 of checksums. They borrow from all four. Returns how many. */
struct job_texts {
    char share[JOB_NUMBER_SIZE], plan[METADATA_PLAN_SIZE], totals[JOB_TOTALS_SIZE];
};
size_t job_strings(const struct job *job, struct share share, const char *mixed_from,
                   struct job_texts *texts, struct meta ret[JOB_STRINGS_MAX]);

/* Read it from a part, of which it is said to be `share`. *ret borrows from `part`.
 * Errors: -EBADMSG it is no part, or another. */
int job_read(const struct split *part, struct share share, struct job *ret, struct error *why);

/* The string of a part by which samples are held against the recordings that they were mixed from.
 */
const char *job_mixed_from(const struct split *part);

/* Errors: -EINVAL they are parts of two runs; why says what differs. */
int job_compare(const struct split *part, const struct split *other, struct error *why);
