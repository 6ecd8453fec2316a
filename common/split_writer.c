/* SPDX-License-Identifier: Apache-2.0
 * Writes a split file: to a temporary name in the same folder, synced, then renamed.
 *
 * The number of samples is known from the start, so the events can be streamed to where they will
 * stay; index and header, which says the hash of all of it, are written into the room left before
 * them. */
#include "common/split_writer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/file.h"
#include "common/sha256.h"
#include "common/split.h"
#include "common/wire.h"

enum { HEADER_SIZE = 4096, MAX_META = 32, BUFFER_SIZE = 1 << 20 };

struct split_writer {
    struct file_replacement file;
    uint64_t n_samples, n_added;
    uint64_t *offsets;
    int32_t *sources;
    int64_t *checksums;
    uint8_t *labels;
    uint8_t *buffer;
    size_t buffered;
    struct sha256 *hash; /* of the data */
    uint32_t index_crc;
};

static uint64_t layout(const struct split_writer *writer, struct tensor ret[WIRE_SPLIT_N])
{
    for (int i = 0; i < WIRE_SPLIT_N; i++)
        ret[i] = wire_tensor(&wire_split[i], writer->n_samples);
    ret[WIRE_SPLIT_OFFSETS].dims[0]++;
    ret[WIRE_SPLIT_EVENTS].dims[0] = writer->offsets[writer->n_added];
    uint64_t size;
    int r = safetensors_layout(ret, WIRE_SPLIT_N, &size);
    assert(r == 0);
    (void)r;
    return size;
}

static int write_all(struct split_writer *writer, const void *bytes, size_t size, struct error *why)
{
    int r = file_write_all(writer->file.fd, bytes, size);
    return r < 0 ? error_set(why, r, "cannot write: %s", strerror(-r)) : 0;
}

static int flush(struct split_writer *writer, struct error *why)
{
    int r = write_all(writer, writer->buffer, writer->buffered, why);
    writer->buffered = 0;
    return r;
}

static int go_to(struct split_writer *writer, uint64_t place, struct error *why)
{
    if (lseek(writer->file.fd, (off_t)place, SEEK_SET) < 0)
        return error_set(why, -errno, "cannot go to byte %" PRIu64 ": %s", place, strerror(errno));
    return 0;
}

/* Begin the file, and go to where the events will stand. */
static int begin(struct split_writer *writer, const char *path, struct error *why)
{
    int r = file_replace_begin(path, &writer->file, why);
    if (r < 0)
        return r;
    struct tensor tensors[WIRE_SPLIT_N];
    layout(writer, tensors);
    r = go_to(writer, HEADER_SIZE + tensors[WIRE_SPLIT_EVENTS].begin, why);
    return r < 0 ? error_prefix(why, r, "%s", path) : 0;
}

int split_writer_create(const char *path, uint64_t n_samples, struct split_writer **ret,
                        struct error *why)
{
    if (n_samples == 0 || n_samples > INT32_MAX)
        return error_set(why, -ERANGE, "%s: a split of %" PRIu64 " samples: 1 to %d are possible",
                         path, n_samples, INT32_MAX);
    struct split_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_set(why, -ENOMEM, "%s: no memory for the index", path);
    writer->file = (struct file_replacement){.fd = -1, .folder = -1};
    writer->n_samples = n_samples;
    writer->offsets = calloc(n_samples + 1, sizeof *writer->offsets);
    writer->sources = calloc(n_samples, 2 * sizeof *writer->sources);
    writer->checksums = calloc(n_samples, sizeof *writer->checksums);
    writer->labels = calloc(n_samples, N_DIGITS);
    writer->buffer = malloc(BUFFER_SIZE);
    int r;
    if (writer->offsets && writer->sources && writer->checksums && writer->labels &&
        writer->buffer && sha256_new(&writer->hash) == 0)
        r = begin(writer, path, why);
    else
        r = error_set(why, -ENOMEM, "%s: no memory for the index", path);
    if (r < 0) {
        split_writer_abort(writer);
        return r;
    }
    *ret = writer;
    return 0;
}

int split_writer_add(struct split_writer *writer, struct event_span events,
                     const uint8_t labels[N_DIGITS], const int32_t sources[2], struct error *why)
{
    uint64_t i = writer->n_added;
    if (i == writer->n_samples)
        return error_set(why, -EFBIG, "%s: more than the %" PRIu64 " samples it was made for",
                         writer->file.path, i);
    size_t size = events.n_events * EVENT_BYTES;
    int r = 0;
    if (size > BUFFER_SIZE - writer->buffered)
        r = flush(writer, why);
    if (r == 0 && size > BUFFER_SIZE)
        r = write_all(writer, events.bytes, size, why);
    else if (r == 0) {
        memcpy(writer->buffer + writer->buffered, events.bytes, size);
        writer->buffered += size;
    }
    if (r < 0)
        return error_prefix(why, r, "%s", writer->file.path);
    writer->offsets[i + 1] = writer->offsets[i] + events.n_events;
    writer->checksums[i] = (int64_t)crc32c(0, events.bytes, size);
    memcpy(writer->sources + 2 * i, sources, 2 * sizeof *sources);
    memcpy(writer->labels + N_DIGITS * i, labels, N_DIGITS);
    writer->n_added++;
    return 0;
}

