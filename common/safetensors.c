/* SPDX-License-Identifier: Apache-2.0
 * The safetensors container: splits and batches. With json_memory the one door of common/ to
 * jansson. */
#include "common/safetensors.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json_memory.h"

enum { LENGTH_BYTES = 8, MAX_TENSORS = 64 };

static const struct {
    const char *name;
    uint64_t size;
} dtypes[] = {
    [TENSOR_I64] = {"I64", 8}, [TENSOR_I32] = {"I32", 4}, [TENSOR_F32] = {"F32", 4},
    [TENSOR_I16] = {"I16", 2}, [TENSOR_U16] = {"U16", 2}, [TENSOR_U8] = {"U8", 1},
    [TENSOR_OTHER] = {"", 0},
};

struct safetensors {
    json_t *root; /* owns the names and the metadata */
    size_t data_start;
    size_t n_tensors;
    struct tensor tensors[MAX_TENSORS];
};

uint64_t tensor_dtype_size(enum tensor_dtype dtype)
{
    return dtypes[dtype].size;
}

static int tensor_size(const struct tensor *tensor, uint64_t *ret)
{
    uint64_t size = dtypes[tensor->dtype].size;
    for (unsigned i = 0; i < tensor->n_dims; i++)
        if (__builtin_mul_overflow(size, tensor->dims[i], &size))
            return -EOVERFLOW;
    *ret = size;
    return 0;
}

int safetensors_layout(struct tensor *tensors, size_t n_tensors, uint64_t *ret_data_size)
{
    uint64_t at = 0;
    for (size_t i = 0; i < n_tensors; i++) {
        uint64_t size;
        if (tensor_size(&tensors[i], &size) < 0)
            return -EOVERFLOW;
        tensors[i].begin = at;
        if (__builtin_add_overflow(at, size, &at))
            return -EOVERFLOW;
        tensors[i].end = at;
    }
    *ret_data_size = at;
    return 0;
}

