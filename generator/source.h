/* SPDX-License-Identifier: Apache-2.0
 * Where recordings come from: files, zip archives, the published archive, or a simulation. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "generator/buffer.h"
#include "generator/listing.h"

enum { SOURCE_MAX_BYTES = 1 << 24 }; /* of one recording: 400 times the longest of N-MNIST */

/* The file beside an exported tree's Train and Test that says the samples were simulated. */
#define SOURCE_SYNTHETIC_MARK "SYNTHETIC"

struct source;

struct source_kind {
    const char *origin; /* for the metadata: "recorded" … */
    int (*worker_new)(void **ret);
    void (*worker_free)(void *worker);
    int (*read)(const void *user, void *worker, enum part part, const struct listing_file *file,
                struct buffer *out, struct error *why);
    void (*close)(void *user);
};

/* Open what is at `path`:
 *   - a folder with Train and Test folders or Train.zip and Test.zip (or one of them), such a Train
 *     or Test folder itself, or a zip file of such folders: N-MNIST's recordings; their names may
 *     be in lower case;
 *   - 2nmnist.zip, its folder, or an exported tree: the published samples.
 * Zip archives are unpacked into a spool in `spool_folder`.
 * Errors, naming file and place: -ENOENT; -EBADMSG no such thing, or damaged; -EEXIST it is there
 * in two spellings; -EFBIG too much of it; those of the disk. */
int source_open_files(const char *path, const char *spool_folder, struct source **ret,
                      struct error *why);

/* The simulation, with counts[part] recordings. Errors: -ENOMEM. */
int source_open_synthetic(const uint64_t counts[N_PARTS], uint64_t seed, struct source **ret,
                          struct error *why);

void source_close(struct source *source);

enum content source_content(const struct source *source);
const char *source_origin(const struct source *source);

/* The files of a part in their order; 0 where it is not there. */
size_t source_count(const struct source *source, enum part part);
const struct listing_file *source_file(const struct source *source, enum part part, size_t i);

/* A thread's working memory for reading. Errors: -ENOMEM. */
int source_worker_new(const struct source *source, void **ret);
void source_worker_free(const struct source *source, void *worker);

/* All of them. */
const struct listing *source_listing(const struct source *source);

/* Are these events what such a file may hold? Time-overflow markers are taken out of them.
 * Errors name the file: -EBADMSG, -ERANGE; why says which event. */
int source_check_file(const struct listing_file *file, struct buffer *events, struct error *why);

/* The bytes of a file, as they are. Errors name it: those of the disk; -EFBIG longer than
 * SOURCE_MAX_BYTES; -ENOMEM. */
int source_read(const struct source *source, void *worker, enum part part,
                const struct listing_file *file, struct buffer *out, struct error *why);

/* The bytes of a file that lies in `root` by itself. Errors: as source_read(). */
int source_read_file(const char *root, const struct listing_file *file, struct buffer *out,
                     struct error *why);

/* For the kinds alone: a source that owns `user` and what is in `listing`, which is sorted here.
 * On failure both are freed. */
int source_new(const struct source_kind *kind, void *user, struct listing *listing,
               struct source **ret, struct error *why);
