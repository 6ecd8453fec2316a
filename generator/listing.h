/* SPDX-License-Identifier: Apache-2.0
 * What a source holds of one split: its files in their order, and what their names say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum part { PART_TRAIN, PART_TEST, N_PARTS };

/* How their folders and archives are called: as N-MNIST's authors do, and as Tonic does. */
enum { PART_SPELLINGS = 2 };
extern const char *const part_spellings[N_PARTS][PART_SPELLINGS]; /* {"Train", "train"}, … */

extern const char *const part_folders[N_PARTS]; /* "Train", "Test" */
extern const char *const part_splits[N_PARTS];  /* "train", "test" */

enum content {
    CONTENT_NONE,
    CONTENT_RECORDINGS, /* N-MNIST: <part>/<digit>/<number>.bin */
    CONTENT_SAMPLES,    /* published 2NMNIST: <part>/<number>_<digit>[-<digit>].bin */
};

struct listing_file {
    char *name;        /* from the part's folder on, "Train/0/00002.bin" */
    int32_t number;    /* recording: its number in MNIST; sample: its position */
    uint8_t digits[2]; /* the second one is there in a pair only */
    bool pair;
    bool spooled;    /* its bytes are in the spool, not in a file of its own */
    uint64_t offset; /* there */
    size_t size_bytes;
};

struct listing {
    enum content content; /* of both parts */
    struct {
        struct listing_file *files; /* owned, with their names */
        size_t n, capacity;
    } parts[N_PARTS];
};

/* Take in the file at `path`, if it is one: hidden files, folders of archivers (__MACOSX) and what
 * does not end in ".bin" or does not lie in a Train or Test folder are passed over, and *ret is
 * then NULL. Otherwise *ret is its file, valid until the next call. Errors: -EBADMSG its name is
 * not that of a recording or sample, or its part was spelt otherwise before (why names it);
 * -ENOMEM. */
int listing_add(struct listing *listing, const char *path, struct listing_file **ret,
                struct error *why);

/* Bring both parts into their order: recordings by the bytes of their names, samples by number.
 * Errors: the first of listing_check(); all are in order nevertheless. */
int listing_sort(struct listing *listing, struct error *why);

/* After sorting: does the i-th file follow on the one before it? Errors: -EBADMSG a name comes
 * twice, or a sample's number is missing. */
int listing_check(const struct listing *listing, enum part part, size_t i, struct error *why);

void listing_free(struct listing *listing);
