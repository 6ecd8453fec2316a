/* SPDX-License-Identifier: Apache-2.0
 * The splits of a folder, opened together. */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "common/split.h"

enum { FOLDER_MAX_SPLITS = 64 };

struct folder {
    size_t n;
    struct folder_split {
        char *name; /* without the suffix */
        struct split *split;
        char sha256[SHA256_HEX + 1]; /* of the file, for source splits */
    } splits[FOLDER_MAX_SPLITS];     /* by name */
};

/* Open every split in the folder. The caller ends it with folder_close().
 * Errors: those of opendir(); -ENODATA there is none; -E2BIG; those of split_open(). */
int folder_open(const char *path, struct folder *ret, struct error *why);
void folder_close(struct folder *folder);

/* The split that `split` was mixed from, or NULL. */
const struct split *folder_source(const struct folder *folder, const struct split *split);
