/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/blob: a batch of two samples, as it is and with each part of it damaged. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/blob.h"
#include "common/crc32c.h"
#include "common/event.h"

enum { HEADER = 1016, DATA = 8 + HEADER, SIZE = DATA + 24 + 16 + 16 + 16 + 20 + 15 };

/* Where each tensor lies in the file. */
enum { OFFSETS = DATA, INDICES = OFFSETS + 24, CHECKSUMS = INDICES + 16, SOURCES = CHECKSUMS + 16 };
enum { LABELS = SOURCES + 16, EVENTS = LABELS + 20 };

static const char revision[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const uint64_t indices[] = {7, 3};

static const char header[] =
    "{\"__metadata__\":{\"revision\":\"%s\"},"
    "\"offsets\":{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,24]},"
    "\"indices\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[24,40]},"
    "\"checksums\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[40,56]},"
    "\"sources\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[56,72]},"
    "\"labels\":{\"dtype\":\"U8\",\"shape\":[2,10],\"data_offsets\":[72,92]},"
    "\"events\":{\"dtype\":\"U8\",\"shape\":[3,5],\"data_offsets\":[92,107]}}";

struct file {
    _Alignas(64) uint8_t bytes[SIZE];
};

static void put(struct file *file, size_t at, const void *value, size_t size)
{
    memcpy(file->bytes + at, value, size);
}

static struct file whole(void)
{
    struct file file = {0};
    const uint64_t length = HEADER, offsets[] = {0, 2, 3};
    const int32_t sources[] = {1, 2, 3, -1};
    put(&file, 0, &length, sizeof length);
    memset(file.bytes + 8, ' ', HEADER);
    char text[HEADER + 1];
    int n = snprintf(text, sizeof text, header, revision);
    assert_in_range(n, 1, HEADER);
    put(&file, 8, text, (size_t)n);
    put(&file, OFFSETS, offsets, sizeof offsets);
    put(&file, INDICES, indices, sizeof indices);
    put(&file, SOURCES, sources, sizeof sources);
    file.bytes[LABELS + 4] = file.bytes[LABELS + 9] = file.bytes[LABELS + N_DIGITS] = 1;
    for (size_t i = 0; i < 15; i++)
        file.bytes[EVENTS + i] = (uint8_t)(i * 17);
    const int64_t checksums[] = {crc32c(0, file.bytes + EVENTS, 10),
                                 crc32c(0, file.bytes + EVENTS + 10, 5)};
    put(&file, CHECKSUMS, checksums, sizeof checksums);
    return file;
}

static struct geometry geometry = {256, 256, N_DIGITS};
static struct meta asked[2];
static size_t n_asked;

static int read_file(const struct file *file, size_t size, struct blob *ret, struct error *why)
{
    const struct blob_expected expected = {.revision = revision,
                                           .indices = indices,
                                           .n_samples = 2,
                                           .geometry = geometry,
                                           .meta = asked,
                                           .n_meta = n_asked};
    return blob_read(file->bytes, size, &expected, ret, why);
}

static void expect_error(const struct file *file, size_t size, int r, const char *words)
{
    struct blob blob = {.n_samples = 99};
    struct error why;
    assert_int_equal(read_file(file, size, &blob, &why), r);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
    assert_int_equal(blob.n_samples, 99);
}

static void blob_gives_every_part_of_a_batch(void **state)
{
    (void)state;
    struct file file = whole();
    struct blob blob;
    struct error why;
    assert_int_equal(read_file(&file, SIZE, &blob, &why), 0);
    assert_int_equal(blob.n_samples, 2);
    assert_int_equal(blob.n_events, 3);
    assert_ptr_equal(blob.offsets, file.bytes + OFFSETS);
    assert_ptr_equal(blob.events, file.bytes + EVENTS);
    assert_int_equal(blob.indices[1], 3);
    assert_int_equal(blob.sources[3], -1);
    assert_int_equal(blob.labels[9], 1);
}

static void blob_puts_the_sum_of_the_whole_file_together(void **state)
{
    (void)state;
    struct file file = whole();
    struct blob blob;
    struct error why;
    assert_int_equal(read_file(&file, SIZE, &blob, &why), 0);
    assert_int_equal(blob.crc, crc32c(0, file.bytes, SIZE));
    file.bytes[LABELS + 1] = 1; /* what no other check could find */
    assert_int_equal(read_file(&file, SIZE, &blob, &why), 0);
    assert_int_equal(blob.crc, crc32c(0, file.bytes, SIZE));
}

static void blob_refuses_an_answer_to_another_request(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *words;
    } cases[] = {
        {"size", "8", "size is not said instead of 8"},
        {"revision", NULL, "instead of not said"},
        {"revision", "00", "instead of 00"},
    };
    struct file file = whole();
    struct blob blob;
    struct error why;
    asked[0] = (struct meta){"revision", revision};
    n_asked = 2;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        asked[1] = (struct meta){cases[i].key, cases[i].value};
        expect_error(&file, SIZE, -EPROTO, cases[i].words);
    }
    asked[1] = (struct meta){"timestep", NULL};
    assert_int_equal(read_file(&file, SIZE, &blob, &why), 0);
    n_asked = 0;
}

