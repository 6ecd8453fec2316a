/* SPDX-License-Identifier: Apache-2.0
 * What a split's file consists of, and what each piece of it has to be. */
#include "client/chunks.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/event.h"
#include "common/split.h"
#include "common/wire.h"

enum { HEADER_MIN = 8 };

/* ---- Header and index ---- */

static int place_tensors(const struct chunks *chunks, struct tensor ret[WIRE_SPLIT_N],
                         uint64_t *ret_size)
{
    for (int i = 0; i < WIRE_SPLIT_N; i++) {
        uint64_t n_rows = chunks->n_samples + (i == WIRE_SPLIT_OFFSETS);
        ret[i] = wire_tensor(&wire_split[i], i == WIRE_SPLIT_EVENTS ? chunks->n_events : n_rows);
    }
    return safetensors_layout(ret, WIRE_SPLIT_N, ret_size);
}

int chunks_begin(uint64_t n_samples, uint64_t n_events, uint64_t size, const char *revision,
                 struct chunks *ret, struct error *why)
{
    struct chunks chunks = {.size = size, .n_samples = n_samples, .n_events = n_events};
    struct tensor tensors[WIRE_SPLIT_N];
    uint64_t data_size;
    if (strlen(revision) != SHA256_HEX || place_tensors(&chunks, tensors, &data_size) < 0 ||
        size < data_size || size - data_size < HEADER_MIN ||
        size - data_size > HEADER_MIN + SAFETENSORS_MAX_HEADER)
        return error_set(why, -EBADMSG,
                         "no split of %" PRIu64 " samples and %" PRIu64 " events has %" PRIu64
                         " bytes",
                         n_samples, n_events, size);
    strcpy(chunks.revision, revision);
    chunks.header.size = size - data_size;
    chunks.index.begin = chunks.header.size;
    chunks.index.size = tensors[WIRE_SPLIT_EVENTS].begin;
    *ret = chunks;
    ret->header.sha256 = ret->revision;
    return 0;
}

void chunks_clear(struct chunks *chunks)
{
    free(chunks->events);
    chunks->events = NULL;
}

static bool are_placed(const struct chunks *chunks, const struct safetensors *header)
{
    struct tensor wanted[WIRE_SPLIT_N];
    uint64_t data_size;
    if (safetensors_data_start(header) != chunks->header.size ||
        place_tensors(chunks, wanted, &data_size) < 0)
        return false;
    for (int i = 0; i < WIRE_SPLIT_N; i++) {
        const struct tensor *found = safetensors_find(header, wanted[i].name);
        if (!found || found->begin != wanted[i].begin || found->end != wanted[i].end)
            return false;
    }
    return true;
}

static const char *meta(const struct safetensors *header, const char *key)
{
    const char *text = safetensors_meta(header, key);
    return text ? text : "";
}

static int read_sums(struct chunks *chunks, const struct safetensors *header, struct error *why)
{
    const char *version = meta(header, "version"), *crc = meta(header, "index_crc32c");
    const char *sha256 = meta(header, "data_sha256");
    char *end;
    if (strcmp(version, SPLIT_VERSION) != 0)
        return error_set(why, -ENOTSUP, "it has version \"%.32s\"; this library reads \"%s\"",
                         version, SPLIT_VERSION);
    chunks->index.crc = (uint32_t)strtoul(crc, &end, 16);
    if (strlen(crc) != SPLIT_CRC_HEX || *end || strlen(sha256) != SHA256_HEX)
        return error_set(why, -EBADMSG, "its header does not say index_crc32c and data_sha256");
    strcpy(chunks->data_sha256, sha256);
    return are_placed(chunks, header)
               ? 0
               : error_set(why, -EBADMSG, "its header says another layout than a split's");
}

/* What it says of its own length is believed by who reads it, and may be anything. */
static bool is_as_long_as_it_says(const struct chunk *header, const void *bytes)
{
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    return le64toh(length) == header->size - HEADER_MIN;
}

