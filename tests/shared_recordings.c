/* SPDX-License-Identifier: Apache-2.0
 * The real recordings and golden data that lie beside the tree, for tests that use them. */
#include "tests/shared_recordings.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCK_SIZE = 1 << 16 };

struct named {
    char *name;
    struct event_span events;
};

static const char *shared_folder(void)
{
    const char *folder = getenv("TWONMNIST_SHARED");
    return folder ? folder : "../shared";
}

void shared_or_skip(void)
{
    if (access(shared_folder(), R_OK) == 0)
        return;
    print_message("the shared recordings are absent: no %s\n", shared_folder());
    skip();
}

static struct archive *open_shared(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", shared_folder(), name);
    struct archive *archive = archive_read_new();
    assert_non_null(archive);
    archive_read_support_filter_all(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_format_raw(archive);
    if (archive_read_open_filename(archive, path, BLOCK_SIZE) != ARCHIVE_OK)
        fail_msg("%s", archive_error_string(archive));
    return archive;
}

/* The whole of the current entry, with a 0 behind it. */
static char *read_entry(struct archive *archive, size_t *ret_size)
{
    char *bytes = NULL;
    size_t used = 0;
    for (;;) {
        bytes = realloc(bytes, used + BLOCK_SIZE + 1);
        assert_non_null(bytes);
        la_ssize_t n = archive_read_data(archive, bytes + used, BLOCK_SIZE);
        if (n < 0)
            fail_msg("%s", archive_error_string(archive));
        if (n == 0)
            break;
        used += (size_t)n;
    }
    bytes[used] = '\0';
    *ret_size = used;
    return bytes;
}

char *shared_text(const char *name)
{
    struct archive *archive = open_shared(name);
    struct archive_entry *entry;
    size_t size;
    assert_int_equal(archive_read_next_header(archive, &entry), ARCHIVE_OK);
    char *text = read_entry(archive, &size);
    archive_read_free(archive);
    return text;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct event_span read_recording(struct archive *archive)
{
    struct error why;
    size_t size, n_events;
    uint8_t *bytes = (uint8_t *)read_entry(archive, &size);
    if (event_check(bytes, size, 0, &n_events, &why) < 0)
        fail_msg("%s", why.text);
    return (struct event_span){.bytes = bytes, .n_events = n_events};
}

/* All entries "<split>/<digit>/<number>.bin", in the order of their names. */
static struct named *read_all(const char *name, size_t *ret_n)
{
    struct archive *archive = open_shared(name);
    struct archive_entry *entry;
    struct named *all = NULL;
    size_t n = 0;
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        const char *path = archive_entry_pathname(entry);
        if (!strstr(path, ".bin"))
            continue;
        all = realloc(all, (n + 1) * sizeof *all);
        assert_non_null(all);
        char *copy = strdup(path);
        assert_non_null(copy);
        all[n++] = (struct named){.name = copy, .events = read_recording(archive)};
    }
    archive_read_free(archive);
    assert_true(n > 0);
    qsort(all, n, sizeof *all, by_name);
    *ret_n = n;
    return all;
}

void shared_recordings_read(const char *name, struct shared_recordings *ret)
{
    size_t n;
    struct named *all = read_all(name, &n);
    *ret = (struct shared_recordings){
        .n = n,
        .events = calloc(n, sizeof *ret->events),
        .digits = calloc(n, 1),
        .labels = calloc(n, N_DIGITS),
    };
    assert_true(ret->events && ret->digits && ret->labels);
    for (size_t i = 0; i < n; i++) {
        ret->events[i] = all[i].events;
        ret->digits[i] = (uint8_t)(strchr(all[i].name, '/')[1] - '0');
        assert_in_range(ret->digits[i], 0, N_DIGITS - 1);
        ret->labels[i * N_DIGITS + ret->digits[i]] = 1;
        free(all[i].name);
    }
    free(all);
}

void shared_recordings_free(struct shared_recordings *recordings)
{
    for (size_t i = 0; i < recordings->n; i++)
        free((void *)recordings->events[i].bytes);
    free(recordings->events);
    free(recordings->digits);
    free(recordings->labels);
}
