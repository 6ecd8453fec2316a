/* SPDX-License-Identifier: Apache-2.0
 * What a split's file consists of, and what each piece of it has to be: the header by its SHA-256,
 * which is the revision; the index by the sum that the header says; the events, in chunks of whole
 * samples, by the sums that the index says. So each piece is right or wrong as it arrives, whoever
 * sent it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/sha256.h"

/* Enough of them for several servers to have their share to the end, each long enough for a request
 * to cost nothing beside it; what a chunk has beyond CHUNK_MAX is of its last sample. */
enum { CHUNK_MIN = 256 * 1024, CHUNK_MAX = 4 * 1024 * 1024, CHUNKS_WANTED = 64 };

struct chunk {
    uint64_t begin, size; /* in the file, bytes */
    const char *sha256;   /* that it has to have; or NULL: */
    uint32_t crc;         /* CRC-32C */
};

struct chunks {
    uint64_t size; /* of the file */
    uint64_t n_samples, n_events;
    char revision[SHA256_HEX + 1];
    struct chunk header, index;
    char data_sha256[SHA256_HEX + 1]; /* of all behind the header */
    struct chunk *events;             /* [n], one behind the other to the end of the file */
    size_t n;
};

/* A file of `size` bytes has so many samples and events: where header and index lie. The caller
 * ends it by chunks_clear(). Errors: -EBADMSG no split can be of that size. */
int chunks_begin(uint64_t n_samples, uint64_t n_events, uint64_t size, const char *revision,
                 struct chunks *ret, struct error *why);
void chunks_clear(struct chunks *chunks);

/* Read the header, which passed its check: now the index can be checked. Then the index, which
 * passed its check: now the events can. Errors: -EBADMSG they are not those of such a file;
 * -ENOTSUP another version; -ENOMEM. */
int chunks_read_header(struct chunks *chunks, const void *bytes, struct error *why);
int chunks_read_index(struct chunks *chunks, const void *bytes, struct error *why);

/* Are these the chunk's `size` bytes? Any thread. Errors: -EBADMSG. */
int chunk_check(const struct chunk *chunk, const void *bytes, struct error *why);
