/* SPDX-License-Identifier: Apache-2.0
 * Writing files so that they are whole: all bytes, or a reason; a new file in place of an old one,
 * or the old one as it was. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Write all `size` bytes where the file stands. A signal does not stop it. Any thread. Errors:
 * those of write() (-ENOSPC, -EFBIG). */
int file_write_all(int fd, const void *bytes, size_t size);

/* Read exactly `size` bytes at `offset`. Errors: those of read(); -ENODATA the file is shorter. */
int file_read_all_at(int fd, void *bytes, size_t size, uint64_t offset);

/* A file that is being written beside the one that it will replace. */
struct file_replacement {
    int fd;          /* to write to */
    int folder;      /* of both */
    char *path;      /* that it will have */
    char *temporary; /* that it has; NULL once it is in place */
};

/* Begin. The file has the rights that a new one gets here. The caller ends it with
 * file_replace_commit() or file_replace_abort(). Errors: those of open(); -ENOMEM. */
int file_replace_begin(const char *path, struct file_replacement *ret, struct error *why);

/* Sync it, put it in place of what is there, and sync the folder. Frees `file` in every case; after
 * an error nothing of it is left, unless it was the folder that could not be synced. Errors: those
 * of fsync() and rename(). */
int file_replace_commit(struct file_replacement *file, struct error *why);
void file_replace_abort(struct file_replacement *file);

/* Make sure that the names in a folder outlast a power cut. Errors: those of open() and fsync(). */
int file_sync_folder(const char *path, struct error *why);
