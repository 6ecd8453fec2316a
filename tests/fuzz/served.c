/* SPDX-License-Identifier: Apache-2.0
 * What the request target asks: a service over two small splits that are made up here. */
#include "tests/fuzz/served.h"

#include <string.h>
#include <unistd.h>

#include "common/mixer.h"
#include "common/split_writer.h"
#include "tests/fuzz/fuzz.h"

enum { N_RECORDINGS = 20, N_SAMPLES = 12, MAX_EVENTS = 48, MAX_PATH = 128 };

/* Limits that are reached within the blink of an eye. */
static const struct {
    const char *name, *value;
} limits[] = {
    {"max_batch_size", "16"},
    {"max_answer_bytes", "1048576"},
    {"max_pending_bytes", "4194304"},
    {"max_url_bytes", "256"},
    {"trust_forwarded", "yes"},
};

static struct error why;

/* Recording i shows digit i / 2 and has one event more than the one before. */
static struct event_span record(unsigned i, uint8_t bytes[MAX_EVENTS * EVENT_BYTES])
{
    size_t n = i + 3;
    for (size_t e = 0; e < n; e++)
        event_pack((struct event){.t_us = (uint32_t)(e * 700 + i * e * e),
                                  .x = (uint8_t)((e * 7 + i) % SENSOR_WIDTH),
                                  .y = (uint8_t)((e * 3 + i) % SENSOR_HEIGHT),
                                  .p = (e + i) % 2},
                   bytes + e * EVENT_BYTES);
    return (struct event_span){bytes, n};
}

static void write_source(const char *path)
{
    struct split_writer *writer;
    uint8_t bytes[MAX_EVENTS * EVENT_BYTES];
    const struct meta meta[] = {{"kind", SPLIT_KIND_SOURCE},
                                {"sensor", SENSOR_NMNIST},
                                {"time_unit", SPLIT_TIME_UNIT},
                                {"split", "train"}};
    FUZZ_CHECK(split_writer_create(path, N_RECORDINGS, &writer, &why) == 0);
    for (unsigned i = 0; i < N_RECORDINGS; i++) {
        uint8_t labels[N_DIGITS] = {0};
        labels[i / 2] = 1;
        const int32_t sources[] = {(int32_t)i, -1};
        FUZZ_CHECK(split_writer_add(writer, record(i, bytes), labels, sources, &why) == 0);
    }
    FUZZ_CHECK(split_writer_finish(writer, meta, 4, &why) == 0);
}

/* Every other sample shows two digits, in published order. */
static void add_sample(struct split_writer *writer, struct mixer *mixer, unsigned i)
{
    const struct mix_rule rule = {.order = MIX_PUBLISHED};
    uint8_t bytes[2][MAX_EVENTS * EVENT_BYTES], out[2 * MAX_EVENTS * EVENT_BYTES];
    const unsigned k = 1 + i % 2, a = i, b = N_RECORDINGS - 1 - i;
    const struct event_span parts[] = {record(a, bytes[0]), record(b, bytes[1])};
    const int32_t sources[] = {(int32_t)a, k == 2 ? (int32_t)b : -1};
    uint8_t labels[N_DIGITS] = {0};
    size_t n;
    labels[a / 2] = 1;
    if (k == 2)
        labels[b / 2] = 1;
    FUZZ_CHECK(mixer_mix(mixer, parts, k, &rule, out, &n, &why) == 0);
    FUZZ_CHECK(split_writer_add(writer, (struct event_span){out, n}, labels, sources, &why) == 0);
}

static void write_mixed(const char *path, const char *source)
{
    struct split_writer *writer;
    struct mixer *mixer;
    struct split *split;
    char sha256[SHA256_HEX + 1];
    FUZZ_CHECK(split_open(source, &split, &why) == 0);
    memcpy(sha256, split_revision(split), sizeof sha256);
    split_close(split);
    const struct meta meta[] = {{"kind", SPLIT_KIND_2NMNIST},   {"sensor", SENSOR_NMNIST},
                                {"time_unit", SPLIT_TIME_UNIT}, {"order", "published"},
                                {"source_sha256", sha256},      {"citation", "\"quoted\" \\ \n"}};
    FUZZ_CHECK(mixer_new(&mixer) == 0);
    FUZZ_CHECK(split_writer_create(path, N_SAMPLES, &writer, &why) == 0);
    for (unsigned i = 0; i < N_SAMPLES; i++)
        add_sample(writer, mixer, i);
    FUZZ_CHECK(split_writer_finish(writer, meta, 6, &why) == 0);
    mixer_free(mixer);
}

static struct service *make(void)
{
    static struct settings settings;
    struct service *service;
    char folder[] = "/tmp/twonmnist-fuzz-XXXXXX", source[MAX_PATH], mixed[MAX_PATH];
    FUZZ_CHECK(mkdtemp(folder));
    snprintf(source, sizeof source, "%s/nmnist-train%s", folder, SPLIT_SUFFIX);
    snprintf(mixed, sizeof mixed, "%s/train%s", folder, SPLIT_SUFFIX);
    write_source(source);
    write_mixed(mixed, source);
    FUZZ_CHECK(settings_init(&settings) == 0);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        FUZZ_CHECK(settings_set(&settings, SETTING_FILE, limits[i].name, limits[i].value, &why) ==
                   0);
    FUZZ_CHECK(settings_set(&settings, SETTING_FILE, "data", folder, &why) == 0);
    FUZZ_CHECK(service_open(&settings, &service, &why) == 0);
    unlink(source);
    unlink(mixed);
    rmdir(folder);
    return service;
}

struct service *served(void)
{
    static struct service *service;
    if (!service)
        service = make();
    return service;
}
