/* SPDX-License-Identifier: Apache-2.0
 * A split file (source or 2NMNIST), mapped for reading. */
#include "common/split.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/safetensors.h"

struct split {
    const uint8_t *bytes;
    size_t size;
    struct safetensors *header;
    uint64_t n_samples, n_events;
    const uint64_t *offsets;
    const int32_t *sources;
    const uint32_t *checksums;
    const uint8_t *labels;
    const uint8_t *events;
};

static int map_file(struct split *split, const char *path, struct error *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(why, -errno, "%s", strerror(errno));
    struct stat st;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = error_set(why, -errno, "%s", strerror(errno));
    else if (!S_ISREG(st.st_mode) || st.st_size == 0)
        r = error_set(why, -EBADMSG, "not a regular file, or empty");
    if (r == 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            r = error_set(why, -errno, "cannot map %jd bytes: %s", (intmax_t)st.st_size,
                          strerror(errno));
        else {
            split->bytes = map;
            split->size = (size_t)st.st_size;
        }
    }
    close(fd);
    return r;
}

static int check_format(const struct split *split, struct error *why)
{
    if (strcmp(split_meta(split, "format"), SPLIT_FORMAT) != 0)
        return error_set(why, -EBADMSG, "its metadata does not say format \"%s\"", SPLIT_FORMAT);
    if (strcmp(split_meta(split, "version"), SPLIT_VERSION) != 0)
        return error_set(why, -ENOTSUP, "it has version \"%.32s\"; this program reads \"%s\"",
                         split_meta(split, "version"), SPLIT_VERSION);
    const char *kind = split_meta(split, "kind");
    if (strcmp(kind, SPLIT_KIND_SOURCE) != 0 && strcmp(kind, SPLIT_KIND_2NMNIST) != 0)
        return error_set(why, -EBADMSG, "its kind \"%.32s\" is neither \"%s\" nor \"%s\"", kind,
                         SPLIT_KIND_SOURCE, SPLIT_KIND_2NMNIST);
    return 0;
}

/* Find a tensor [rows] or, with `columns`, [rows, columns]; *rows is read where it is 0. */
static int find_tensor(const struct split *split, const char *name, enum tensor_dtype dtype,
                       uint64_t columns, uint64_t *rows, const void **ret, struct error *why)
{
    const struct tensor *tensor = safetensors_find(split->header, name);
    if (!tensor)
        return error_set(why, -EBADMSG, "tensor \"%s\" is missing", name);
    unsigned n_dims = columns ? 2 : 1;
    if (tensor->dtype != dtype || tensor->n_dims != n_dims ||
        (columns && tensor->dims[1] != columns))
        return error_set(why, -EBADMSG, "tensor \"%s\" has another dtype or shape than a split's",
                         name);
    if (*rows && tensor->dims[0] != *rows)
        return error_set(why, -EBADMSG,
                         "tensor \"%s\" has %" PRIu64 " rows where %" PRIu64 " are needed", name,
                         tensor->dims[0], *rows);
    const uint8_t *at = split->bytes + safetensors_data_start(split->header) + tensor->begin;
    if ((uintptr_t)at % tensor_dtype_size(dtype) != 0)
        return error_set(why, -EBADMSG, "tensor \"%s\" is not aligned to its dtype", name);
    *rows = tensor->dims[0];
    *ret = at;
    return 0;
}

static int find_tensors(struct split *split, struct error *why)
{
    const struct {
        const char *name;
        enum tensor_dtype dtype;
        uint64_t columns;
        uint64_t *rows;
        const void **place;
    } wanted[] = {
        {"checksums", TENSOR_U32, 0, &split->n_samples, (const void **)&split->checksums},
        {"sources", TENSOR_I32, 2, &split->n_samples, (const void **)&split->sources},
        {"labels", TENSOR_U8, N_DIGITS, &split->n_samples, (const void **)&split->labels},
        {"events", TENSOR_U8, EVENT_BYTES, &split->n_events, (const void **)&split->events},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        int r = find_tensor(split, wanted[i].name, wanted[i].dtype, wanted[i].columns,
                            wanted[i].rows, wanted[i].place, why);
        if (r < 0)
            return r;
    }
    if (split->n_samples == 0 || split->n_samples > INT32_MAX)
        return error_set(why, -EBADMSG, "%" PRIu64 " samples: 1 to %d are possible",
                         split->n_samples, INT32_MAX);
    uint64_t n_offsets = split->n_samples + 1;
    return find_tensor(split, "offsets", TENSOR_U64, 0, &n_offsets, (const void **)&split->offsets,
                       why);
}

static int check_index(const struct split *split, struct error *why)
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
    for (uint64_t i = 0; i < split->n_samples * N_DIGITS; i++)
        if (split->labels[i] > 1)
            return error_set(why, -EBADMSG,
                             "sample %" PRIu64 ": label %" PRIu64 " is neither 0 nor 1",
                             i / N_DIGITS, i % N_DIGITS);
    return 0;
}

int split_open(const char *path, struct split **ret, struct error *why)
{
    struct split *split = calloc(1, sizeof *split);
    if (!split)
        return error_set(why, -ENOMEM, "no memory to open %s", path);
    int r = map_file(split, path, why);
    if (r == 0)
        r = safetensors_parse(split->bytes, split->size, &split->header, why);
    if (r == 0)
        r = check_format(split, why);
    if (r == 0)
        r = find_tensors(split, why);
    if (r == 0)
        r = check_index(split, why);
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
    safetensors_free(split->header);
    if (split->bytes)
        munmap((void *)split->bytes, split->size);
    free(split);
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
        .labels = split->labels + i * N_DIGITS,
        .sources = split->sources + i * 2,
        .checksum = split->checksums[i],
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

const uint32_t *split_checksums(const struct split *split)
{
    return split->checksums;
}

const uint8_t *split_labels(const struct split *split)
{
    return split->labels;
}

const uint8_t *split_bytes(const struct split *split)
{
    return split->bytes;
}

size_t split_size(const struct split *split)
{
    return split->size;
}

const char *split_meta(const struct split *split, const char *key)
{
    const char *value = safetensors_meta(split->header, key);
    return value ? value : "";
}