/* Text that is only counted once it no longer fits. */
struct draft {
    char *at;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void draft_add(struct draft *draft, const char *format,
                                                            ...)
{
    bool fits = draft->used < draft->size;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(fits ? draft->at + draft->used : NULL, fits ? draft->size - draft->used : 0,
                      format, args);
    va_end(args);
    draft->used += (size_t)n;
}

static int add_json_string(struct draft *draft, const char *value)
{
    json_memory_begin();
    json_t *string = json_string(value);
    char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    bool there = quoted && !json_memory_is_short();
    if (there)
        draft_add(draft, "%s", quoted);
    free(quoted);
    return there ? 0 : -ENOMEM;
}

static int add_metadata(struct draft *draft, const struct meta *meta, size_t n_meta)
{
    draft_add(draft, "\"__metadata__\":{");
    for (size_t i = 0; i < n_meta; i++) {
        draft_add(draft, "%s", i ? "," : "");
        if (add_json_string(draft, meta[i].key) < 0)
            return -ENOMEM;
        draft_add(draft, ":");
        if (add_json_string(draft, meta[i].value) < 0)
            return -ENOMEM;
    }
    draft_add(draft, "},");
    return 0;
}

static void add_tensor(struct draft *draft, const struct tensor *tensor)
{
    draft_add(draft, "\"%s\":{\"dtype\":\"%s\",\"shape\":[", tensor->name,
              dtypes[tensor->dtype].name);
    for (unsigned i = 0; i < tensor->n_dims; i++)
        draft_add(draft, "%s%" PRIu64, i ? "," : "", tensor->dims[i]);
    draft_add(draft, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", tensor->begin, tensor->end);
}

int safetensors_header(const struct tensor *tensors, size_t n_tensors, const struct meta *meta,
                       size_t n_meta, char *buffer, size_t size, size_t fixed_size,
                       size_t *ret_size)
{
    struct draft draft = {.at = buffer, .size = size, .used = LENGTH_BYTES};
    draft_add(&draft, "{");
    if (meta && add_metadata(&draft, meta, n_meta) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < n_tensors; i++) {
        draft_add(&draft, "%s", i ? "," : "");
        add_tensor(&draft, &tensors[i]);
    }
    draft_add(&draft, "}");

    size_t whole = (draft.used + SAFETENSORS_ALIGN - 1) / SAFETENSORS_ALIGN * SAFETENSORS_ALIGN;
    if (fixed_size && whole <= fixed_size)
        whole = fixed_size;
    if (whole > size || (fixed_size && whole != fixed_size))
        return -ENOBUFS;
    memset(buffer + draft.used, ' ', whole - draft.used);
    uint64_t length = htole64(whole - LENGTH_BYTES);
    memcpy(buffer, &length, LENGTH_BYTES);
    *ret_size = whole;
    return 0;
}

static bool read_u64(const json_t *value, uint64_t *ret)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

static enum tensor_dtype read_dtype(const json_t *value)
{
    const char *name = json_string_value(value);
    int dtype = 0;
    while (dtype < N_TENSOR_DTYPES && (!name || strcmp(name, dtypes[dtype].name) != 0))
        dtype++;
    return (enum tensor_dtype)dtype;
}

static bool read_shape(const json_t *value, struct tensor *ret)
{
    if (!json_is_array(value) || json_array_size(value) > SAFETENSORS_MAX_DIMS)
        return false;
    ret->n_dims = (unsigned)json_array_size(value);
    for (unsigned i = 0; i < ret->n_dims; i++)
        if (!read_u64(json_array_get(value, i), &ret->dims[i]))
            return false;
    return true;
}

static int read_tensor(const char *name, const json_t *value, uint64_t data_size,
                       struct tensor *ret, struct error *why)
{
    ret->name = name;
    const json_t *offsets = json_object_get(value, "data_offsets");
    uint64_t size = 0;
    ret->dtype = read_dtype(json_object_get(value, "dtype"));
    bool is_read = ret->dtype != TENSOR_OTHER;
    if (!read_shape(json_object_get(value, "shape"), ret) ||
        (is_read && tensor_size(ret, &size) < 0))
        return error_set(why, -EBADMSG, "tensor \"%.64s\" has no valid shape", name);
    if (json_array_size(offsets) != 2 || !read_u64(json_array_get(offsets, 0), &ret->begin) ||
        !read_u64(json_array_get(offsets, 1), &ret->end))
        return error_set(why, -EBADMSG, "tensor \"%.64s\" has no valid data_offsets", name);
    if (ret->begin > ret->end || ret->end > data_size)
        return error_set(why, -EBADMSG,
                         "tensor \"%.64s\" lies at %" PRIu64 " to %" PRIu64 ", outside the %" PRIu64
                         " bytes of data",
                         name, ret->begin, ret->end, data_size);
    if (is_read && ret->end - ret->begin != size)
        return error_set(why, -EBADMSG,
                         "tensor \"%.64s\" is %" PRIu64 " bytes long; its shape says %" PRIu64,
                         name, ret->end - ret->begin, size);
    return 0;
}

static int read_tensors(struct safetensors *header, uint64_t data_size, struct error *why)
{
    const char *name;
    json_t *value;
    json_object_foreach(header->root, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        if (header->n_tensors == MAX_TENSORS)
            return error_set(why, -EBADMSG, "more than %d tensors", MAX_TENSORS);
        int r = read_tensor(name, value, data_size, &header->tensors[header->n_tensors], why);
        if (r < 0)
            return r;
        header->n_tensors++;
    }
    return 0;
}

static int read_length(const uint8_t bytes[LENGTH_BYTES], uint64_t file_size, size_t *ret,
                       struct error *why)
{
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    length = le64toh(length);
    if (length > file_size - LENGTH_BYTES)
        return error_set(why, -EBADMSG,
                         "a header of %" PRIu64 " bytes does not fit a file of %" PRIu64 " bytes",
                         length, file_size);
    if (length > SAFETENSORS_MAX_HEADER)
        return error_set(why, -EBADMSG, "a header of %" PRIu64 " bytes: the limit is %d", length,
                         SAFETENSORS_MAX_HEADER);
    *ret = (size_t)length;
    return 0;
}

static int parse_text(const char *text, size_t length, uint64_t file_size, struct safetensors **ret,
                      struct error *why)
{
    struct safetensors *header = calloc(1, sizeof *header);
    if (!header)
        return error_set(why, -ENOMEM, "no memory for the header");
    json_error_t json_error;
    json_memory_begin();
    header->data_start = LENGTH_BYTES + length;
    header->root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &json_error);
    int r;
    if (json_memory_is_short())
        r = error_set(why, -ENOMEM, "no memory for the header");
    else if (!json_is_object(header->root))
        r = error_set(why, -EBADMSG, "the header is not a JSON object");
    else
        r = read_tensors(header, file_size - header->data_start, why);
    if (r < 0) {
        safetensors_free(header);
        return r;
    }
    *ret = header;
    return 0;
}

static int too_short(uint64_t size, struct error *why)
{
    return error_set(why, -EBADMSG, "%" PRIu64 " bytes are too short for a safetensors file", size);
}

int safetensors_parse(const void *file, size_t size, struct safetensors **ret, struct error *why)
{
    if (size < LENGTH_BYTES)
        return too_short(size, why);
    size_t length = 0;
    int r = read_length(file, size, &length, why);
    return r < 0 ? r : parse_text((const char *)file + LENGTH_BYTES, length, size, ret, why);
}

static int read_at(int fd, void *out, size_t size, uint64_t at, struct error *why)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, (char *)out + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(why, -errno, "cannot read: %s", strerror(errno));
        if (n == 0)
            return error_set(why, -EBADMSG,
                             "it was cut short at byte %" PRIu64 " while it was read", at + done);
        done += (size_t)n;
    }
    return 0;
}

