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

/* ---- Places instead of events ---- */

/* Of two samples of 34 x 34 pixels: 3 and 2 frames, 4 and 3 places. */
enum { T = 3, N_PLACES = 7, ROOM = 4096 };

struct sparse {
    _Alignas(64) uint8_t bytes[ROOM];
    size_t size;
    int32_t *counts, *n_frames;
    int16_t *places;
    int64_t *checksums;
};

struct sparse_parts {
    uint64_t longest, n_places;
    bool has_n_frames;
    enum tensor_dtype places;
};

static const struct sparse_parts usual = {T, N_PLACES, true, TENSOR_I16};

static void sum_sample(struct sparse *file, size_t i, size_t first, size_t n)
{
    file->checksums[i] = crc32c(0, file->places + first, n * sizeof *file->places);
}

static void make_sparse(const struct sparse_parts *parts, struct sparse *ret)
{
    static const int32_t sources[] = {1, 2, 3, -1}, counts[] = {2, 0, 2, 1, 2, 0};
    static const int16_t places[] = {0, 2311, 5, 6, 7, 8, 9};
    static const int32_t n_frames[] = {3, 2};
    struct tensor tensors[6] = {
        {.name = "indices", .dtype = TENSOR_I64, .n_dims = 1, .dims = {2}},
        {.name = "checksums", .dtype = TENSOR_I64, .n_dims = 1, .dims = {2}},
        {.name = "sources", .dtype = TENSOR_I32, .n_dims = 2, .dims = {2, 2}},
        {.name = "counts", .dtype = TENSOR_I32, .n_dims = 2, .dims = {2, parts->longest}},
        {.name = "n_frames", .dtype = TENSOR_I32, .n_dims = 1, .dims = {2}},
        {.name = "places", .dtype = parts->places, .n_dims = 1, .dims = {parts->n_places}},
    };
    struct tensor all[7];
    size_t n = 0, start;
    uint64_t data_size;
    for (size_t i = 0; i < 6; i++)
        if (i != 4 || parts->has_n_frames)
            all[n++] = tensors[i];
    all[n++] = (struct tensor){.name = "labels", .dtype = TENSOR_U8, .n_dims = 2, .dims = {2, 10}};
    const struct meta meta = {"revision", revision};
    memset(ret, 0, sizeof *ret);
    assert_int_equal(safetensors_layout(all, n, &data_size), 0);
    assert_int_equal(safetensors_header(all, n, &meta, 1, (char *)ret->bytes, ROOM, 0, &start), 0);
    ret->size = start + data_size;
    uint8_t *data = ret->bytes + start;
    memcpy(data + all[0].begin, indices, sizeof indices);
    memcpy(data + all[2].begin, sources, sizeof sources);
    ret->checksums = (int64_t *)(void *)(data + all[1].begin);
    ret->counts = (int32_t *)(void *)(data + all[3].begin);
    memcpy(ret->counts, counts, sizeof counts);
    ret->n_frames = (int32_t *)(void *)(data + all[4].begin);
    if (parts->has_n_frames)
        memcpy(ret->n_frames, n_frames, sizeof n_frames);
    ret->places = (int16_t *)(void *)(data + all[n - 2].begin);
    memcpy(ret->places, places, sizeof places);
    data[all[n - 1].begin] = data[all[n - 1].begin + N_DIGITS] = 1;
    sum_sample(ret, 0, 0, 4);
    sum_sample(ret, 1, 4, 3);
}

static int read_sparse(const struct sparse *file, const struct blob_frames *frames,
                       struct blob *ret, struct error *why)
{
    const struct blob_expected expected = {.revision = revision,
                                           .indices = indices,
                                           .n_samples = 2,
                                           .geometry = GEOMETRY_NMNIST,
                                           .frames = frames};
    return blob_read(file->bytes, file->size, &expected, ret, why);
}

static const struct blob_frames own_number = {.n_channels = 2, .counts = false, .fixed = 0};

static void places_come_with_every_part_of_a_batch(void **state)
{
    (void)state;
    struct sparse file;
    struct blob blob;
    struct error why;
    make_sparse(&usual, &file);
    if (read_sparse(&file, &own_number, &blob, &why) < 0)
        fail_msg("%s", why.text);
    assert_null(blob.events);
    assert_null(blob.offsets);
    assert_int_equal(blob.n_events, 0);
    assert_int_equal(blob.n_places, N_PLACES);
    assert_int_equal(blob.longest, T);
    assert_ptr_equal(blob.places, file.places);
    assert_ptr_equal(blob.counts, file.counts);
    assert_ptr_equal(blob.n_frames, file.n_frames);
    assert_int_equal(blob.crc, crc32c(0, file.bytes, file.size));
    const struct sparse_parts fixed = {T, N_PLACES, false, TENSOR_I16};
    const struct blob_frames three = {.n_channels = 2, .counts = true, .fixed = T};
    make_sparse(&fixed, &file);
    file.places[6] = file.places[5]; /* twice */
    sum_sample(&file, 1, 4, 3);
    assert_int_equal(read_sparse(&file, &three, &blob, &why), 0);
    assert_null(blob.n_frames);
    assert_int_equal(blob.crc, crc32c(0, file.bytes, file.size));
}