static int write_index(struct split_writer *writer, const struct tensor tensors[WIRE_SPLIT_N],
                       struct error *why)
{
    const void *parts[WIRE_SPLIT_N] = {
        [WIRE_SPLIT_OFFSETS] = writer->offsets,
        [WIRE_SPLIT_CHECKSUMS] = writer->checksums,
        [WIRE_SPLIT_SOURCES] = writer->sources,
        [WIRE_SPLIT_LABELS] = writer->labels,
    };
    int r = go_to(writer, HEADER_SIZE, why);
    for (int i = 0; r == 0 && i < WIRE_SPLIT_EVENTS; i++) {
        size_t size = tensors[i].end - tensors[i].begin;
        r = write_all(writer, parts[i], size, why);
        sha256_add(writer->hash, parts[i], size);
        writer->index_crc = crc32c(writer->index_crc, parts[i], size);
    }
    return r;
}

/* What stands behind the index can only be hashed once that is known: the events are read again,
 * from memory where there is enough of it. */
static int hash_events(struct split_writer *writer, const struct tensor *events, struct error *why)
{
    uint64_t at = HEADER_SIZE + events->begin, end = HEADER_SIZE + events->end;
    while (at < end) {
        size_t size = end - at < BUFFER_SIZE ? (size_t)(end - at) : BUFFER_SIZE;
        int r = file_read_all_at(writer->file.fd, writer->buffer, size, at);
        if (r < 0)
            return error_set(why, r, "cannot read again what was written: %s", strerror(-r));
        sha256_add(writer->hash, writer->buffer, size);
        at += size;
    }
    return 0;
}

static int write_header(struct split_writer *writer, const struct tensor tensors[WIRE_SPLIT_N],
                        const struct meta *meta, size_t n_meta, struct error *why)
{
    enum { OWN = 4 };
    char data_sha256[SHA256_HEX + 1], index_crc32c[SPLIT_CRC_HEX + 1], header[HEADER_SIZE];
    struct meta all[OWN + MAX_META] = {{"format", SPLIT_FORMAT},
                                       {"version", SPLIT_VERSION},
                                       {"data_sha256", data_sha256},
                                       {"index_crc32c", index_crc32c}};
    if (n_meta > MAX_META)
        return error_set(why, -E2BIG, "more than %d strings of metadata", MAX_META);
    sha256_hex(writer->hash, data_sha256);
    snprintf(index_crc32c, sizeof index_crc32c, "%08" PRIx32, writer->index_crc);
    memcpy(all + OWN, meta, n_meta * sizeof *meta);
    size_t size;
    int r = safetensors_header(tensors, WIRE_SPLIT_N, all, OWN + n_meta, header, sizeof header,
                               HEADER_SIZE, &size);
    if (r < 0)
        return error_set(why, r, "its metadata does not fit a header of %d bytes", HEADER_SIZE);
    r = go_to(writer, 0, why);
    return r < 0 ? r : write_all(writer, header, size, why);
}

static int write_rest(struct split_writer *writer, const struct meta *meta, size_t n_meta,
                      struct error *why)
{
    struct tensor tensors[WIRE_SPLIT_N];
    layout(writer, tensors);
    int r = flush(writer, why);
    if (r == 0)
        r = write_index(writer, tensors, why);
    if (r == 0)
        r = hash_events(writer, &tensors[WIRE_SPLIT_EVENTS], why);
    return r < 0 ? r : write_header(writer, tensors, meta, n_meta, why);
}

int split_writer_finish(struct split_writer *writer, const struct meta *meta, size_t n_meta,
                        struct error *why)
{
    int r = 0;
    if (writer->n_added != writer->n_samples)
        r = error_set(why, -EINVAL,
                      "%" PRIu64 " samples were added where %" PRIu64 " were promised",
                      writer->n_added, writer->n_samples);
    if (r == 0)
        r = write_rest(writer, meta, n_meta, why);
    if (r < 0)
        error_prefix(why, r, "%s", writer->file.path);
    else
        r = file_replace_commit(&writer->file, why);
    split_writer_abort(writer);
    return r;
}

void split_writer_abort(struct split_writer *writer)
{
    if (!writer)
        return;
    file_replace_abort(&writer->file);
    free(writer->offsets);
    free(writer->sources);
    free(writer->checksums);
    free(writer->labels);
    free(writer->buffer);
    sha256_free(writer->hash);
    free(writer);
}
