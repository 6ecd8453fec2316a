/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/: a folder of four small splits, and the catalog of it. */
#include "tests/small_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/split_writer.h"
#include "server/samples/scratch.h"

const struct small_row small_rows[SMALL_SAMPLES] = {
    {0, 5},  {4, 9},  {3, -1},          {7, 2},   {19, 0},  {SMALL_EMPTY, -1}, {6, 13},
    {8, -1}, {11, 4}, {7, SMALL_EMPTY}, {18, 16}, {15, -1}, {10, -1},
};

static const char *const names[] = {"source", "timed", "published", "orphan"};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static struct event_span make_recording(int32_t i, uint8_t bytes[SMALL_MOST_EVENTS * EVENT_BYTES])
{
    size_t n = i == SMALL_EMPTY ? 0 : (size_t)(30 + 11 * i);
    uint32_t state = 7 + (uint32_t)i, t_us = 3 * (uint32_t)i;
    for (size_t at = 0; at < n; at++) {
        struct event event = {
            .t_us = t_us,
            .x = (uint8_t)(next_random(&state) % 5),
            .y = (uint8_t)(next_random(&state) % 5),
            .p = next_random(&state) % 2,
        };
        event_pack(event, bytes + at * EVENT_BYTES);
        t_us += next_random(&state) % 3 ? 0 : next_random(&state) % 40;
    }
    return (struct event_span){bytes, n};
}

static size_t mix_recordings(struct small_row row, struct mix_rule rule, uint8_t *ret)
{
    uint8_t a[SMALL_MOST_EVENTS * EVENT_BYTES], b[SMALL_MOST_EVENTS * EVENT_BYTES];
    struct event_span parts[2] = {make_recording(row.a, a)};
    if (row.b >= 0)
        parts[1] = make_recording(row.b, b);
    struct mixer *mixer;
    struct error why;
    size_t n_events;
    assert_int_equal(mixer_new(&mixer), 0);
    assert_int_equal(mixer_mix(mixer, parts, row.b < 0 ? 1 : 2, &rule, ret, &n_events, &why), 0);
    assert_true(n_events <= SMALL_MOST_EVENTS);
    mixer_free(mixer);
    return n_events;
}

static void path_of(const char *folder, const char *name, char ret[SMALL_FOLDER_SIZE])
{
    assert_true(snprintf(ret, SMALL_FOLDER_SIZE, "%s/%s%s", folder, name, SPLIT_SUFFIX) <
                SMALL_FOLDER_SIZE);
}

static void finish(struct split_writer *writer, const char *kind, const char *order,
                   const char *source_sha256)
{
    const struct meta meta[] = {
        {"split", "train"},    {"kind", kind},
        {"sensor", "34x34x2"}, {"time_unit", "us"},
        {"order", order},      {"origin", "synthetic"},
        {"plan", "published"}, {"source_sha256", source_sha256},
    };
    struct error why;
    assert_int_equal(split_writer_finish(writer, meta, sizeof meta / sizeof *meta, &why), 0);
}

static struct split_writer *create(const char *folder, const char *name, uint64_t n_samples)
{
    char path[SMALL_FOLDER_SIZE];
    struct split_writer *writer;
    struct error why;
    path_of(folder, name, path);
    assert_int_equal(split_writer_create(path, n_samples, &writer, &why), 0);
    return writer;
}

static void write_source(const char *folder)
{
    struct split_writer *writer = create(folder, "source", SMALL_RECORDINGS);
    for (int32_t i = 0; i < SMALL_RECORDINGS; i++) {
        uint8_t bytes[SMALL_MOST_EVENTS * EVENT_BYTES], labels[N_DIGITS] = {0};
        struct error why;
        labels[i / 2] = 1;
        assert_int_equal(split_writer_add(writer, make_recording(i, bytes), labels,
                                          (const int32_t[]){i, -1}, &why),
                         0);
    }
    finish(writer, SPLIT_KIND_SOURCE, "time", "");
}

static void write_mixes(const char *folder, const char *name, enum mix_order order,
                        const char *source_sha256)
{
    struct split_writer *writer = create(folder, name, SMALL_SAMPLES);
    for (size_t i = 0; i < SMALL_SAMPLES; i++) {
        uint8_t bytes[SMALL_MOST_EVENTS * EVENT_BYTES], labels[N_DIGITS] = {0};
        struct small_row row = small_rows[i];
        struct error why;
        labels[row.a / 2] = i != SAMPLE_UNLABELLED;
        if (row.b >= 0)
            labels[row.b / 2] = 1;
        struct event_span events = {bytes,
                                    mix_recordings(row, (struct mix_rule){.order = order}, bytes)};
        assert_int_equal(
            split_writer_add(writer, events, labels, (const int32_t[]){row.a, row.b}, &why), 0);
    }
    finish(writer, SPLIT_KIND_2NMNIST, order == MIX_TIME ? "time" : "published", source_sha256);
}

void small_folder_make(char ret[SMALL_FOLDER_SIZE])
{
    const char *temporary = getenv("TMPDIR");
    assert_true(snprintf(ret, SMALL_FOLDER_SIZE, "%s/twonmnist-small-XXXXXX",
                         temporary ? temporary : "/tmp") < SMALL_FOLDER_SIZE);
    assert_non_null(mkdtemp(ret));
    write_source(ret);
    char path[SMALL_FOLDER_SIZE], sha256[SHA256_HEX + 1];
    struct split *source;
    struct error why;
    path_of(ret, "source", path);
    assert_int_equal(split_open(path, &source, &why), 0);
    strcpy(sha256, split_revision(source));
    split_close(source);
    write_mixes(ret, "timed", MIX_TIME, sha256);
    write_mixes(ret, "published", MIX_PUBLISHED, sha256);
    sha256[0] = sha256[0] == '0' ? '1' : '0';
    write_mixes(ret, "orphan", MIX_TIME, sha256);
}

void small_folder_remove(const char *folder)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[SMALL_FOLDER_SIZE];
        path_of(folder, names[i], path);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static struct entry *entry_of(const struct small_catalog *opened, const char *name)
{
    struct entry *entry = catalog_find(opened->catalog, name, strlen(name));
    assert_non_null(entry);
    return entry;
}

void small_catalog_open(struct small_catalog *ret)
{
    struct error why;
    small_folder_make(ret->folder);
    assert_int_equal(catalog_open(ret->folder, NULL, &ret->catalog, &why), 0);
    ret->source = entry_of(ret, "source");
    ret->timed = entry_of(ret, "timed");
    ret->published = entry_of(ret, "published");
    ret->orphan = entry_of(ret, "orphan");
}

void small_catalog_close(struct small_catalog *opened)
{
    catalog_unref(opened->catalog);
    small_folder_remove(opened->folder);
}

struct small_catalog small;

int small_setup(void **state)
{
    (void)state;
    small_catalog_open(&small);
    return 0;
}

int small_teardown(void **state)
{
    (void)state;
    small_catalog_close(&small);
    scratch_free();
    return 0;
}

size_t small_mix(size_t i, struct mix_rule rule, uint8_t ret[SMALL_MOST_EVENTS * EVENT_BYTES])
{
    return mix_recordings(small_rows[i], rule, ret);
}
