/* SPDX-License-Identifier: Apache-2.0
 * A batch as it arrives: a safetensors file, whose every byte is checked before it is used. */
#include "client/blob.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/digits.h"
#include "common/event_codec.h"
#include "common/frames.h"
#include "common/safetensors.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "batches are used as they arrive, in little-endian order"
#endif

/* A tensor that has to be there: of `n_dims` dimensions; 0 in dims[1] is any size. */
struct wanted {
    const char *name;
    enum tensor_dtype dtype;
    unsigned n_dims;
    uint64_t dims[2];
    const void **at;
};

static int find(const struct safetensors *header, const uint8_t *data, const struct wanted *wanted,
                struct error *why)
{
    const struct tensor *tensor = safetensors_find(header, wanted->name);
    if (!tensor)
        return error_set(why, -EBADMSG, "the batch has no tensor \"%s\"", wanted->name);
    if (tensor->dtype != wanted->dtype || tensor->n_dims != wanted->n_dims ||
        tensor->dims[0] != wanted->dims[0] ||
        (wanted->n_dims > 1 && wanted->dims[1] && tensor->dims[1] != wanted->dims[1]))
        return error_set(why, -EBADMSG, "the batch's tensor \"%s\" has another shape or dtype",
                         wanted->name);
    if ((uintptr_t)(data + tensor->begin) % tensor_dtype_size(wanted->dtype) != 0)
        return error_set(why, -EBADMSG, "the batch's tensor \"%s\" is not aligned", wanted->name);
    *wanted->at = data + tensor->begin;
    return 0;
}

static int find_each(const struct safetensors *header, const uint8_t *data,
                     const struct wanted *wanted, size_t n_wanted, struct error *why)
{
    for (size_t i = 0; i < n_wanted; i++) {
        int r = find(header, data, &wanted[i], why);
        if (r < 0)
            return r;
    }
    return 0;
}

#define FIND_ALL(wanted) find_each(header, data, wanted, sizeof(wanted) / sizeof *(wanted), why)

static uint64_t size_of(const struct safetensors *header, const char *name, unsigned dim)
{
    const struct tensor *tensor = safetensors_find(header, name);
    return tensor && dim < tensor->n_dims ? tensor->dims[dim] : 0;
}

static int find_events(const struct safetensors *header, const uint8_t *data, struct blob *ret,
                       struct error *why)
{
    ret->n_events = size_of(header, "events", 0);
    const struct wanted wanted[] = {
        {"offsets", TENSOR_I64, 1, {ret->n_samples + 1, 0}, (const void **)&ret->offsets},
        {"events", TENSOR_U8, 2, {ret->n_events, EVENT_BYTES}, (const void **)&ret->events},
    };
    return FIND_ALL(wanted);
}

static int find_places(const struct safetensors *header, const uint8_t *data,
                       const struct blob_frames *frames, struct blob *ret, struct error *why)
{
    const uint64_t n = ret->n_samples, longest = size_of(header, "counts", 1);
    ret->n_places = size_of(header, "places", 0);
    if (longest > FRAMES_BINS_MAX)
        return error_set(why, -EBADMSG, "the batch has samples of %" PRIu64 " frames", longest);
    ret->longest = (uint32_t)longest;
    const struct wanted wanted[] = {
        {"counts", TENSOR_I32, 2, {n, frames->fixed}, (const void **)&ret->counts},
        {"places", TENSOR_I16, 1, {ret->n_places, 0}, (const void **)&ret->places},
        {"n_frames", TENSOR_I32, 1, {n, 0}, (const void **)&ret->n_frames},
    };
    return find_each(header, data, wanted, frames->fixed ? 2 : 3, why);
}

