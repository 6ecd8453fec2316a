/* SPDX-License-Identifier: Apache-2.0
 * For tests that need split files: a folder of their own, and small splits in it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/safetensors.h"
#include "common/sha256.h"

enum { SPLIT_PATH = 512, SPLIT_SAMPLES = 6, SPLIT_EVENTS = 21 };

/* cmocka's setup and teardown: a new folder before each test, removed with its files behind it. */
int folder_setup(void **state);
int folder_teardown(void **state);

/* The path of a file in that folder. */
const char *in_folder(const char *name, char ret[SPLIT_PATH]);

/* The folder itself. */
const char *folder_path(void);

/* Write the file anew, in a new inode. */
void put_file(const char *path, const void *bytes, size_t size);

/* The strings of a header that is read; of another kind, or not set where a value is NULL. */
struct meta_changes {
    const char *kind, *sensor, *time_unit, *source_sha256;
};

/* A split of SPLIT_SAMPLES samples with 1, 2, … SPLIT_SAMPLES events, whose digits are 0, 0, 1, 1,
 * 2, 2 and whose sources are those digits and `second`; `seed` changes the events. */
void put_split(const char *path, const struct meta_changes *changes, uint8_t seed, int32_t second);

/* What put_split() takes for a source split, and for one mixed from it. */
extern const struct meta_changes SOURCE_SPLIT, MIXED_SPLIT;

/* SHA-256 of a split file's header. */
void revision_of(const char *path, char ret[SHA256_HEX + 1]);