static void blob_refuses_every_changed_bit_of_the_events(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 15 * 8; bit++) {
        struct file file = whole();
        file.bytes[EVENTS + bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_error(&file, SIZE, -EBADMSG, bit < 80 ? "sample 7 was damaged" : "sample 3 was");
    }
}

static void blob_refuses_what_is_cut_short(void **state)
{
    (void)state;
    struct file file = whole();
    struct blob blob;
    struct error why;
    for (size_t size = 0; size < SIZE; size++)
        assert_int_equal(read_file(&file, size, &blob, &why), -EBADMSG);
}

static void blob_refuses_another_geometry(void **state)
{
    (void)state;
    static const struct {
        struct geometry geometry;
        const char *words;
    } rows[] = {
        {{256, 256, 9}, "\"labels\" has another shape"},
        {{171, 256, N_DIGITS}, NULL}, /* the largest x is 170, the largest y 187 */
        {{170, 256, N_DIGITS}, "reach pixel (170, 187); the sensor has 170 x 256"},
        {{256, 188, N_DIGITS}, NULL},
        {{256, 187, N_DIGITS}, "the sensor has 256 x 187"},
    };
    const struct geometry before = geometry;
    struct file file = whole();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct blob blob;
        geometry = rows[i].geometry;
        if (rows[i].words)
            expect_error(&file, SIZE, -EBADMSG, rows[i].words);
        else
            assert_int_equal(read_file(&file, SIZE, &blob, NULL), 0);
    }
    geometry = before;
}

static void a_pixel_outside_is_found_wherever_it_stands(void **state)
{
    (void)state;
    enum { N_EVENTS = 37 }; /* two rounds of 16, and some */
    uint8_t events[N_EVENTS * EVENT_BYTES];
    struct blob blob = {.geometry = {34, 20, N_DIGITS}, .events = events};
    struct error why;
    for (uint64_t n = 0; n <= N_EVENTS; n++) {
        memset(events, UINT8_MAX, sizeof events); /* behind the last one, too */
        for (size_t i = 0; i < n; i++) {
            events[i * EVENT_BYTES] = 33;
            events[i * EVENT_BYTES + 1] = 19;
        }
        blob.n_events = n;
        assert_int_equal(blob_check_pixels(&blob, &why), 0);
        for (size_t i = 0; i < 2 * n; i++) {
            uint8_t *pixel = &events[i / 2 * EVENT_BYTES + i % 2];
            static const uint8_t outside[] = {34, 20, 128, 255};
            for (size_t k = i % 2; k < sizeof outside; k += k == 0 ? 2 : 1) {
                uint8_t before = *pixel;
                *pixel = outside[k];
                assert_int_equal(blob_check_pixels(&blob, &why), -EBADMSG);
                *pixel = before;
            }
        }
    }
}

static void blob_refuses_damaged_tensors(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint64_t value; /* eight bytes */
        const char *words;
    } cases[] = {
        {OFFSETS, 1, "do not cover"},
        {OFFSETS + 16, 2, "do not cover"},
        {OFFSETS + 8, 4, "lies at events"},
        {OFFSETS + 8, UINT64_MAX, "lies at events"},
        {INDICES, 8, "is 8 instead of 7"},
        {INDICES + 8, 7, "is 7 instead of 3"},
        {CHECKSUMS, 0, "was damaged"},
        {LABELS, 2, "label 2"},
        {LABELS + N_DIGITS, 0, "there is no label"},
        {0, UINT64_MAX, ""},
        {0, SIZE, ""},
        {0, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file file = whole();
        put(&file, cases[i].at, &cases[i].value, sizeof cases[i].value);
        expect_error(&file, SIZE, -EBADMSG, cases[i].words);
    }
}

static void blob_refuses_another_header(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to; /* of the same length */
        int r;
        const char *words;
    } cases[] = {
        {"\"revision\"", "\"revisian\"", -EBADMSG, "its revision"},
        {"0011223344", "0011223345", -ESTALE, "other data"},
        {"\"sources\"", "\"sourced\"", -EBADMSG, "no tensor \"sources\""},
        {"[2,10]", "[10,2]", -EBADMSG, "labels"},
        {"\"I32\"", "\"U32\"", -EBADMSG, "sources"},
        {"[92,107]", "[91,106]", -EBADMSG, ""},
        {"[92,107]", "[92,097]", -EBADMSG, ""},
        {"[3,5]", "[1,5]", -EBADMSG, ""},
        {"{\"__m", "[\"__m", -EBADMSG, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file file = whole();
        char *at = memmem(file.bytes, DATA, cases[i].from, strlen(cases[i].from));
        assert_non_null(at);
        memcpy(at, cases[i].to, strlen(cases[i].to));
        expect_error(&file, SIZE, cases[i].r, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_gives_every_part_of_a_batch),
        cmocka_unit_test(blob_puts_the_sum_of_the_whole_file_together),
        cmocka_unit_test(blob_refuses_an_answer_to_another_request),
        cmocka_unit_test(blob_refuses_every_changed_bit_of_the_events),
        cmocka_unit_test(blob_refuses_what_is_cut_short),
        cmocka_unit_test(a_pixel_outside_is_found_wherever_it_stands),
        cmocka_unit_test(blob_refuses_damaged_tensors),
        cmocka_unit_test(blob_refuses_another_geometry),
        cmocka_unit_test(blob_refuses_another_header),
    };
    return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
