/* SPDX-License-Identifier: Apache-2.0
 * Writes one part of a run of `splits`. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "generator/share.h"
#include "generator/source.h"

struct share_how {
    struct share share;
    uint32_t plan_seed;
    enum mix_order order;
    const uint64_t *seed; /* of a simulation, otherwise NULL */
    unsigned n_threads;
};

/* Read this part of the recordings of `source`, and mix this part of the samples, from recordings
 * anywhere in it; all of it to `path`. Returns how many recordings and samples: with 0 there is
 * nothing to write, and no file.
 * Errors name recording and event: -EBADMSG, -ERANGE; those of the disk; -EINTR stopped; -ENOMEM.
 */
int share_write(const struct share_how *how, const struct source *source, const char *path,
                uint64_t *ret_n, struct error *why);
