/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/safetensors: headers that are written, read, and lie. */
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

#include "common/safetensors.h"

enum { ROOM = 4096, DATA = 100 };

/* A file with this header text and DATA bytes of data: its size. */
static size_t compose(const char *text, char file[ROOM])
{
    uint64_t length = strlen(text);
    assert_true(length < ROOM - 8 - DATA);
    memset(file, 0, ROOM);
    memcpy(file, &length, sizeof length);
    memcpy(file + sizeof length, text, length);
    return sizeof length + length + DATA;
}

static int file_of(const char *bytes, size_t size)
{
    int fd = memfd_create("safetensors", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, size), size);
    return fd;
}

/* The header alone is read, and that is enough to parse it. */
static int read_and_parse(int fd, size_t size, struct safetensors **ret, struct error *why)
{
    void *bytes = NULL;
    size_t n = 0;
    int r = safetensors_read(fd, size, &bytes, &n, why);
    if (r < 0) {
        assert_null(bytes);
        return r;
    }
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    assert_int_equal(n, 8 + length);
    r = safetensors_parse(bytes, size, ret, why);
    free(bytes);
    return r;
}

/* From memory and from a file the same is read. */
static void expect_refused(const char *file, size_t size, const char *words)
{
    struct safetensors *header = NULL;
    struct error why = {""}, from_file = {""};
    assert_int_equal(safetensors_parse(file, size, &header, &why), -EBADMSG);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
    int fd = file_of(file, size);
    assert_int_equal(read_and_parse(fd, size, &header, &from_file), -EBADMSG);
    assert_string_equal(why.text, from_file.text);
    assert_null(header);
    close(fd);
}

static void safetensors_reads_what_it_wrote(void **state)
{
    (void)state;
    struct tensor tensors[] = {
        {.name = "offsets", .dtype = TENSOR_I64, .n_dims = 1, .dims = {3}},
        {.name = "sources", .dtype = TENSOR_I32, .n_dims = 2, .dims = {2, 2}},
        {.name = "labels", .dtype = TENSOR_U8, .n_dims = 2, .dims = {2, 10}},
    };
    const struct meta meta[] = {{"format", "a \"quoted\" one"}, {"plan", "7"}};
    uint64_t data_size;
    char file[ROOM] = {0};
    size_t size;
    assert_int_equal(safetensors_layout(tensors, 3, &data_size), 0);
    assert_int_equal(data_size, 24 + 16 + 20);
    assert_int_equal(safetensors_header(tensors, 3, meta, 2, file, sizeof file, 0, &size), 0);
    assert_int_equal(size % SAFETENSORS_ALIGN, 0);

    struct safetensors *header;
    assert_int_equal(safetensors_parse(file, size + data_size, &header, NULL), 0);
    assert_int_equal(safetensors_data_start(header), size);
    assert_string_equal(safetensors_meta(header, "format"), meta[0].value);
    assert_string_equal(safetensors_meta(header, "plan"), "7");
    assert_null(safetensors_meta(header, "none"));
    assert_null(safetensors_find(header, "none"));
    const struct tensor *labels = safetensors_find(header, "labels");
    assert_int_equal(labels->dtype, TENSOR_U8);
    assert_int_equal(labels->n_dims, 2);
    assert_int_equal(labels->dims[1], 10);
    assert_int_equal(labels->begin, 40);
    assert_int_equal(labels->end, 60);
    safetensors_free(header);
    expect_refused(file, size + data_size - 1, "outside the 59 bytes of data");
}

static void safetensors_fills_a_fixed_size_or_says_that_it_does_not(void **state)
{
    (void)state;
    struct tensor tensor = {.name = "a", .dtype = TENSOR_U8, .n_dims = 1, .dims = {1}};
    uint64_t data_size;
    char buffer[ROOM];
    size_t size = 0;
    assert_int_equal(safetensors_layout(&tensor, 1, &data_size), 0);
    assert_int_equal(safetensors_header(&tensor, 1, NULL, 0, buffer, ROOM, 1024, &size), 0);
    assert_int_equal(size, 1024);
    assert_int_equal(safetensors_header(&tensor, 1, NULL, 0, buffer, ROOM, 64, &size), 0);
    assert_int_equal(size, 64);
    assert_int_equal(safetensors_header(&tensor, 1, NULL, 0, buffer, 63, 0, &size), -ENOBUFS);
    tensor.dims[0] = 1000000000;
    assert_int_equal(safetensors_header(&tensor, 1, NULL, 0, buffer, ROOM, 64, &size), -ENOBUFS);
    assert_int_equal(size, 64);
}