static void expect_refusal(const struct sparse *file, const struct blob_frames *frames,
                           const char *words)
{
    struct blob blob = {.n_samples = 99};
    struct error why;
    assert_int_equal(read_sparse(file, frames, &blob, &why), -EBADMSG);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
    assert_int_equal(blob.n_samples, 99);
}

static void places_of_another_shape_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct sparse_parts parts;
        uint32_t fixed;
        const char *words;
    } cases[] = {
        {{T, N_PLACES, false, TENSOR_I16}, 0, "no tensor \"n_frames\""},
        {{T, N_PLACES, true, TENSOR_I32}, 0, "\"places\" has another shape or dtype"},
        {{T, N_PLACES, true, TENSOR_U8}, 0, "\"places\" has another shape or dtype"},
        {{T, N_PLACES, true, TENSOR_I16}, T + 1, "\"counts\" has another shape"},
        {{T, N_PLACES - 1, true, TENSOR_I16}, 0, "not as many places as are counted"},
        {{T, N_PLACES + 1, true, TENSOR_I16}, 0, "more places than are counted"},
        {{T + 1, N_PLACES, true, TENSOR_I16}, 0, ""},
    };
    struct sparse file;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct blob_frames frames = {.n_channels = 2, .fixed = cases[i].fixed};
        make_sparse(&cases[i].parts, &file);
        expect_refusal(&file, &frames, cases[i].words);
    }
    make_sparse(&usual, &file);
    struct blob blob;
    struct error why;
    const struct blob_expected events = {
        .revision = revision, .indices = indices, .n_samples = 2, .geometry = GEOMETRY_NMNIST};
    assert_int_equal(blob_read(file.bytes, file.size, &events, &blob, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "no tensor \"offsets\""));
}

static void places_that_cannot_be_are_refused_whatever_their_sums(void **state)
{
    (void)state;
    static const struct {
        size_t count, n_frames, place;
        int32_t count_is, n_frames_is;
        int16_t place_is;
        const char *words;
    } cases[] = {
        {0, 0, 0, -1, 3, 0, "frame 0: it has not as many"},
        {0, 0, 0, INT32_MAX, 3, 0, "frame 0: it has not as many"},
        {5, 0, 0, 1, 3, 0, "frame 2: it has not as many"}, /* past its own frames */
        {0, 0, 1, 2, 3, 2312, "sample 7, frame 0: its places do not ascend, or lie outside"},
        {0, 0, 0, 2, 3, -1, "sample 7, frame 0: its places do not ascend"},
        {0, 0, 1, 2, 3, 0, "sample 7, frame 0: its places do not ascend"}, /* the same twice */
        {3, 0, 6, 1, 3, 8, "sample 3, frame 1: its places do not ascend"},
        {0, 0, 0, 2, 2, 0, "sample 7, frame 2: it has not as many"},
        {0, 0, 0, 2, 4, 0, "sample 7 has 4 of 3 frames"},
        {0, 0, 0, 2, -1, 0, "sample 7 has -1 of 3 frames"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sparse file;
        make_sparse(&usual, &file);
        file.counts[cases[i].count] = cases[i].count_is;
        file.n_frames[cases[i].n_frames] = cases[i].n_frames_is;
        file.places[cases[i].place] = cases[i].place_is;
        sum_sample(&file, 0, 0, 4);
        sum_sample(&file, 1, 4, 3);
        expect_refusal(&file, &own_number, cases[i].words);
    }
    struct sparse file;
    const struct blob_frames merged = {.n_channels = 1, .fixed = 0};
    make_sparse(&usual, &file); /* place 2311 is of channel 1 */
    expect_refusal(&file, &merged, "lie outside");
    file.counts[2] = 0; /* all samples have fewer frames than there is room for */
    file.n_frames[0] = 2;
    file.counts[0] = 1;
    file.counts[1] = 3;
    file.places[1] = 1;
    sum_sample(&file, 0, 0, 4);
    expect_refusal(&file, &own_number, "room for 3 frames, and samples of up to 2");
}

static void every_changed_bit_of_the_places_is_found(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < N_PLACES * 16; bit++) {
        struct sparse file;
        make_sparse(&usual, &file);
        ((uint8_t *)file.places)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_refusal(&file, &own_number, bit < 64 ? "sample 7" : "sample 3");
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
        cmocka_unit_test(places_come_with_every_part_of_a_batch),
        cmocka_unit_test(places_of_another_shape_are_refused),
        cmocka_unit_test(places_that_cannot_be_are_refused_whatever_their_sums),
        cmocka_unit_test(every_changed_bit_of_the_places_is_found),
    };
    return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
