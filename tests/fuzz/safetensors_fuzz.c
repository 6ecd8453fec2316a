/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a safetensors header. What is accepted lies inside the file, and written anew it
 * reads as the same. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/safetensors.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = {"offsets", "sources", "checksums", "labels",
                                    "events",  "indices", ""};

enum { N_NAMES = sizeof names / sizeof *names, HEADER_MAX = 4096 };

static void check_tensor(const struct tensor *tensor, uint64_t data_size)
{
    FUZZ_CHECK(tensor->begin <= tensor->end && tensor->end <= data_size);
    FUZZ_CHECK(tensor->n_dims <= SAFETENSORS_MAX_DIMS);
    if (tensor->dtype == TENSOR_OTHER)
        return;
    uint64_t size = tensor_dtype_size(tensor->dtype);
    for (unsigned i = 0; i < tensor->n_dims; i++)
        FUZZ_CHECK(!__builtin_mul_overflow(size, tensor->dims[i], &size));
    FUZZ_CHECK(tensor->end - tensor->begin == size);
}

static void check_same(const struct safetensors *header, const struct tensor *tensors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct tensor *found = safetensors_find(header, tensors[i].name);
        FUZZ_CHECK(found && found->dtype == tensors[i].dtype);
        FUZZ_CHECK(found->n_dims == tensors[i].n_dims);
        FUZZ_CHECK(memcmp(found->dims, tensors[i].dims, found->n_dims * sizeof *found->dims) == 0);
        FUZZ_CHECK(found->begin == tensors[i].begin && found->end == tensors[i].end);
    }
}

/* The data is not there, so only headers of tensors without data can be parsed again. */
static void write_anew(struct tensor *tensors, size_t n, const struct meta *meta)
{
    char buffer[HEADER_MAX];
    size_t size;
    uint64_t data_size;
    FUZZ_CHECK(safetensors_layout(tensors, n, &data_size) == 0);
    int r = safetensors_header(tensors, n, meta, 1, buffer, sizeof buffer, 0, &size);
    FUZZ_CHECK(r == 0 || r == -ENOBUFS);
    if (r < 0 || data_size > 0)
        return;
    FUZZ_CHECK(size % SAFETENSORS_ALIGN == 0);
    struct safetensors *again;
    struct error why;
    FUZZ_CHECK(safetensors_parse(buffer, size, &again, &why) == 0);
    FUZZ_CHECK(safetensors_data_start(again) == size);
    FUZZ_CHECK(strcmp(safetensors_meta(again, meta->key), meta->value) == 0);
    check_same(again, tensors, n);
    safetensors_free(again);
}

static void look_at(const struct safetensors *header, size_t size)
{
    FUZZ_CHECK(safetensors_data_start(header) <= size);
    struct tensor found[N_NAMES];
    size_t n = 0;
    for (size_t i = 0; i < N_NAMES; i++) {
        const struct tensor *tensor = safetensors_find(header, names[i]);
        if (!tensor || tensor->dtype == TENSOR_OTHER)
            continue;
        check_tensor(tensor, size - safetensors_data_start(header));
        if (tensor->dtype != TENSOR_OTHER)
            found[n++] = *tensor;
    }
    const char *value = safetensors_meta(header, "format");
    const struct meta meta = {"format", value ? value : ""};
    if (n > 0)
        write_anew(found, n, &meta);
}

/* Read from a file it is the same. */
static void check_file(const uint8_t *bytes, size_t size, int wanted)
{
    struct safetensors *header;
    struct error why;
    int fd = open(fuzz_file(bytes, size), O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    void *start = NULL;
    size_t n;
    int r = safetensors_read(fd, size, &start, &n, &why);
    FUZZ_CHECK(r == 0 || wanted == r);
    FUZZ_CHECK(r < 0 || (n <= size && memcmp(start, bytes, n) == 0));
    if (r == 0) {
        r = safetensors_parse(start, size, &header, &why);
        FUZZ_CHECK(r == wanted);
        if (r == 0)
            safetensors_free(header);
    }
    free(start);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct safetensors *header;
    struct error why;
    int r = safetensors_parse(bytes, size, &header, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG);
    check_file(bytes, size, r);
    if (r < 0)
        return 0;
    look_at(header, size);
    safetensors_free(header);
    return 0;
}