static void safetensors_refuses_a_length_that_lies(void **state)
{
    (void)state;
    char file[ROOM];
    size_t size = compose("{}", file);
    for (size_t n = 0; n < 8; n++)
        expect_refused(file, n, "too short for a safetensors file");
    const uint64_t lengths[] = {size - 7, UINT64_MAX, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(file, &lengths[i], sizeof lengths[i]);
        expect_refused(file, size, "does not fit a file");
    }
}

static void safetensors_refuses_a_header_that_would_take_much_memory(void **state)
{
    (void)state;
    size_t size = SAFETENSORS_MAX_HEADER + 100;
    char *file = calloc(1, size);
    uint64_t length = SAFETENSORS_MAX_HEADER + 1;
    memcpy(file, &length, sizeof length);
    memset(file + 8, ' ', size - 8);
    file[8] = '{';
    file[8 + SAFETENSORS_MAX_HEADER - 1] = '}';
    expect_refused(file, size, "the limit is 1048576");
    length--;
    memcpy(file, &length, sizeof length);
    struct safetensors *header;
    assert_int_equal(safetensors_parse(file, size, &header, NULL), 0);
    safetensors_free(header);
    free(file);
}

static void safetensors_refuses_headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"[]", "not a JSON object"},
        {"{\"a\":1", "not a JSON object"},
        {"{\"a\":{},\"a\":{}}", "not a JSON object"},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", "\"a\" has no valid shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,0]}}", "no valid shape"},
        {"{\"a\":{\"dtype\":\"I64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}",
         "no valid shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}",
         "no valid shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", "no valid data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", "no valid data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", "outside the 100"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[100,101]}}", "outside the 100"},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,101]}}", "outside the 100"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,1]}}", "its shape says 2"},
    };
    char file[ROOM];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused(file, compose(rows[i].text, file), rows[i].words);
}

static void safetensors_passes_over_tensors_of_other_types(void **state)
{
    (void)state;
    char file[ROOM];
    size_t size = compose("{\"a\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]},"
                          "\"b\":{\"shape\":[3],\"data_offsets\":[0,6]},"
                          "\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[6,7]}}",
                          file);
    struct safetensors *header;
    assert_int_equal(safetensors_parse(file, size, &header, NULL), 0);
    assert_int_equal(safetensors_find(header, "a")->dtype, TENSOR_OTHER);
    assert_int_equal(safetensors_find(header, "b")->dtype, TENSOR_OTHER);
    assert_int_equal(safetensors_find(header, "c")->begin, 6);
    assert_int_equal(tensor_dtype_size(TENSOR_OTHER), 0);
    safetensors_free(header);
}

static void safetensors_reads_a_tensor_or_says_where_the_file_ends(void **state)
{
    (void)state;
    char file[ROOM], out[DATA] = {0};
    size_t size =
        compose("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[96,100]}}", file);
    memcpy(file + size - 4, "word", 4);
    int fd = file_of(file, size);
    struct safetensors *header;
    struct error why;
    assert_int_equal(read_and_parse(fd, size, &header, NULL), 0);
    const struct tensor *tensor = safetensors_find(header, "a");
    assert_int_equal(safetensors_read_tensor(fd, header, tensor, out, NULL), 0);
    assert_string_equal(out, "word");
    assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
    assert_int_equal(safetensors_read_tensor(fd, header, tensor, out, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "cut short at byte"));
    safetensors_free(header);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_reads_what_it_wrote),
        cmocka_unit_test(safetensors_fills_a_fixed_size_or_says_that_it_does_not),
        cmocka_unit_test(safetensors_refuses_a_length_that_lies),
        cmocka_unit_test(safetensors_refuses_a_header_that_would_take_much_memory),
        cmocka_unit_test(safetensors_refuses_headers_that_lie),
        cmocka_unit_test(safetensors_passes_over_tensors_of_other_types),
        cmocka_unit_test(safetensors_reads_a_tensor_or_says_where_the_file_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