int safetensors_read(int fd, uint64_t file_size, void **ret, size_t *ret_size, struct error *why)
{
    if (file_size < LENGTH_BYTES)
        return too_short(file_size, why);
    uint8_t start[LENGTH_BYTES];
    size_t length = 0;
    int r = read_at(fd, start, sizeof start, 0, why);
    if (r == 0)
        r = read_length(start, file_size, &length, why);
    if (r < 0)
        return r;
    uint8_t *bytes = malloc(LENGTH_BYTES + length);
    if (!bytes)
        return error_set(why, -ENOMEM, "no memory for a header of %zu bytes", length);
    memcpy(bytes, start, sizeof start);
    r = read_at(fd, bytes + LENGTH_BYTES, length, LENGTH_BYTES, why);
    if (r < 0) {
        free(bytes);
        return r;
    }
    *ret = bytes;
    *ret_size = LENGTH_BYTES + length;
    return 0;
}

int safetensors_read_tensor(int fd, const struct safetensors *header, const struct tensor *tensor,
                            void *out, struct error *why)
{
    return read_at(fd, out, tensor->end - tensor->begin, header->data_start + tensor->begin, why);
}

void safetensors_free(struct safetensors *header)
{
    if (!header)
        return;
    json_decref(header->root);
    free(header);
}

const struct tensor *safetensors_find(const struct safetensors *header, const char *name)
{
    for (size_t i = 0; i < header->n_tensors; i++)
        if (strcmp(header->tensors[i].name, name) == 0)
            return &header->tensors[i];
    return NULL;
}

const char *safetensors_meta(const struct safetensors *header, const char *key)
{
    return json_string_value(json_object_get(json_object_get(header->root, "__metadata__"), key));
}

size_t safetensors_data_start(const struct safetensors *header)
{
    return header->data_start;
}
