/* SPDX-License-Identifier: Apache-2.0
 * Writes source splits: all recordings of Train or Test in one file, in name order. */
#pragma once

#include "common/error.h"
#include "generator/source.h"

/* Check the recordings of `part` and write them to `path`.
 * Errors name recording and event: -EBADMSG, -ERANGE; those of the disk; -EINTR stopped. */
int source_split_write(const struct source *source, enum part part, unsigned n_threads,
                       const char *label, const char *path, struct error *why);
