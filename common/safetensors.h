/* SPDX-License-Identifier: Apache-2.0
 * The safetensors container: splits and batches. The one door of common/ to jansson.
 *
 * Source: the format's specification, huggingface/safetensors README ("Format"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum { SAFETENSORS_ALIGN = 64, SAFETENSORS_MAX_DIMS = 8, SAFETENSORS_MAX_HEADER = 1 << 20 };

enum tensor_dtype {
    TENSOR_I64,
    TENSOR_I32,
    TENSOR_F32,
    TENSOR_I16,
    TENSOR_U16,
    TENSOR_U8,
    N_TENSOR_DTYPES,
    TENSOR_OTHER = N_TENSOR_DTYPES, /* one that is not read here; never written */
};

struct tensor {
    const char *name;
    enum tensor_dtype dtype;
    unsigned n_dims;
    uint64_t dims[SAFETENSORS_MAX_DIMS];
    uint64_t begin, end; /* bytes from the start of the data */
};

struct meta {
    const char *key;
    const char *value;
};

/* Bytes of a value; 0 for TENSOR_OTHER. */
uint64_t tensor_dtype_size(enum tensor_dtype dtype);

/* Give each tensor its place, one behind the other without holes; the caller has them in order of
 * descending dtype size. Returns the size of the data. Errors: -EOVERFLOW. */
int safetensors_layout(struct tensor *tensors, size_t n_tensors, uint64_t *ret_data_size);

/* Write length, JSON and padding into `buffer`; the data then starts SAFETENSORS_ALIGN-aligned.
 * `fixed_size`, where not 0, is the size to fill up to. `meta` may be NULL.
 * Errors: -ENOBUFS what would be written is longer than `size` or `fixed_size`; -ENOMEM. */
int safetensors_header(const struct tensor *tensors, size_t n_tensors, const struct meta *meta,
                       size_t n_meta, char *buffer, size_t size, size_t fixed_size,
                       size_t *ret_size);

/* A parsed header of a file of `size` bytes, of which no more than the header need be at `file`.
 * Every tensor lies inside the data and, unless it is TENSOR_OTHER, is as long as its shape says.
 *
 * Errors: -EBADMSG no header, one longer than SAFETENSORS_MAX_HEADER, or one that lies (why says
 * in what); -ENOMEM. */
struct safetensors;
int safetensors_parse(const void *file, size_t size, struct safetensors **ret, struct error *why);
void safetensors_free(struct safetensors *header);

/* Read the header (length, JSON, padding) of an open file of `file_size` bytes into memory, for
 * safetensors_parse(): nothing is mapped, so a file that is cut short meanwhile is an error like
 * others. The caller frees *ret.
 * Errors: -EBADMSG no header, or one longer than SAFETENSORS_MAX_HEADER; -ENOMEM; those of
 * pread(). */
int safetensors_read(int fd, uint64_t file_size, void **ret, size_t *ret_size, struct error *why);

/* Read the whole tensor of that file into `out`. Errors: -EBADMSG the file ends before; those of
 * pread(). */
int safetensors_read_tensor(int fd, const struct safetensors *header, const struct tensor *tensor,
                            void *out, struct error *why);

/* The tensor, or NULL. */
const struct tensor *safetensors_find(const struct safetensors *header, const char *name);

/* The string of `__metadata__`, or NULL. */
const char *safetensors_meta(const struct safetensors *header, const char *key);

/* Where the data starts in the file. */
size_t safetensors_data_start(const struct safetensors *header);
