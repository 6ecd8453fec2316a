/* SPDX-License-Identifier: Apache-2.0
 * A split file (source or 2NMNIST), opened for reading: its index in memory, its events mapped. */
#include "common/split.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/file.h"
#include "common/safetensors.h"
#include "common/wire.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "an index is used as it is read, in little-endian order"
#endif

enum { CACHED_PIECE = 16384 };

struct split {
    int fd;
    struct stat file;
    const uint8_t *bytes; /* the map */
    size_t size;
    const uint8_t *events; /* in it */
    struct geometry geometry;
    uint64_t n_samples, n_events;
    char revision[SHA256_HEX + 1];
    uint32_t crc; /* of all before the events */
    /* private memory, checked */
    struct safetensors *header;
    uint64_t *offsets;
    int32_t *sources;
    uint64_t *checksums;
    uint8_t *labels;
};

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Files are dated by a clock that ticks every few milliseconds. What is written within the tick in
 * which a file was looked at would not show in its date: wait for the next before reading it. */
static void await_next_tick(const struct stat *file)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct timespec now;
    while (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 && same_time(&now, &file->st_mtim))
        nanosleep(&pause, NULL);
}

/* Without O_NONBLOCK a FIFO of that name would be waited on for ever. */
static int map_file(struct split *split, const char *path, struct error *why)
{
    split->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (split->fd < 0 || fstat(split->fd, &split->file) < 0)
        return error_set(why, -errno, "%s", strerror(errno));
    if (!S_ISREG(split->file.st_mode) || split->file.st_size == 0)
        return error_set(why, -EBADMSG, "not a regular file, or empty");
    await_next_tick(&split->file);
    size_t size = (size_t)split->file.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, split->fd, 0);
    if (map == MAP_FAILED)
        return error_set(why, -errno, "cannot map %zu bytes: %s", size, strerror(errno));
    split->bytes = map;
    split->size = size;
    return 0;
}

static int read_header(struct split *split, struct error *why)
{
    void *bytes;
    size_t size;
    int r = safetensors_read(split->fd, split->size, &bytes, &size, why);
    if (r < 0)
        return r;
    r = safetensors_parse(bytes, split->size, &split->header, why);
    sha256_hex_of(bytes, size, split->revision);
    split->crc = crc32c(0, bytes, size);
    free(bytes);
    return r;
}

static int check_version(const struct split *split, struct error *why)
{
    const char *version = split_meta(split, "version");
    if (strcmp(version, SPLIT_VERSION) == 0)
        return 0;
    if (strcmp(version, "1") != 0)
        return error_set(why, -ENOTSUP, "it has version \"%.32s\"; this program reads \"%s\"",
                         version, SPLIT_VERSION);
    return error_set(why, -ENOTSUP,
                     "it has version \"1\"; this program reads \"" SPLIT_VERSION
                     "\": make it anew with \"" SPLIT_MAKE "\"");
}

