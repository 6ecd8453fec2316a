/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/chunks, over a split's file in memory. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/chunks.h"
#include "common/event.h"
#include "common/split.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/small_splits.h"

enum { SAMPLES = 40, EVENTS = 12000, MOST = 4 << 20 }; /* 60 KB each: some make a chunk */

static uint8_t events[EVENTS * EVENT_BYTES], *file;
static uint64_t size, n_events;
static char revision[SHA256_HEX + 1];

/* Sample 7 has no event, and the last one has all there can be. */
static int write_file(void **state)
{
    if (scratch_setup(state) != 0)
        return -1;
    file = malloc(MOST);
    const char *path = scratch_path("split");
    struct split_writer *writer = small_split_begin(path, SAMPLES);
    struct split *split;
    n_events = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t n = i == 7 ? 0 : EVENTS - i;
        events[0] = (uint8_t)(i % 34); /* no two are alike */
        small_split_add(writer, (struct event_span){events, n}, (int)(i % 10), -1, (int32_t)i, -1);
        n_events += n;
    }
    small_split_end(writer, SPLIT_KIND_SOURCE);
    size = scratch_read("split", file, MOST);
    assert_int_equal(split_open(path, &split, NULL), 0);
    strcpy(revision, split_revision(split));
    split_close(split);
    return 0;
}

static int free_file(void **state)
{
    free(file);
    return scratch_teardown(state);
}

/* All of it, in `ret`, which the caller clears. */
static void read_all(struct chunks *ret)
{
    struct error why;
    assert_int_equal(chunks_begin(SAMPLES, n_events, size, revision, ret, &why), 0);
    assert_int_equal(chunk_check(&ret->header, file + ret->header.begin, &why), 0);
    assert_int_equal(chunks_read_header(ret, file + ret->header.begin, &why), 0);
    assert_int_equal(chunk_check(&ret->index, file + ret->index.begin, &why), 0);
    assert_int_equal(chunks_read_index(ret, file + ret->index.begin, &why), 0);
}

static void chunks_are_the_file_from_end_to_end(void **state)
{
    (void)state;
    struct chunks chunks;
    read_all(&chunks);
    assert_int_equal(chunks.header.begin, 0);
    assert_int_equal(chunks.index.begin, chunks.header.size);
    uint64_t at = chunks.index.begin + chunks.index.size;
    assert_true(chunks.n > 3 && chunks.n < SAMPLES);
    for (size_t i = 0; i < chunks.n; i++) {
        const struct chunk *chunk = &chunks.events[i];
        assert_int_equal(chunk->begin, at);
        assert_true(chunk->size >= 256 * 1024 || i == chunks.n - 1);
        assert_int_equal(chunk_check(chunk, file + chunk->begin, NULL), 0);
        at += chunk->size;
    }
    assert_int_equal(at, size);
    chunks_clear(&chunks);
}

static void a_byte_that_is_another_is_found_in_its_chunk_alone(void **state)
{
    (void)state;
    struct chunks chunks;
    struct error why;
    read_all(&chunks);
    for (uint64_t at = 0; at < size; at += size / 97) {
        file[at] ^= 0x20;
        unsigned n_wrong = chunk_check(&chunks.header, file, &why) == -EBADMSG;
        n_wrong += chunk_check(&chunks.index, file + chunks.index.begin, &why) == -EBADMSG;
        for (size_t i = 0; i < chunks.n; i++)
            n_wrong +=
                chunk_check(&chunks.events[i], file + chunks.events[i].begin, &why) == -EBADMSG;
        assert_int_equal(n_wrong, 1);
        file[at] ^= 0x20;
    }
    chunks_clear(&chunks);
}

static void sizes_that_no_split_has_are_refused(void **state)
{
    (void)state;
    const struct {
        uint64_t n_samples, n_events, size;
    } cases[] = {
        {SAMPLES, n_events, 0},
        {SAMPLES, n_events, n_events * EVENT_BYTES},
        {SAMPLES, n_events, size + (2 << 20)},
        {SAMPLES, n_events * 2, size},
        {UINT64_MAX / 16, n_events, size},
        {SAMPLES, UINT64_MAX / 2, size},
    };
    struct chunks chunks;
    struct error why;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(chunks_begin(cases[i].n_samples, cases[i].n_events, cases[i].size,
                                      revision, &chunks, &why),
                         -EBADMSG);
        assert_non_null(strstr(why.text, "no split of"));
    }
    assert_int_equal(chunks_begin(SAMPLES, n_events, size, "0123", &chunks, &why), -EBADMSG);
}

