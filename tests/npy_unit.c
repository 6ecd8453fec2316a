/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/npy: headers, byte for byte as NumPy writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/npy.h"

/* np.save() of np.zeros(dims, descr), up to the spaces before the newline: since 1.23 NumPy leaves
 * more of them than the format asks for. */
static const struct {
    const char *descr;
    unsigned n_dims;
    uint64_t dims[4];
    const char *text;
    size_t size;
} rows[] = {
    {"'|u1'", 0, {0}, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", 128},
    {"'|u1'", 1, {3}, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", 128},
    {"'<f4'", 2, {2, 3}, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 128},
    {"'|u1'",
     4,
     {300, 2, 34, 34},
     "{'descr': '|u1', 'fortran_order': False, 'shape': (300, 2, 34, 34), }",
     128},
    {npy_event_descr,
     1,
     {0},
     "{'descr': [('x', '|u1'), ('y', '|u1'), ('t', '<u4'), ('p', '|u1')], 'fortran_order': "
     "False, 'shape': (0,), }",
     128},
};

static void check_header(const char *header, size_t size, const char *text)
{
    enum { PREFIX = 10 };
    assert_memory_equal(header, "\x93NUMPY\x01\x00", 8);
    assert_int_equal((uint8_t)header[8] | (uint8_t)header[9] << 8, size - PREFIX);
    assert_memory_equal(header + PREFIX, text, strlen(text));
    for (size_t i = PREFIX + strlen(text); i + 1 < size; i++)
        assert_int_equal(header[i], ' ');
    assert_int_equal(header[size - 1], '\n');
}

static void header_is_the_one_that_numpy_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[NPY_HEADER_MAX];
        memset(header, '#', sizeof header);
        size_t size = npy_header(header, rows[i].descr, rows[i].dims, rows[i].n_dims);
        assert_int_equal(size, rows[i].size);
        check_header(header, size, rows[i].text);
    }
}

/* The length of the text moves across the multiple of 64: always one newline, then the data. */
static void header_of_any_length_ends_on_a_multiple_of_64(void **state)
{
    (void)state;
    char descr[128] = "", text[256];
    for (size_t n = 0; n < 100; n++) {
        char header[NPY_HEADER_MAX];
        memset(descr, 'x', n);
        snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': False, 'shape': (1,), }",
                 descr);
        size_t size = npy_header(header, descr, (const uint64_t[]){1}, 1);
        assert_int_equal(size % 64, 0);
        assert_true(size < 10 + strlen(text) + 1 + 64);
        check_header(header, size, text);
    }
}

static void header_of_the_longest_numbers_fits(void **state)
{
    (void)state;
    char header[NPY_HEADER_MAX];
    const uint64_t dims[] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    assert_in_range(npy_header(header, npy_event_descr, dims, 4), 64, NPY_HEADER_MAX);
}

static void events_are_structs_of_seven_bytes(void **state)
{
    (void)state;
    uint8_t packed[2 * EVENT_BYTES], got[2 * NPY_EVENT_BYTES];
    event_pack((struct event){.t_us = 0x010203, .x = 4, .y = 5, .p = 1}, packed);
    event_pack((struct event){.t_us = EVENT_T_MAX, .x = 33, .y = 0, .p = 0}, packed + EVENT_BYTES);
    npy_events(packed, 2, got);
    static const uint8_t want[] = {4, 5, 3, 2, 1, 0, 1, 33, 0, 0xff, 0xff, 0x7f, 0, 0};
    assert_memory_equal(got, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_the_one_that_numpy_writes),
        cmocka_unit_test(header_of_any_length_ends_on_a_multiple_of_64),
        cmocka_unit_test(header_of_the_longest_numbers_fits),
        cmocka_unit_test(events_are_structs_of_seven_bytes),
    };
    return cmocka_run_group_tests_name("npy", tests, NULL, NULL);
}
