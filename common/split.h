/* SPDX-License-Identifier: Apache-2.0
 * A split file (source or 2NMNIST), opened for reading: its index in memory, its events mapped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/event.h"
#include "common/geometry.h"
#include "common/sha256.h"

#define SPLIT_FORMAT       "twonmnist-split"
#define SPLIT_VERSION      "2"
#define SPLIT_MAKE         "twonmnist-generate splits --from PATH --out DIR" /* one of this version */
#define SPLIT_KIND_SOURCE  "source"
#define SPLIT_KIND_2NMNIST "2nmnist"
#define SPLIT_TIME_UNIT    "us"
#define SPLIT_SUFFIX       ".safetensors"

enum { SPLIT_CRC_HEX = 8 };

struct split;

/* One sample: events borrowed from the map, the rest from the index. */
struct sample {
    struct event_span events;
    const uint8_t *labels;  /* [n_labels], multi-hot */
    const int32_t *sources; /* [2], positions in the source split; -1 where there is none */
    uint32_t checksum;      /* CRC-32C of the event bytes */
};

/* Open the split file at `path`: map it, read its header and index into memory and check them
 * there, so that what becomes of the file later cannot change them. The map's bytes are not looked
 * at; whoever looks at them copes with a file that is cut short (SIGBUS) or overwritten, and holds
 * the events against their checksums.
 *
 * Keeps no reference to `path`, but an open descriptor. The caller owns *ret and must split_close()
 * it; samples borrowed from it die with it. Any thread.
 * Errors: -ENOENT and other errors of open(); -EBADMSG not a split, damaged, or being changed (why
 * says where); -ENOTSUP another version (why says how to make it anew), or one of another sensor.
 */
int split_open(const char *path, struct split **ret, struct error *why);
void split_close(struct split *split);

/* Whether the file behind the map is still as it was when it was opened: it was neither cut short
 * nor written to. A file that was replaced by rename or removed is. One that was only touched is
 * not: that cannot be told from a change, and opening it anew heals it. */
bool split_is_intact(const struct split *split);

/* What stat() said of the file when it was opened. */
const struct stat *split_file(const struct split *split);

const struct geometry *split_geometry(const struct split *split);
uint64_t split_n_samples(const struct split *split);
uint64_t split_n_events(const struct split *split);

/* Sample i < split_n_samples(). Its events lie inside the map whatever became of the file. */
struct sample split_sample(const struct split *split, uint64_t i);

/* The whole index. */
const uint64_t *split_offsets(const struct split *split); /* [n + 1], events */
const int32_t *split_sources(const struct split *split);  /* [n, 2] */
const uint8_t *split_labels(const struct split *split);   /* [n, n_labels] */

/* Read from the file, not from the map: what cannot be read is an error, no signal. Any thread.
 * Errors: -EBADMSG the file ends before; those of pread(). */
int split_read(const struct split *split, uint64_t at, void *out, size_t size, struct error *why);

/* Whether these bytes of the file are in memory, so that nobody who looks at them waits for a disk;
 * true where that cannot be told. Costs what copying them does. Any thread. */
bool split_is_cached(const struct split *split, uint64_t at, size_t size);

/* Copy `size` bytes of the file from `at` on, as many as are in memory, without waiting for a disk.
 * Returns how many that were, 0 at the end of the file. Any thread.
 * Errors: -EAGAIN the first is not in memory; -EOPNOTSUPP that cannot be told; those of preadv2().
 */
ssize_t split_copy_cached(const struct split *split, uint64_t at, void *out, size_t size);

/* The file itself, mapped. */
const uint8_t *split_bytes(const struct split *split);
size_t split_size(const struct split *split);

/* SHA-256 of the header. That says `data_sha256`, the SHA-256 of all that follows: so this stands
 * for every byte, without reading them. */
const char *split_revision(const struct split *split);

/* CRC-32C of the whole file, put together from those of its samples: the events are not read. */
uint32_t split_crc32c(const struct split *split);

/* Where the data starts in the file, and the events, which are the rest of it. */
uint64_t split_data_start(const struct split *split);
uint64_t split_events_start(const struct split *split);

/* A string of the header's metadata, "" where absent. */
const char *split_meta(const struct split *split, const char *key);
