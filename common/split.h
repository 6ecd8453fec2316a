/* SPDX-License-Identifier: Apache-2.0
 * A split file (source or 2NMNIST), mapped for reading. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/event.h"
#include "common/sha256.h"

#define SPLIT_FORMAT       "twonmnist-split"
#define SPLIT_VERSION      "1"
#define SPLIT_KIND_SOURCE  "source"
#define SPLIT_KIND_2NMNIST "2nmnist"
#define SPLIT_SUFFIX       ".safetensors"

struct split;

/* One sample, borrowed from the map. */
struct sample {
    struct event_span events;
    const uint8_t *labels;  /* [N_DIGITS], multi-hot */
    const int32_t *sources; /* [2], positions in the source split; -1 where there is none */
    uint32_t checksum;      /* CRC-32C of the event bytes */
};

/* Map the split file at `path` read-only and check its header and index (not its events).
 *
 * Keeps no reference to `path`. The caller owns *ret and must split_close() it; samples borrowed
 * from it die with it. Any thread.
 * Errors: -ENOENT and other errors of open(); -EBADMSG not a split, or damaged (why says where);
 * -ENOTSUP a newer version. */
int split_open(const char *path, struct split **ret, struct error *why);
void split_close(struct split *split);

uint64_t split_n_samples(const struct split *split);
uint64_t split_n_events(const struct split *split);

/* Sample i < split_n_samples(). */
struct sample split_sample(const struct split *split, uint64_t i);

/* Whole tensors as they lie in the file. */
const uint64_t *split_offsets(const struct split *split);   /* [n + 1], events */
const int32_t *split_sources(const struct split *split);    /* [n, 2] */
const uint32_t *split_checksums(const struct split *split); /* [n] */
const uint8_t *split_labels(const struct split *split);     /* [n, N_DIGITS] */

/* The file itself. */
const uint8_t *split_bytes(const struct split *split);
size_t split_size(const struct split *split);

/* A string of the header's metadata, "" where absent. */
const char *split_meta(const struct split *split, const char *key);
