/* SPDX-License-Identifier: Apache-2.0
 * Writes 2NMNIST splits from the published archive, whose samples are mixed already. */
#pragma once

#include "common/error.h"
#include "common/mixer.h"
#include "generator/source.h"

/* Check the samples of `part`, bring them into `order`, write them to `path`.
 * Errors name sample and event: -EBADMSG, -ERANGE; those of the disk; -EINTR stopped. */
int published_split_write(const struct source *source, enum part part, enum mix_order order,
                          unsigned n_threads, const char *label, const char *path,
                          struct error *why);
