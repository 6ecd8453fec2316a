/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a batch as the client takes it. What is accepted covers its events without holes,
 * and becomes columns, items and frames without a byte outside them.
 *
 * The input: how to decode, then the batch. Where the first byte is odd, its checksums are made
 * right first, which no mutation does; where its second bit is set the batch has places of frames,
 * and with the third they count. */
#include <errno.h>
#include <string.h>

#include "client/batch.h"
#include "client/decoder.h"
#include "client/items.h"
#include "common/cpu.h"
#include "common/crc32c.h"
#include "common/safetensors.h"
#include "tests/fuzz/fuzz.h"

enum {
    N_SAMPLES = 2,
    MEND_CHECKSUMS = 1,
    AS_PLACES = 2,
    COUNTED = 4,
    BINS_MAX = 4,
    TIMESTEP_MAX_US = 1 << 17
};

static const char revision[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const uint64_t indices[N_SAMPLES] = {7, 3};

static uint8_t *place_of(const struct safetensors *header, uint8_t *bytes, const char *name,
                         uint64_t size)
{
    const struct tensor *tensor = safetensors_find(header, name);
    return tensor && tensor->end - tensor->begin >= size
               ? bytes + safetensors_data_start(header) + tensor->begin
               : NULL;
}

/* Where each sample's places end, as far as there are any. */
static void mend_places(const struct safetensors *header, uint8_t *bytes)
{
    const struct tensor *counts = safetensors_find(header, "counts");
    uint8_t *checksums = place_of(header, bytes, "checksums", N_SAMPLES * sizeof(uint64_t));
    uint64_t n_counts = counts ? (counts->end - counts->begin) / sizeof(int32_t) : 0, begin = 0;
    for (size_t i = 0; checksums && i < N_SAMPLES; i++) {
        uint64_t end = begin;
        for (uint64_t t = 0; t < n_counts / N_SAMPLES; t++) {
            int32_t n;
            memcpy(&n, place_of(header, bytes, "counts", 0) + (i * (n_counts / N_SAMPLES) + t) * 4,
                   sizeof n);
            end += n > 0 ? (uint64_t)n * sizeof(int16_t) : 0;
        }
        const uint8_t *places = place_of(header, bytes, "places", end);
        if (!places)
            return;
        uint64_t crc = crc32c(0, places + begin, end - begin);
        memcpy(checksums + i * sizeof crc, &crc, sizeof crc);
        begin = end;
    }
}

static void mend_checksums(uint8_t *bytes, size_t size)
{
    struct safetensors *header;
    uint64_t offsets[N_SAMPLES + 1];
    if (safetensors_parse(bytes, size, &header, NULL) < 0)
        return;
    mend_places(header, bytes);
    const uint8_t *at = place_of(header, bytes, "offsets", sizeof offsets);
    if (at)
        memcpy(offsets, at, sizeof offsets);
    for (size_t i = 0; at && i < N_SAMPLES; i++) {
        uint64_t n = (offsets[i + 1] - offsets[i]) * EVENT_BYTES, end;
        if (__builtin_mul_overflow(offsets[i + 1], EVENT_BYTES, &end) ||
            offsets[i] > offsets[i + 1])
            break;
        const uint8_t *events = place_of(header, bytes, "events", end);
        uint8_t *checksums = place_of(header, bytes, "checksums", N_SAMPLES * sizeof(uint64_t));
        if (!events || !checksums)
            break;
        uint64_t crc = crc32c(0, events + offsets[i] * EVENT_BYTES, n);
        memcpy(checksums + i * sizeof crc, &crc, sizeof crc);
    }
    safetensors_free(header);
}

static void check_blob(const struct blob *blob, const struct body *body)
{
    FUZZ_CHECK(blob->n_samples == N_SAMPLES && blob->n_events <= body->size / EVENT_BYTES);
    FUZZ_CHECK(blob->events >= body->bytes &&
               blob->events + blob->n_events * EVENT_BYTES <= body->bytes + body->size);
    FUZZ_CHECK(blob->offsets[0] == 0 && blob->offsets[N_SAMPLES] == blob->n_events);
    FUZZ_CHECK(blob->offsets[0] <= blob->offsets[1] && blob->offsets[1] <= blob->offsets[2]);
    FUZZ_CHECK(memcmp(blob->indices, indices, sizeof indices) == 0);
}

static void check_places(const struct blob *blob, bool counted)
{
    uint64_t n = 0;
    FUZZ_CHECK(blob->n_samples == N_SAMPLES && blob->n_events == 0 && !blob->events);
    for (uint64_t i = 0; i < N_SAMPLES; i++)
        for (uint32_t t = 0; t < blob->longest; t++) {
            int32_t count = blob->counts[i * blob->longest + t];
            FUZZ_CHECK(count >= 0 && (uint64_t)count <= blob->n_places - n);
            FUZZ_CHECK(count == 0 || t < (uint32_t)blob->n_frames[i]);
            for (int32_t k = 0; k < count; k++, n++) {
                FUZZ_CHECK(blob->places[n] >= 0 &&
                           blob->places[n] < SENSOR_POLARITIES * SENSOR_WIDTH * SENSOR_HEIGHT);
                FUZZ_CHECK(k == 0 || blob->places[n] >= blob->places[n - 1] + !counted);
            }
        }
    FUZZ_CHECK(n == blob->n_places);
}

/* At every level the same as in plain C. */
static void decode(tnm_decoder *decoder, const tnm_batch *batch)
{
    size_t size;
    uint32_t longest;
    FUZZ_CHECK(tnm_decoder_measure(decoder, batch, &size, &longest, NULL) == 0);
    uint8_t *wanted = fuzz_alloc(size);
    FUZZ_CHECK(size == 0 || tnm_decode(decoder, batch, wanted, size - 1) == -ENOBUFS);
    for (int level = CPU_PORTABLE; level < CPU_LEVELS; level++) {
        uint8_t *out = level == CPU_PORTABLE ? wanted : fuzz_alloc(size);
        cpu_limit((enum cpu_level)level);
        FUZZ_CHECK(tnm_decode(decoder, batch, out, size) == 0);
        if (level == CPU_PORTABLE)
            continue;
        FUZZ_CHECK(memcmp(out, wanted, size) == 0);
        free(out);
    }
    free(wanted);
    tnm_decoder_free(decoder);
}

static const tnm_geometry sensor = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS};

