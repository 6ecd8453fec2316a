/* SPDX-License-Identifier: Apache-2.0
 * A batch as it arrives: a safetensors file, whose every byte is checked before it is used. */
#include "client/blob.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/digits.h"
#include "common/event_codec.h"
#include "common/safetensors.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "batches are used as they arrive, in little-endian order"
#endif

static int find(const struct safetensors *header, const uint8_t *data, const char *name,
                enum tensor_dtype dtype, uint64_t rows, uint64_t columns, const void **ret,
                struct error *why)
{
    const struct tensor *tensor = safetensors_find(header, name);
    if (!tensor)
        return error_set(why, -EBADMSG, "the batch has no tensor \"%s\"", name);
    unsigned n_dims = columns ? 2 : 1;
    if (tensor->dtype != dtype || tensor->n_dims != n_dims || tensor->dims[0] != rows ||
        (columns && tensor->dims[1] != columns))
        return error_set(why, -EBADMSG, "the batch's tensor \"%s\" has another shape or dtype",
                         name);
    if ((uintptr_t)(data + tensor->begin) % tensor_dtype_size(dtype) != 0)
        return error_set(why, -EBADMSG, "the batch's tensor \"%s\" is not aligned", name);
    *ret = data + tensor->begin;
    return 0;
}

static int find_all(const struct safetensors *header, const uint8_t *data,
                    const struct blob_expected *expected, struct blob *ret, struct error *why)
{
    const uint64_t n = expected->n_samples;
    const struct tensor *events = safetensors_find(header, "events");
    *ret = (struct blob){
        .geometry = expected->geometry, .n_samples = n, .n_events = events ? events->dims[0] : 0};
    const struct {
        const char *name;
        enum tensor_dtype dtype;
        uint64_t rows, columns;
        const void **at;
    } wanted[] = {
        {"offsets", TENSOR_I64, n + 1, 0, (const void **)&ret->offsets},
        {"indices", TENSOR_I64, n, 0, (const void **)&ret->indices},
        {"checksums", TENSOR_I64, n, 0, (const void **)&ret->checksums},
        {"sources", TENSOR_I32, n, 2, (const void **)&ret->sources},
        {"labels", TENSOR_U8, n, expected->geometry.n_labels, (const void **)&ret->labels},
        {"events", TENSOR_U8, ret->n_events, EVENT_BYTES, (const void **)&ret->events},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        int r = find(header, data, wanted[i].name, wanted[i].dtype, wanted[i].rows,
                     wanted[i].columns, wanted[i].at, why);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_revision(const struct safetensors *header, const char *expected, struct error *why)
{
    const char *revision = safetensors_meta(header, "revision");
    if (!revision)
        return error_set(why, -EBADMSG, "the batch does not say its revision");
    if (strcmp(revision, expected) != 0)
        return error_set(why, -ESTALE, "has other data: revision %.12s… instead of %.12s…",
                         revision, expected);
    return 0;
}

/* A cache that drops the query, say, answers something that is well in itself. */
static int check_meta(const struct safetensors *header, const struct blob_expected *expected,
                      struct error *why)
{
    for (size_t i = 0; i < expected->n_meta; i++) {
        const struct meta *row = &expected->meta[i];
        const char *said = safetensors_meta(header, row->key);
        if (said && row->value ? strcmp(said, row->value) != 0 : said != row->value)
            return error_set(
                why, -EPROTO, "is an answer to another request: %s is %.80s instead of %.80s",
                row->key, said ? said : "not said", row->value ? row->value : "not said");
    }
    return 0;
}

/* Adds the sample's events to blob->crc. */
static int check_sample(struct blob *blob, uint64_t i, uint64_t expected, struct error *why)
{
    uint64_t index = blob->indices[i], begin = blob->offsets[i], end = blob->offsets[i + 1];
    if (index != expected)
        return error_set(why, -EBADMSG,
                         "sample %" PRIu64 " of the batch is %" PRIu64 " instead of %" PRIu64, i,
                         index, expected);
    if (begin > end || end > blob->n_events)
        return error_set(why, -EBADMSG,
                         "sample %" PRIu64 " lies at events %" PRIu64 " to %" PRIu64 " of %" PRIu64,
                         index, begin, end, blob->n_events);
    uint32_t crc =
        crc32c(0, blob->events + begin * EVENT_BYTES, (size_t)(end - begin) * EVENT_BYTES);
    if (crc != blob->checksums[i])
        return error_set(why, -EBADMSG,
                         "sample %" PRIu64
                         " was damaged: its CRC-32C is %08x instead of %08" PRIx64,
                         index, crc, blob->checksums[i]);
    blob->crc = crc32c_combine(blob->crc, crc, (end - begin) * EVENT_BYTES);
    int r = digits_check(blob->labels + i * blob->geometry.n_labels, blob->geometry.n_labels, why);
    return r < 0 ? error_prefix(why, r, "sample %" PRIu64, index) : 0;
}

static int check_samples(struct blob *blob, const struct blob_expected *expected, struct error *why)
{
    if (blob->offsets[0] != 0 || blob->offsets[blob->n_samples] != blob->n_events)
        return error_set(why, -EBADMSG, "the batch's offsets do not cover its events");
    for (uint64_t i = 0; i < blob->n_samples; i++) {
        int r = check_sample(blob, i, expected->indices[i], why);
        if (r < 0)
            return r;
    }
    return 0;
}

static uint8_t largest(const uint8_t *values, size_t n)
{
    uint8_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

typedef uint8_t lanes __attribute__((vector_size(16)));

/* Whether all pixels are the sensor's, quickly: a byte's place in its event repeats after 16
 * events. */
static bool are_inside(const struct blob *blob)
{
    enum { ROUND = sizeof(lanes) * EVENT_BYTES };
    const uint8_t *bytes = blob->events;
    size_t size = (size_t)blob->n_events * EVENT_BYTES, at = 0;
    uint8_t most[ROUND];
    lanes outside = {0};
    memset(most, UINT8_MAX, sizeof most);
    for (size_t i = 0; i < ROUND; i += EVENT_BYTES) {
        most[i] = (uint8_t)(blob->geometry.width - 1);
        most[i + 1] = (uint8_t)(blob->geometry.height - 1);
    }
    for (; size - at >= ROUND; at += ROUND)
        for (size_t k = 0; k < ROUND; k += sizeof(lanes)) {
            lanes values, limits;
            memcpy(&values, bytes + at + k, sizeof values);
            memcpy(&limits, most + k, sizeof limits);
            outside |= (lanes)(values > limits);
        }
    bool any = false;
    for (size_t i = 0; i < sizeof(lanes); i++)
        any |= outside[i];
    for (size_t i = 0; at + i < size; i++)
        any |= bytes[at + i] > most[i];
    return !any;
}

/* What lies outside would be dropped in frames, and shown in every other form. */
int blob_check_pixels(const struct blob *blob, struct error *why)
{
    enum { BLOCK = 512 };
    uint32_t t_us[BLOCK];
    uint8_t x[BLOCK], y[BLOCK], p[BLOCK];
    const struct geometry *geometry = &blob->geometry;
    if (are_inside(blob))
        return 0;
    for (uint64_t i = 0; i < blob->n_events; i += BLOCK) {
        size_t n = blob->n_events - i < BLOCK ? (size_t)(blob->n_events - i) : BLOCK;
        event_columns((struct event_span){blob->events + i * EVENT_BYTES, n}, t_us, x, y, p);
        if (largest(x, n) >= geometry->width || largest(y, n) >= geometry->height)
            return error_set(why, -EBADMSG,
                             "events %" PRIu64 " to %" PRIu64
                             " of the batch reach pixel (%u, %u); the sensor has %u x %u",
                             i, i + n - 1, largest(x, n), largest(y, n), geometry->width,
                             geometry->height);
    }
    return 0;
}

int blob_read(const void *bytes, size_t size, const struct blob_expected *expected,
              struct blob *ret, struct error *why)
{
    struct safetensors *header;
    struct blob blob;
    int r = safetensors_parse(bytes, size, &header, why);
    if (r < 0)
        return r;
    r = check_revision(header, expected->revision, why);
    if (r == 0)
        r = check_meta(header, expected, why);
    if (r == 0)
        r = find_all(header, (const uint8_t *)bytes + safetensors_data_start(header), expected,
                     &blob, why);
    safetensors_free(header);
    if (r < 0)
        return r;
    /* The events are read once: their part of the sum is put together from the samples'. */
    const uint8_t *start = bytes, *events_end = blob.events + blob.n_events * EVENT_BYTES;
    blob.crc = crc32c(0, start, (size_t)(blob.events - start));
    r = check_samples(&blob, expected, why);
    blob.crc = crc32c(blob.crc, events_end, (size_t)(start + size - events_end));
    if (r == 0)
        r = blob_check_pixels(&blob, why);
    if (r == 0)
        *ret = blob;
    return r;
}