static int find_all(const struct safetensors *header, const uint8_t *data,
                    const struct blob_expected *expected, struct blob *ret, struct error *why)
{
    const uint64_t n = expected->n_samples, n_labels = expected->geometry.n_labels;
    *ret = (struct blob){.geometry = expected->geometry, .n_samples = n};
    const struct wanted wanted[] = {
        {"indices", TENSOR_I64, 1, {n, 0}, (const void **)&ret->indices},
        {"checksums", TENSOR_I64, 1, {n, 0}, (const void **)&ret->checksums},
        {"sources", TENSOR_I32, 2, {n, 2}, (const void **)&ret->sources},
        {"labels", TENSOR_U8, 2, {n, n_labels}, (const void **)&ret->labels},
    };
    int r = FIND_ALL(wanted);
    if (r < 0)
        return r;
    return expected->frames ? find_places(header, data, expected->frames, ret, why)
                            : find_events(header, data, ret, why);
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

/* ---- Each sample ---- */

/* The bytes of the batch that its checksums are of, and how far they were looked at. */
struct content {
    const uint8_t *bytes, *at;
    size_t size;
};

/* Those of the next sample; its part of the file's sum is put together from them. */
static int check_sum(struct blob *blob, uint64_t i, struct content *content, uint64_t size,
                     struct error *why)
{
    uint32_t crc = crc32c(0, content->at, (size_t)size);
    if (crc != blob->checksums[i])
        return error_set(why, -EBADMSG,
                         "sample %" PRIu64
                         " was damaged: its CRC-32C is %08x instead of %08" PRIx64,
                         blob->indices[i], crc, blob->checksums[i]);
    blob->crc = crc32c_combine(blob->crc, crc, size);
    content->at += size;
    return 0;
}

static int find_sample_events(const struct blob *blob, uint64_t i, uint64_t *ret_size,
                              struct error *why)
{
    uint64_t begin = blob->offsets[i], end = blob->offsets[i + 1];
    if (begin > end || end > blob->n_events)
        return error_set(why, -EBADMSG,
                         "sample %" PRIu64 " lies at events %" PRIu64 " to %" PRIu64 " of %" PRIu64,
                         blob->indices[i], begin, end, blob->n_events);
    *ret_size = (end - begin) * EVENT_BYTES;
    return 0;
}

static int bad_frame(const struct blob *blob, uint64_t i, uint32_t t, const char *what,
                     struct error *why)
{
    return error_set(why, -EBADMSG, "sample %" PRIu64 ", frame %" PRIu32 ": %s", blob->indices[i],
                     t, what);
}

/* Places of the frame: ascending, and each once unless events are counted. */
static bool are_fine(const int16_t *places, uint64_t n, uint32_t frame_places, int32_t step)
{
    int32_t least = 0;
    for (uint64_t k = 0; k < n; k++) {
        if (places[k] < least)
            return false;
        least = places[k] + step;
    }
    return n == 0 || (uint32_t)places[n - 1] < frame_places;
}

static int find_sample_places(const struct blob *blob, const struct blob_frames *frames, uint64_t i,
                              const struct content *content, uint64_t *ret_size, struct error *why)
{
    const int32_t *counts = blob->counts + i * blob->longest;
    const int16_t *places = (const int16_t *)(const void *)content->at;
    uint64_t left = (content->size - (size_t)(content->at - content->bytes)) / sizeof *places;
    const uint32_t frame_places = frames->n_channels * blob->geometry.height * blob->geometry.width;
    int32_t n_frames = blob->n_frames ? blob->n_frames[i] : (int32_t)blob->longest;
    if (n_frames < 0 || (uint32_t)n_frames > blob->longest)
        return error_set(why, -EBADMSG, "sample %" PRIu64 " has %" PRId32 " of %" PRIu32 " frames",
                         blob->indices[i], n_frames, blob->longest);
    *ret_size = 0;
    for (uint32_t t = 0; t < blob->longest; t++) {
        if (counts[t] < 0 || (uint64_t)counts[t] > left ||
            (counts[t] > 0 && t >= (uint32_t)n_frames))
            return bad_frame(blob, i, t, "it has not as many places as are counted", why);
        if (!are_fine(places, (uint64_t)counts[t], frame_places, frames->counts ? 0 : 1))
            return bad_frame(blob, i, t, "its places do not ascend, or lie outside", why);
        places += counts[t];
        left -= (uint64_t)counts[t];
        *ret_size += (uint64_t)counts[t] * sizeof *places;
    }
    return 0;
}

/* Adds the sample's bytes to blob->crc. */
static int check_sample(struct blob *blob, uint64_t i, const struct blob_expected *expected,
                        struct content *content, struct error *why)
{
    uint64_t index = blob->indices[i], size = 0;
    if (index != expected->indices[i])
        return error_set(why, -EBADMSG,
                         "sample %" PRIu64 " of the batch is %" PRIu64 " instead of %" PRIu64, i,
                         index, expected->indices[i]);
    int r = blob->counts ? find_sample_places(blob, expected->frames, i, content, &size, why)
                         : find_sample_events(blob, i, &size, why);
    if (r == 0)
        r = check_sum(blob, i, content, size, why);
    if (r < 0)
        return r;
    r = digits_check(blob->labels + i * blob->geometry.n_labels, blob->geometry.n_labels, why);
    return r < 0 ? error_prefix(why, r, "sample %" PRIu64, index) : 0;
}

/* With frames of its own number for each sample there are no more than the longest has. */
static int check_longest(const struct blob *blob, struct error *why)
{
    int32_t longest = 0;
    for (uint64_t i = 0; blob->n_frames && i < blob->n_samples; i++)
        longest = blob->n_frames[i] > longest ? blob->n_frames[i] : longest;
    if (blob->n_frames && (uint32_t)longest != blob->longest)
        return error_set(why, -EBADMSG,
                         "the batch has room for %" PRIu32 " frames, and samples of up to %" PRId32,
                         blob->longest, longest);
    return 0;
}

static int check_samples(struct blob *blob, const struct blob_expected *expected,
                         struct content *content, struct error *why)
{
    if (!blob->counts &&
        (blob->offsets[0] != 0 || blob->offsets[blob->n_samples] != blob->n_events))
        return error_set(why, -EBADMSG, "the batch's offsets do not cover its events");
    for (uint64_t i = 0; i < blob->n_samples; i++) {
        int r = check_sample(blob, i, expected, content, why);
        if (r < 0)
            return r;
    }
    if (content->at != content->bytes + content->size)
        return error_set(why, -EBADMSG, "the batch has more places than are counted");
    return check_longest(blob, why);
}

/* ---- Pixels ---- */

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

static struct content content_of(const struct blob *blob)
{
    const uint8_t *bytes = blob->counts ? (const uint8_t *)blob->places : blob->events;
    size_t size = blob->counts ? (size_t)blob->n_places * sizeof *blob->places
                               : (size_t)blob->n_events * EVENT_BYTES;
    return (struct content){.bytes = bytes, .at = bytes, .size = size};
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
    /* The samples are read once: their part of the sum is put together from theirs. */
    struct content content = content_of(&blob);
    const uint8_t *start = bytes, *content_end = content.bytes + content.size;
    blob.crc = crc32c(0, start, (size_t)(content.bytes - start));
    r = check_samples(&blob, expected, &content, why);
    blob.crc = crc32c(blob.crc, content_end, (size_t)(start + size - content_end));
    if (r == 0)
        r = blob_check_pixels(&blob, why);
    if (r == 0)
        *ret = blob;
    return r;
}