/* The decoders that the input asks for, as far as there can be such. */
static void decode_all(struct input wish, const tnm_batch *batch)
{
    tnm_decoder *decoder;
    uint32_t at[ITEMS_FIELDS], width[ITEMS_FIELDS];
    FUZZ_CHECK(tnm_decoder_columns(&decoder) == 0);
    decode(decoder, batch);
    for (int i = 0; i < ITEMS_FIELDS; i++) {
        uint8_t packed = input_u8(&wish);
        at[i] = packed & 63;
        width[i] = 1u << (packed >> 6);
    }
    if (tnm_decoder_structured(input_u8(&wish), at, width, &decoder) == 0)
        decode(decoder, batch);
    uint8_t choice = input_u8(&wish);
    uint32_t timestep_us = input_u32(&wish) % TIMESTEP_MAX_US;
    if (tnm_decoder_frames(&sensor, timestep_us, input_u8(&wish) % (BINS_MAX + 1), choice & 1,
                           choice >> 1 & 1, choice >> 2 & 3, choice >> 4 & 1, &decoder) == 0)
        decode(decoder, batch);
}

/* Frames of their own number for each sample, that set places or count them. */
static void decode_places(struct input wish, tnm_batch *batch, bool counted)
{
    tnm_rule *rule;
    tnm_decoder *decoder;
    uint8_t choice = 0;
    for (int i = 0; i < ITEMS_FIELDS + 2; i++)
        choice = input_u8(&wish);
    FUZZ_CHECK(tnm_rule_new(&rule) == 0);
    FUZZ_CHECK(tnm_rule_set(rule, "slice", "duration") == 0);
    FUZZ_CHECK(tnm_decoder_rule(&sensor, rule, choice % 3, choice / 3 % 3, &decoder) == 0);
    decoder->shape.overlap = counted ? FRAMES_SUM : FRAMES_OR;
    batch->rule = decoder->rule;
    decode(decoder, batch);
    FUZZ_CHECK(tnm_decoder_sparse(&sensor, rule, &decoder) == 0);
    decode(decoder, batch);
    tnm_rule_free(rule);
}

enum { WISH_BYTES = 1 + ITEMS_FIELDS + 1 + 1 + 4 + 1 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < WISH_BYTES)
        return 0;
    struct input wish = {bytes, WISH_BYTES};
    tnm_batch batch = {0};
    const uint8_t flags = input_u8(&wish);
    const bool counted = flags & COUNTED;
    const struct blob_frames frames = {
        .n_channels = SENSOR_POLARITIES, .counts = counted, .fixed = 0};
    const struct blob_expected expected = {.revision = revision,
                                           .indices = indices,
                                           .n_samples = N_SAMPLES,
                                           .geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS},
                                           .frames = flags & AS_PLACES ? &frames : NULL};
    struct error why;
    FUZZ_CHECK(body_add(&batch.body, bytes + WISH_BYTES, size - WISH_BYTES) == 0);
    if (flags & MEND_CHECKSUMS)
        mend_checksums(batch.body.bytes, batch.body.size);
    int r = blob_read(batch.body.bytes, batch.body.size, &expected, &batch.blob, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -ESTALE);
    if (r == 0) {
        FUZZ_CHECK(batch.blob.crc == crc32c(0, batch.body.bytes, batch.body.size));
        if (flags & AS_PLACES) {
            check_places(&batch.blob, counted);
            decode_places(wish, &batch, counted);
        } else {
            check_blob(&batch.blob, &batch.body);
            decode_all(wish, &batch);
        }
    }
    body_clear(&batch.body);
    return 0;
}
