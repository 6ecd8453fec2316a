/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/range.h"

enum { SIZE = 1000 };

static void check_part(const char *header, uint64_t size, uint64_t first, uint64_t last)
{
    uint64_t got_first = 7, got_last = 7;
    enum range_result result = range_parse(header, size, &got_first, &got_last);
    if (result != RANGE_PART || got_first != first || got_last != last)
        fail_msg("\"%s\" is %d, %ju to %ju", header, (int)result, (uintmax_t)got_first,
                 (uintmax_t)got_last);
}

static void check_no_part(const char *header, uint64_t size, enum range_result result)
{
    uint64_t first = 7, last = 8;
    enum range_result got = range_parse(header, size, &first, &last);
    if (got != result)
        fail_msg("\"%s\" is %d", header ? header : "(no header)", (int)got);
    assert_int_equal(first, 7);
    assert_int_equal(last, 8);
}

static void one_range_is_cut_at_the_end_of_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint64_t first, last;
    } cases[] = {
        {"bytes=0-0", 0, 0},
        {"bytes=0-999", 0, 999},
        {"bytes=5-", 5, 999},
        {"bytes=999-", 999, 999},
        {"bytes=999-1000", 999, 999},
        {"bytes=0-18446744073709551615", 0, 999},
        {"bytes=0-18446744073709551616", 0, 999},
        {"bytes=3-99999999999999999999999", 3, 999},
        {"bytes=007-0010", 7, 10},
        {"BYTES=1-2", 1, 2},
        {"Bytes=1-2", 1, 2},
        {"bytes= 1-2", 1, 2},
        {"bytes=\t1-2", 1, 2},
        {"bytes=1-2 ", 1, 2},
        {"bytes=1-2 \t", 1, 2},
        {"bytes=1- ", 1, 999},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_part(cases[i].header, SIZE, cases[i].first, cases[i].last);
    check_part("bytes=0-", UINT64_MAX, 0, UINT64_MAX - 1);
}

static void a_suffix_counts_from_the_end(void **state)
{
    (void)state;
    check_part("bytes=-1", SIZE, 999, 999);
    check_part("bytes=-999", SIZE, 1, 999);
    check_part("bytes=-1000", SIZE, 0, 999);
    check_part("bytes=-1001", SIZE, 0, 999);
    check_part("bytes=-99999999999999999999", SIZE, 0, 999);
    check_part("bytes=-5 ", SIZE, 995, 999);
    check_no_part("bytes=-0", SIZE, RANGE_OUTSIDE);
    check_no_part("bytes=-000", SIZE, RANGE_OUTSIDE);
}

static void a_range_past_the_end_is_outside(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "bytes=1000-",
        "bytes=1000-1001",
        "bytes=1000-1000 ",
        "bytes=18446744073709551615-",
        "bytes=18446744073709551616-",
        "bytes=99999999999999999999-",
        "bytes=99999999999999999999-99999999999999999999",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        check_no_part(headers[i], SIZE, RANGE_OUTSIDE);
}

static void an_empty_file_has_no_part(void **state)
{
    (void)state;
    check_no_part("bytes=0-", 0, RANGE_OUTSIDE);
    check_no_part("bytes=0-0", 0, RANGE_OUTSIDE);
    check_no_part("bytes=-5", 0, RANGE_OUTSIDE);
}

static void what_is_not_one_range_of_bytes_is_ignored(void **state)
{
    (void)state;
    static const char *const headers[] = {
        NULL,         "",           "bytes",         "bytes=",      "bytes=-",     "bytes= - ",
        "bytes=5",    "bytes=5-3",  "bytes=0-1,4-5", "bytes=0-1,",  "bytes=,0-1",  "bytes=0-1, 4-5",
        "lines=0-1",  "byte=0-1",   "bytes =0-1",    " bytes=0-1",  "bytes=a-5",   "bytes=0-b",
        "bytes=+1-2", "bytes=--5",  "bytes=1--5",    "bytes=1-2-3", "bytes=0x1-2", "bytes=1 -2",
        "bytes=1- 2", "bytes=1 2-", "bytes=1-2 x",   "bytes=1.5-2", "bytes=-a",    "bytes=-1-",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        check_no_part(headers[i], SIZE, RANGE_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_cut_at_the_end_of_the_file),
        cmocka_unit_test(a_suffix_counts_from_the_end),
        cmocka_unit_test(a_range_past_the_end_is_outside),
        cmocka_unit_test(an_empty_file_has_no_part),
        cmocka_unit_test(what_is_not_one_range_of_bytes_is_ignored),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