/* Of a header that is right by its own SHA-256, as anybody can make one. */
static void a_header_of_another_layout_is_refused(void **state)
{
    (void)state;
    struct chunks chunks;
    struct error why;
    assert_int_equal(chunks_begin(SAMPLES, n_events - 1, size, revision, &chunks, &why), 0);
    assert_int_equal(chunks_read_header(&chunks, file, &why), -EBADMSG);
    assert_int_equal(chunks_begin(SAMPLES, n_events, size, revision, &chunks, &why), 0);
    char *version = strstr((char *)file + 8, "\"version\":\"");
    assert_non_null(version);
    version[11] ^= 1;
    assert_int_equal(chunks_read_header(&chunks, file, &why), -ENOTSUP);
    version[11] ^= 1;
    char *sum = strstr((char *)file + 8, "\"index_crc32c\":\"");
    assert_non_null(sum);
    char before = sum[16];
    sum[16] = 'x';
    assert_int_equal(chunks_read_header(&chunks, file, &why), -EBADMSG);
    sum[16] = before;
    assert_int_equal(chunks_read_header(&chunks, file, &why), 0);
}

/* Nothing behind it is looked at, which is not there when a pull has but the header. */
static void a_header_that_says_more_than_there_is_is_refused(void **state)
{
    (void)state;
    struct chunks chunks;
    struct error why;
    assert_int_equal(chunks_begin(SAMPLES, n_events, size, revision, &chunks, &why), 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (chunks.header.size + page - 1) / page * page;
    uint8_t *pages =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + room, page, PROT_NONE), 0);
    uint8_t *header = pages + room - chunks.header.size;
    const uint64_t own = chunks.header.size - 8,
                   lengths[] = {own + 1, own + page, size - 8, own - 8, 0, UINT64_MAX, own};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const uint64_t said = htole64(lengths[i]);
        memcpy(header, file, chunks.header.size);
        memcpy(header, &said, sizeof said);
        assert_int_equal(chunks_read_header(&chunks, header, &why),
                         lengths[i] == own ? 0 : -EBADMSG);
    }
    munmap(pages, room + page);
}

static void offsets_that_are_none_are_refused(void **state)
{
    (void)state;
    struct chunks chunks;
    struct error why;
    assert_int_equal(chunks_begin(SAMPLES, n_events, size, revision, &chunks, &why), 0);
    assert_int_equal(chunks_read_header(&chunks, file, &why), 0);
    uint8_t *offsets = file + chunks.index.begin;
    for (size_t i = 0; i <= SAMPLES; i += SAMPLES / 2) {
        offsets[8 * i + 7] ^= 0x40;
        assert_int_equal(chunks_read_index(&chunks, offsets, &why), -EBADMSG);
        offsets[8 * i + 7] ^= 0x40;
    }
}

static int read_index(void *user, struct error *why)
{
    struct chunks *chunks = user;
    int r = chunks_read_index(chunks, file + chunks->index.begin, why);
    chunks_clear(chunks);
    chunks->n = 0;
    return r;
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    struct chunks chunks;
    assert_int_equal(chunks_begin(SAMPLES, n_events, size, revision, &chunks, NULL), 0);
    assert_int_equal(chunks_read_header(&chunks, file, NULL), 0);
    assert_int_equal(scarce_try(read_index, &chunks), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_the_file_from_end_to_end),
        cmocka_unit_test(a_byte_that_is_another_is_found_in_its_chunk_alone),
        cmocka_unit_test(sizes_that_no_split_has_are_refused),
        cmocka_unit_test(a_header_of_another_layout_is_refused),
        cmocka_unit_test(a_header_that_says_more_than_there_is_is_refused),
        cmocka_unit_test(offsets_that_are_none_are_refused),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("chunks", tests, write_file, free_file);
}