int chunks_read_header(struct chunks *chunks, const void *bytes, struct error *why)
{
    struct safetensors *header;
    if (!is_as_long_as_it_says(&chunks->header, bytes))
        return error_set(why, -EBADMSG, "its header says that it has another length");
    int r = safetensors_parse(bytes, chunks->size, &header, why);
    if (r < 0)
        return r;
    r = read_sums(chunks, header, why);
    safetensors_free(header);
    return r;
}

/* ---- Events ---- */

static uint64_t number_at(const uint8_t *numbers, uint64_t i)
{
    uint64_t number;
    memcpy(&number, numbers + i * sizeof number, sizeof number);
    return number;
}

static uint64_t chunk_target(uint64_t n_bytes)
{
    uint64_t target = n_bytes / CHUNKS_WANTED;
    return target < CHUNK_MIN ? CHUNK_MIN : target > CHUNK_MAX ? CHUNK_MAX : target;
}

static int check_offsets(const struct chunks *chunks, const uint8_t *offsets, struct error *why)
{
    bool good =
        number_at(offsets, 0) == 0 && number_at(offsets, chunks->n_samples) == chunks->n_events;
    for (uint64_t i = 0; good && i < chunks->n_samples; i++)
        good = number_at(offsets, i) <= number_at(offsets, i + 1);
    return good ? 0 : error_set(why, -EBADMSG, "the offsets of its samples are no offsets");
}

/* Fill in the chunks, of which there is room for as many as can be. */
static void deal(struct chunks *chunks, const uint8_t *offsets, const uint8_t *checksums)
{
    const uint64_t start = chunks->index.begin + chunks->index.size;
    const uint64_t target = chunk_target(chunks->size - start);
    struct chunk chunk = {.begin = start};
    for (uint64_t i = 0; i < chunks->n_samples; i++) {
        uint64_t size = (number_at(offsets, i + 1) - number_at(offsets, i)) * EVENT_BYTES;
        chunk.crc = crc32c_combine(chunk.crc, (uint32_t)number_at(checksums, i), size);
        chunk.size += size;
        if (chunk.size < target && i + 1 < chunks->n_samples)
            continue;
        if (chunk.size > 0)
            chunks->events[chunks->n++] = chunk;
        chunk = (struct chunk){.begin = chunk.begin + chunk.size};
    }
}

int chunks_read_index(struct chunks *chunks, const void *bytes, struct error *why)
{
    struct tensor tensors[WIRE_SPLIT_N];
    uint64_t data_size;
    if (place_tensors(chunks, tensors, &data_size) < 0)
        return error_set(why, -EBADMSG, "its index is too large");
    const uint8_t *offsets = (const uint8_t *)bytes + tensors[WIRE_SPLIT_OFFSETS].begin;
    const uint8_t *checksums = (const uint8_t *)bytes + tensors[WIRE_SPLIT_CHECKSUMS].begin;
    int r = check_offsets(chunks, offsets, why);
    if (r < 0)
        return r;
    uint64_t n_bytes = data_size - chunks->index.size;
    uint64_t n_most = n_bytes / chunk_target(n_bytes) + 1;
    chunks->events = calloc(n_most, sizeof *chunks->events);
    if (!chunks->events)
        return error_set(why, -ENOMEM, "no memory for %" PRIu64 " chunks", n_most);
    deal(chunks, offsets, checksums);
    return 0;
}

int chunk_check(const struct chunk *chunk, const void *bytes, struct error *why)
{
    char sha256[SHA256_HEX + 1];
    if (chunk->sha256) {
        sha256_hex_of(bytes, chunk->size, sha256);
        return strcmp(sha256, chunk->sha256) == 0
                   ? 0
                   : error_set(
                         why, -EBADMSG,
                         "the file's header has SHA-256 %.12s, which is not its revision %.12s",
                         sha256, chunk->sha256);
    }
    uint32_t crc = crc32c(0, bytes, chunk->size);
    return crc == chunk->crc
               ? 0
               : error_set(why, -EBADMSG,
                           "bytes %" PRIu64 " to %" PRIu64
                           " of the file are damaged: their CRC-32C is %08" PRIx32
                           ", it has to be %08" PRIx32,
                           chunk->begin, chunk->begin + chunk->size - 1, crc, chunk->crc);
}