static bool is_hex(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

static int check_format(struct split *split, struct error *why)
{
    if (strcmp(split_meta(split, "format"), SPLIT_FORMAT) != 0)
        return error_set(why, -EBADMSG, "its metadata does not say format \"%s\"", SPLIT_FORMAT);
    int r = check_version(split, why);
    if (r < 0)
        return r;
    if (!is_hex(split_meta(split, "data_sha256"), SHA256_HEX) ||
        !is_hex(split_meta(split, "index_crc32c"), SPLIT_CRC_HEX))
        return error_set(why, -EBADMSG, "its metadata does not say data_sha256 and index_crc32c");
    const char *kind = split_meta(split, "kind");
    if (strcmp(kind, SPLIT_KIND_SOURCE) != 0 && strcmp(kind, SPLIT_KIND_2NMNIST) != 0)
        return error_set(why, -EBADMSG, "its kind \"%.32s\" is neither \"%s\" nor \"%s\"", kind,
                         SPLIT_KIND_SOURCE, SPLIT_KIND_2NMNIST);
    return 0;
}

/* Events of another sensor, or in other units of time, would be taken for what they are not. */
static int read_geometry(struct split *split, struct error *why)
{
    const char *sensor = split_meta(split, "sensor"), *unit = split_meta(split, "time_unit");
    const struct tensor *labels =
        safetensors_find(split->header, wire_split[WIRE_SPLIT_LABELS].name);
    struct geometry geometry = GEOMETRY_NMNIST;
    if (labels && labels->n_dims == 2 && labels->dims[1] <= UINT32_MAX)
        geometry.n_labels = (uint32_t)labels->dims[1];
    if (!geometry_read_sensor(sensor, &geometry) || !geometry_equal(&geometry, &GEOMETRY_NMNIST))
        return error_set(why, -ENOTSUP,
                         "its sensor is \"%.32s\", with %" PRIu32
                         " labels; this program reads \"%s\" with %d",
                         sensor, geometry.n_labels, SENSOR_NMNIST, N_DIGITS);
    if (strcmp(unit, SPLIT_TIME_UNIT) != 0)
        return error_set(why, -ENOTSUP, "its time unit is \"%.32s\"; this program reads \"%s\"",
                         unit, SPLIT_TIME_UNIT);
    split->geometry = geometry;
    return 0;
}

static int find_tensor(const struct split *split, enum wire_split_tensor which,
                       const struct tensor **ret, struct error *why)
{
    const struct wire_tensor *row = &wire_split[which];
    const struct tensor *tensor = safetensors_find(split->header, row->name);
    if (!tensor)
        return error_set(why, -EBADMSG, "tensor \"%s\" is missing", row->name);
    if (tensor->dtype != row->dtype || tensor->n_dims != (row->columns ? 2 : 1) ||
        (row->columns && tensor->dims[1] != row->columns))
        return error_set(why, -EBADMSG, "tensor \"%s\" has another dtype or shape than a split's",
                         row->name);
    *ret = tensor;
    return 0;
}

static int find_events(struct split *split, struct error *why)
{
    const struct tensor *labels, *events;
    int r = find_tensor(split, WIRE_SPLIT_LABELS, &labels, why);
    if (r == 0)
        r = find_tensor(split, WIRE_SPLIT_EVENTS, &events, why);
    if (r < 0)
        return r;
    if (labels->dims[0] == 0 || labels->dims[0] > INT32_MAX)
        return error_set(why, -EBADMSG, "%" PRIu64 " samples: 1 to %d are possible",
                         labels->dims[0], INT32_MAX);
    split->n_samples = labels->dims[0];
    split->n_events = events->dims[0];
    split->events = split->bytes + safetensors_data_start(split->header) + events->begin;
    return 0;
}

/* Nothing stands between the tensors or behind them: every byte is one's, and has its checksum. */
static int check_layout(struct split *split, struct error *why)
{
    uint64_t at = 0;
    for (int i = 0; i < WIRE_SPLIT_N; i++) {
        const struct tensor *tensor = safetensors_find(split->header, wire_split[i].name);
        if (!tensor)
            return error_set(why, -EBADMSG, "tensor \"%s\" is missing", wire_split[i].name);
        if (tensor->begin != at)
            return error_set(why, -EBADMSG,
                             "tensor \"%s\" lies at %" PRIu64 " of the data, not at %" PRIu64,
                             tensor->name, tensor->begin, at);
        at = tensor->end;
    }
    at += safetensors_data_start(split->header);
    if (at != split->size)
        return error_set(why, -EBADMSG, "%" PRIu64 " bytes stand behind its last tensor",
                         split->size - at);
    return 0;
}

static int check_crc(const struct split *split, uint32_t crc, struct error *why)
{
    const char *said = split_meta(split, "index_crc32c");
    char found[SPLIT_CRC_HEX + 1];
    snprintf(found, sizeof found, "%08" PRIx32, crc);
    return strcmp(found, said) == 0
               ? 0
               : error_set(why, -EBADMSG, "its index is damaged: its CRC-32C is %s instead of %s",
                           found, said);
}

static int read_index(struct split *split, struct error *why)
{
    uint64_t n = split->n_samples;
    const struct {
        enum wire_split_tensor which;
        uint64_t rows;
        void **copy;
    } wanted[] = {
        {WIRE_SPLIT_OFFSETS, n + 1, (void **)&split->offsets},
        {WIRE_SPLIT_CHECKSUMS, n, (void **)&split->checksums},
        {WIRE_SPLIT_SOURCES, n, (void **)&split->sources},
        {WIRE_SPLIT_LABELS, n, (void **)&split->labels},
    };
    uint32_t crc = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const struct tensor *tensor;
        int r = find_tensor(split, wanted[i].which, &tensor, why);
        if (r < 0)
            return r;
        if (tensor->dims[0] != wanted[i].rows)
            return error_set(why, -EBADMSG,
                             "tensor \"%s\" has %" PRIu64 " rows where %" PRIu64 " are needed",
                             tensor->name, tensor->dims[0], wanted[i].rows);
        void *copy = malloc(tensor->end - tensor->begin);
        if (!copy)
            return error_set(why, -ENOMEM, "no memory for an index of %" PRIu64 " samples", n);
        *wanted[i].copy = copy;
        r = safetensors_read_tensor(split->fd, split->header, tensor, copy, why);
        if (r < 0)
            return r;
        crc = crc32c(crc, copy, tensor->end - tensor->begin);
        size += tensor->end - tensor->begin;
    }
    split->crc = crc32c_combine(split->crc, crc, size);
    return check_crc(split, crc, why);
}

