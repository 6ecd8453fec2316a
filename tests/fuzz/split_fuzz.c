/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a split's file, in whose header the checksum of the index is made to fit, so that
 * the index can be anything. Of what is accepted, every sample is touched, shown as frames, and
 * mixed with its neighbour, as the daemon would. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/frames.h"
#include "common/mixer.h"
#include "common/safetensors.h"
#include "common/split.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

/* So that nothing read is left out as unused. */
static volatile uint64_t sum;

static void show(struct event_span events)
{
    const struct frames_rule rule = {.geometry = GEOMETRY_NMNIST,
                                     .timestep_us = 1000,
                                     .bins = 3,
                                     .binning = FRAMES_ROUND,
                                     .overlap = FRAMES_SUM};
    uint8_t *frames = fuzz_alloc(frames_size(&rule));
    frames_fill(&rule, events, frames);
    sum += frames[0];
    free(frames);
}

static void touch(const struct split *split, uint64_t i)
{
    struct sample sample = split_sample(split, i);
    sum += crc32c(0, sample.events.bytes, sample.events.n_events * EVENT_BYTES) + sample.checksum;
    sum += (uint64_t)sample.sources[0] + (uint64_t)sample.sources[1];
    for (int digit = 0; digit < N_DIGITS; digit++)
        FUZZ_CHECK(sample.labels[digit] <= 1);
    show(sample.events);
}

static void mix(const struct split *split, uint64_t i, uint64_t j)
{
    static struct mixer *mixer;
    const struct event_span parts[] = {split_sample(split, i).events,
                                       split_sample(split, j).events};
    const struct mix_rule rules[] = {{MIX_TIME, 0}, {MIX_TIME, 1000}, {MIX_PUBLISHED, 0}};
    size_t room = parts[0].n_events + parts[1].n_events, n;
    FUZZ_CHECK(mixer || mixer_new(&mixer) == 0);
    uint8_t *out = fuzz_alloc(room * EVENT_BYTES);
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        if (mixer_mix(mixer, parts, 2, &rules[r], out, &n, NULL) == 0)
            FUZZ_CHECK(n <= room);
    if (mixer_mix_again(mixer, parts[0], MIX_NOT_KNOWN, &rules[0], out, &n, NULL) == 0)
        FUZZ_CHECK(n <= parts[0].n_events);
    free(out);
}

/* Everything that is there for each sample is there for every sample. */
static void check_rows(const uint8_t *bytes, size_t size, uint64_t n)
{
    static const char *const names[] = {"checksums", "sources", "labels", "offsets"};
    struct safetensors *header;
    struct error why;
    FUZZ_CHECK(safetensors_parse(bytes, size, &header, &why) == 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct tensor *tensor = safetensors_find(header, names[i]);
        FUZZ_CHECK(tensor && tensor->dims[0] == n + (strcmp(names[i], "offsets") == 0));
    }
    safetensors_free(header);
}

/* As the reader has it: of the tensors before the events, in their order. */
static bool sum_up_index(const uint8_t *bytes, size_t size, uint32_t *ret)
{
    struct safetensors *header;
    uint32_t crc = 0;
    if (safetensors_parse(bytes, size, &header, NULL) < 0)
        return false;
    const uint8_t *data = bytes + safetensors_data_start(header);
    for (int i = 0; i < WIRE_SPLIT_EVENTS; i++) {
        const struct tensor *tensor = safetensors_find(header, wire_split[i].name);
        if (tensor)
            crc = crc32c(crc, data + tensor->begin, tensor->end - tensor->begin);
    }
    safetensors_free(header);
    *ret = crc;
    return true;
}

static void mend_index_crc(uint8_t *bytes, size_t size)
{
    static const char key[] = "\"index_crc32c\":\"";
    char text[SPLIT_CRC_HEX + 1];
    uint32_t crc;
    if (!sum_up_index(bytes, size, &crc))
        return;
    uint8_t *at = memmem(bytes, size, key, strlen(key));
    if (!at || (size_t)(bytes + size - at) < strlen(key) + SPLIT_CRC_HEX)
        return;
    snprintf(text, sizeof text, "%08x", crc);
    memcpy(at + strlen(key), text, SPLIT_CRC_HEX);
}

static void run(const uint8_t *bytes, size_t size)
{
    struct split *split;
    struct error why;
    int r = split_open(fuzz_file(bytes, size), &split, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -ENOTSUP);
    if (r < 0)
        return;
    uint64_t n = split_n_samples(split), n_events = 0;
    check_rows(bytes, size, n);
    for (uint64_t i = 0; i < n; i++) {
        touch(split, i);
        n_events += split_sample(split, i).events.n_events;
        if (i < 4)
            mix(split, i, (i + 1) % n);
    }
    FUZZ_CHECK(n >= 1 && n_events == split_n_events(split));
    FUZZ_CHECK(split_meta(split, "kind")[0] && !split_meta(split, "no such key")[0]);
    split_close(split);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *mended = fuzz_alloc(size ? size : 1);
    memcpy(mended, bytes, size);
    mend_index_crc(mended, size);
    run(mended, size);
    free(mended);
    return 0;
}
