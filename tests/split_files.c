/* SPDX-License-Identifier: Apache-2.0
 * For tests that need split files: a folder of their own, and small splits in it. */
#include "tests/split_files.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/split.h"
#include "common/split_writer.h"

const struct meta_changes SOURCE_SPLIT = {SPLIT_KIND_SOURCE, SENSOR_NMNIST, SPLIT_TIME_UNIT, NULL};
const struct meta_changes MIXED_SPLIT = {SPLIT_KIND_2NMNIST, SENSOR_NMNIST, SPLIT_TIME_UNIT, NULL};

static char folder[] = "/tmp/twonmnist-unit-XXXXXX";

int folder_setup(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int folder_teardown(void **state)
{
    (void)state;
    struct dirent **found;
    int n = scandir(folder, &found, NULL, NULL);
    for (int i = 0; i < n; i++) {
        char path[SPLIT_PATH];
        if (found[i]->d_name[0] != '.')
            remove(in_folder(found[i]->d_name, path));
        free(found[i]);
    }
    free(found);
    return n < 0 ? -1 : rmdir(folder);
}

const char *in_folder(const char *name, char ret[SPLIT_PATH])
{
    snprintf(ret, SPLIT_PATH, "%s/%s", folder, name);
    return ret;
}

const char *folder_path(void)
{
    return folder;
}

void put_file(const char *path, const void *bytes, size_t size)
{
    char fresh[SPLIT_PATH];
    FILE *file = fopen(in_folder("fresh", fresh), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static void add_samples(struct split_writer *writer, uint8_t seed, int32_t second)
{
    for (uint8_t i = 0; i < SPLIT_SAMPLES; i++) {
        uint8_t events[SPLIT_SAMPLES * EVENT_BYTES] = {0}, labels[N_DIGITS] = {0};
        for (uint8_t k = 0; k <= i; k++)
            event_pack((struct event){.t_us = k * 1000U, .x = i, .y = seed, .p = k % 2},
                       events + k * EVENT_BYTES);
        labels[i / 2] = 1;
        const int32_t sources[] = {i / 2, second};
        struct event_span span = {events, i + 1U};
        assert_int_equal(split_writer_add(writer, span, labels, sources, NULL), 0);
    }
}

void put_split(const char *path, const struct meta_changes *changes, uint8_t seed, int32_t second)
{
    const struct meta all[] = {{"kind", changes->kind},
                               {"sensor", changes->sensor},
                               {"time_unit", changes->time_unit},
                               {"source_sha256", changes->source_sha256}};
    struct meta meta[sizeof all / sizeof *all];
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value)
            meta[n++] = all[i];
    struct split_writer *writer;
    struct error why;
    if (split_writer_create(path, SPLIT_SAMPLES, &writer, &why) < 0)
        fail_msg("%s", why.text);
    add_samples(writer, seed, second);
    if (split_writer_finish(writer, meta, n, &why) < 0)
        fail_msg("%s", why.text);
}

void revision_of(const char *path, char ret[SHA256_HEX + 1])
{
    char bytes[1 << 13];
    uint64_t length;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(&length, 1, sizeof length, file), sizeof length);
    assert_in_range(length, 1, sizeof bytes - sizeof length);
    memcpy(bytes, &length, sizeof length);
    assert_int_equal(fread(bytes + sizeof length, 1, length, file), length);
    fclose(file);
    sha256_hex_of(bytes, sizeof length + length, ret);
}
