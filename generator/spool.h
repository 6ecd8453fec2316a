/* SPDX-License-Identifier: Apache-2.0
 * A nameless temporary file that takes bytes in any order and gives them back by place.
 *
 * The files of a zip archive lie in it in whatever order they were packed, but are needed in the
 * order of their names. Unpacked once into a spool they cost disk for a while; sorted by seeking,
 * each block of the archive would be inflated again; in memory they would be 1.5 GB. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "generator/buffer.h"

struct spool;

/* Errors: those of open() in `folder`; -ENOMEM. */
int spool_new(const char *folder, struct spool **ret, struct error *why);
void spool_free(struct spool *spool);

/* Append; *ret_offset is where the bytes are found again. One thread.
 * Errors: those of write() (-ENOSPC). */
int spool_add(struct spool *spool, const void *bytes, size_t size, uint64_t *ret_offset,
              struct error *why);

/* Read `size` bytes at `offset`. Any thread. Errors: those of read(); -EIO too short; -ENOMEM. */
int spool_read(const struct spool *spool, uint64_t offset, size_t size, struct buffer *out,
               struct error *why);