static int check_offsets(const struct split *split, struct error *why)
{
    if (split->offsets[0] != 0)
        return error_set(why, -EBADMSG, "the first offset is not 0");
    for (uint64_t i = 0; i < split->n_samples; i++)
        if (split->offsets[i + 1] < split->offsets[i])
            return error_set(why, -EBADMSG, "offsets go back at sample %" PRIu64, i);
    if (split->offsets[split->n_samples] != split->n_events)
        return error_set(why, -EBADMSG,
                         "the last offset is %" PRIu64 "; there are %" PRIu64 " events",
                         split->offsets[split->n_samples], split->n_events);
    return 0;
}

static int check_index(struct split *split, struct error *why)
{
    int r = check_offsets(split, why);
    if (r < 0)
        return r;
    for (uint64_t i = 0; i < split->n_samples; i++)
        if (split->checksums[i] > UINT32_MAX)
            return error_set(why, -EBADMSG, "sample %" PRIu64 ": its checksum is no CRC-32C", i);
    uint64_t n_labels = split->geometry.n_labels;
    for (uint64_t i = 0; i < split->n_samples * n_labels; i++)
        if (split->labels[i] > 1)
            return error_set(why, -EBADMSG,
                             "sample %" PRIu64 ": label %" PRIu64 " is neither 0 nor 1",
                             i / n_labels, i % n_labels);
    for (uint64_t i = 0; i < 2 * split->n_samples; i++)
        if (split->sources[i] < -1)
            return error_set(why, -EBADMSG,
                             "sample %" PRIu64 ": source %" PRId32 " is neither a position nor -1",
                             i / 2, split->sources[i]);
    if (!split_is_intact(split))
        return error_set(why, -EBADMSG, "it changed while it was read");
    return 0;
}

int split_open(const char *path, struct split **ret, struct error *why)
{
    static int (*const steps[])(struct split * split, struct error * why) = {
        read_header, check_format, read_geometry, find_events,
        read_index,  check_layout, check_index};
    struct split *split = calloc(1, sizeof *split);
    if (!split)
        return error_set(why, -ENOMEM, "no memory to open %s", path);
    int r = map_file(split, path, why);
    for (size_t i = 0; r == 0 && i < sizeof steps / sizeof *steps; i++)
        r = steps[i](split, why);
    if (r < 0) {
        split_close(split);
        return error_prefix(why, r, "%s", path);
    }
    *ret = split;
    return 0;
}

