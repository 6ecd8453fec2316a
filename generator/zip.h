/* SPDX-License-Identifier: Apache-2.0
 * Reads a zip archive from front to end without unpacking it. The one door to libarchive. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "generator/buffer.h"

struct zip;

/* Errors: those of open(); -EBADMSG not a zip archive, or cut off (its directory is at the end). */
int zip_open(const char *path, struct zip **ret, struct error *why);
void zip_close(struct zip *zip);

/* Go to the next file, in the order in which they lie in the archive. Returns 1 and its path
 * (borrowed until the next call), or 0 at the end. After a file that zip_read() found damaged this
 * goes on with the one behind it, up to ZIP_MAX_DAMAGED times. Errors: -EBADMSG damaged. */
enum { ZIP_MAX_DAMAGED = 100 };
int zip_next(struct zip *zip, const char **ret_path, struct error *why);

/* Unpack the current file. Where the archive says that it is too long, nothing is allocated.
 * Errors: -EBADMSG damaged; -EFBIG longer than `max_bytes`; -ENOMEM. */
int zip_read(struct zip *zip, size_t max_bytes, struct buffer *out, struct error *why);

/* How far in the archive, and how long it is; bytes. */
uint64_t zip_position(const struct zip *zip);
uint64_t zip_size(const struct zip *zip);
