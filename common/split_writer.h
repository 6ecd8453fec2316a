/* SPDX-License-Identifier: Apache-2.0
 * Writes a split file: to a temporary name in the same folder, synced, then renamed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/event.h"
#include "common/safetensors.h"

struct split_writer;

/* Start a split of exactly `n_samples` samples that will stand at `path`.
 * The caller ends it with split_writer_finish() or drops it with split_writer_abort().
 * Errors: those of open(); -ERANGE n_samples is 0 or above INT32_MAX; -ENOMEM. */
int split_writer_create(const char *path, uint64_t n_samples, struct split_writer **ret,
                        struct error *why);

/* Append the next sample. Errors: -EFBIG more than n_samples; those of write() (-ENOSPC). */
int split_writer_add(struct split_writer *writer, struct event_span events,
                     const uint8_t labels[N_DIGITS], const int32_t sources[2], struct error *why);

/* Write index and header, sync, rename over `path`, and free the writer in every case; after an
 * error nothing of it is left in the folder, unless it was the folder that could not be synced.
 * `meta` are the header's strings besides `format`, `version`, `data_sha256` and `index_crc32c`.
 * Errors: -EINVAL fewer samples
 * than promised; -E2BIG, -ENOBUFS more metadata than the header has room for; -ENOMEM; those of
 * open(), read(), write(), fsync(), rename(). */
int split_writer_finish(struct split_writer *writer, const struct meta *meta, size_t n_meta,
                        struct error *why);
void split_writer_abort(struct split_writer *writer);