void split_close(struct split *split)
{
    if (!split)
        return;
    if (split->bytes)
        munmap((void *)split->bytes, split->size);
    if (split->fd >= 0)
        close(split->fd);
    safetensors_free(split->header);
    free(split->offsets);
    free(split->sources);
    free(split->checksums);
    free(split->labels);
    free(split);
}

/* Not by the inode's own date (ctime): that changes when a file is replaced by rename, too. */
bool split_is_intact(const struct split *split)
{
    struct stat now;
    return fstat(split->fd, &now) == 0 && now.st_size == split->file.st_size &&
           same_time(&now.st_mtim, &split->file.st_mtim);
}

const struct stat *split_file(const struct split *split)
{
    return &split->file;
}

const struct geometry *split_geometry(const struct split *split)
{
    return &split->geometry;
}

uint64_t split_n_samples(const struct split *split)
{
    return split->n_samples;
}

uint64_t split_n_events(const struct split *split)
{
    return split->n_events;
}

struct sample split_sample(const struct split *split, uint64_t i)
{
    return (struct sample){
        .events = {.bytes = split->events + split->offsets[i] * EVENT_BYTES,
                   .n_events = split->offsets[i + 1] - split->offsets[i]},
        .labels = split->labels + i * split->geometry.n_labels,
        .sources = split->sources + i * 2,
        .checksum = (uint32_t)split->checksums[i],
    };
}

const uint64_t *split_offsets(const struct split *split)
{
    return split->offsets;
}

const int32_t *split_sources(const struct split *split)
{
    return split->sources;
}

const uint8_t *split_labels(const struct split *split)
{
    return split->labels;
}

int split_read(const struct split *split, uint64_t at, void *out, size_t size, struct error *why)
{
    int r = file_read_all_at(split->fd, out, size, at);
    if (r == -ENODATA)
        return error_set(why, -EBADMSG, "it was cut short behind byte %" PRIu64, at);
    return r < 0 ? error_set(why, r, "cannot read: %s", strerror(-r)) : 0;
}

ssize_t split_copy_cached(const struct split *split, uint64_t at, void *out, size_t size)
{
    const struct iovec piece = {out, size};
    ssize_t n = preadv2(split->fd, &piece, 1, (off_t)at, RWF_NOWAIT);
    return n < 0 ? -errno : n;
}

bool split_is_cached(const struct split *split, uint64_t at, size_t size)
{
    uint8_t copy[CACHED_PIECE];
    for (ssize_t n; size > 0; size -= (size_t)n, at += (uint64_t)n) {
        n = split_copy_cached(split, at, copy, size < sizeof copy ? size : sizeof copy);
        if (n <= 0)
            return n != -EAGAIN;
    }
    return true;
}

const uint8_t *split_bytes(const struct split *split)
{
    return split->bytes;
}

size_t split_size(const struct split *split)
{
    return split->size;
}

const char *split_revision(const struct split *split)
{
    return split->revision;
}

uint32_t split_crc32c(const struct split *split)
{
    uint32_t crc = split->crc;
    for (uint64_t i = 0; i < split->n_samples; i++)
        crc = crc32c_combine(crc, (uint32_t)split->checksums[i],
                             (split->offsets[i + 1] - split->offsets[i]) * EVENT_BYTES);
    return crc;
}

uint64_t split_data_start(const struct split *split)
{
    return safetensors_data_start(split->header);
}

uint64_t split_events_start(const struct split *split)
{
    return (uint64_t)(split->events - split->bytes);
}

const char *split_meta(const struct split *split, const char *key)
{
    const char *value = safetensors_meta(split->header, key);
    return value ? value : "";
}
