/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/share: which part makes what, and how parts and their files are called. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generator/share.h"

static void parts_together_make_everything_once(void **state)
{
    (void)state;
    static const uint64_t totals[] = {0, 1, 2, 11, 512, 41270, INT32_MAX};
    static const unsigned counts[] = {1, 2, 3, 7, 13, SHARE_MAX};
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            uint64_t at = 0;
            for (unsigned i = 1; i <= counts[c]; i++) {
                const struct share share = {.i = i, .n = counts[c]};
                struct share_range range = share_range(share, totals[t]);
                assert_int_equal(range.begin, at);
                assert_in_range(range.end - range.begin, totals[t] / counts[c],
                                totals[t] / counts[c] + 1);
                at = range.end;
            }
            assert_int_equal(at, totals[t]);
        }
}

static void part_that_holds_something_is_found(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 2, 3, 7, 100, SHARE_MAX};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (uint64_t total = 1; total < 600; total += 7)
            for (uint64_t i = 0; i < total; i++) {
                struct share share = share_holding(counts[c], i, total);
                assert_in_range(share.i, 1, counts[c]);
                assert_in_range(i, share_range(share, total).begin,
                                share_range(share, total).end - 1);
            }
}

static void part_is_said_as_a_fraction(void **state)
{
    (void)state;
    struct share share;
    assert_int_equal(share_parse("2/7", &share, NULL), 0);
    assert_int_equal(share.i, 2);
    assert_int_equal(share.n, 7);
    assert_int_equal(share_parse("512/512", &share, NULL), 0);
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"2", "\"2\" is not I/N"},
        {"", "\"\" is not I/N"},
        {"/", "N is empty; it takes a whole number"},
        {"0/7", "I is 0; it goes from 1 to 7"},
        {"8/7", "I is 8; it goes from 1 to 7"},
        {"1/0", "N is 0; it goes from 1 to 512"},
        {"1/513", "N is 513; it goes from 1 to 512"},
        {"1/2/3", "N takes a whole number"},
        {"-1/2", "I takes a whole number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        assert_true(share_parse(bad[i].text, &share, &why) < 0);
        if (!strstr(why.text, bad[i].words))
            fail_msg("\"%s\": %s", bad[i].text, why.text);
    }
    assert_int_equal(share.n, 512);
}

static void file_is_known_by_its_name(void **state)
{
    (void)state;
    char name[SHARE_NAME_SIZE];
    struct share share = {.i = 12, .n = 512}, again = {0};
    share_file_name(share, name);
    assert_string_equal(name, "splits-12-of-512.part");
    assert_true(share_of_file_name(name, &again));
    assert_int_equal(again.i, 12);
    assert_int_equal(again.n, 512);
    static const char *const others[] = {
        "splits-0-of-2.part",  "splits-3-of-2.part", "splits-1-of-513.part",
        "splits-01-of-2.part", "splits-1-of-2.par",  "splits-1-of-2.part~",
        "splits-1-of-2.parx",  "train.safetensors",  "splits-4294967297-of-4294967298.part",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (share_of_file_name(others[i], &again))
            fail_msg("%s", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_together_make_everything_once),
        cmocka_unit_test(part_that_holds_something_is_found),
        cmocka_unit_test(part_is_said_as_a_fraction),
        cmocka_unit_test(file_is_known_by_its_name),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
