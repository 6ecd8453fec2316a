/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/cursor. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/cursor.h"
#include "common/crc32c.h"

enum { SIZE = 512 }; /* TNM_CURSOR_SIZE */

static struct cursor largest(void)
{
    struct cursor cursor = {.kind = CURSOR_PAIRS,
                            .form = UINT64_C(0xffffffff02),
                            .timestep_us = 1000000,
                            .seed = UINT64_MAX,
                            .epoch = UINT32_MAX,
                            .size = UINT32_MAX,
                            .last = 2,
                            .next = UINT64_MAX};
    memset(cursor.split, 's', WIRE_NAME_MAX);
    memset(cursor.revision, 'f', CURSOR_REVISION_DIGITS);
    return cursor;
}

static void cursor_reads_what_it_wrote(void **state)
{
    (void)state;
    struct cursor cursor = largest(), again;
    struct error why;
    char text[SIZE];
    assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
    assert_int_equal(cursor_read(text, &again, &why), 0);
    assert_memory_equal(&again, &cursor, sizeof cursor);
}

static void cursor_of_a_part_names_it(void **state)
{
    (void)state;
    struct cursor cursor = largest(), again;
    struct error why;
    char text[SIZE], other[SIZE];
    for (cursor.kind = CURSOR_PART; cursor.kind <= CURSOR_LIST; cursor.kind++) {
        cursor.part = UINT64_MAX;
        assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
        assert_int_equal(cursor_read(text, &again, &why), 0);
        assert_memory_equal(&again, &cursor, sizeof cursor);
        cursor.part = 1;
        assert_int_equal(cursor_write(&cursor, other, sizeof other), 0);
        assert_string_not_equal(text, other);
    }
}

static void cursor_of_a_view_says_its_words(void **state)
{
    (void)state;
    struct cursor cursor = largest(), again;
    struct error why;
    char text[SIZE], other[SIZE];
    cursor.kind = CURSOR_VIEW;
    cursor.part = 7;
    assert_int_equal(cursor_write(&cursor, other, sizeof other), 0);
    strcpy(cursor.view, "kind=pair&any=3,8");
    assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
    assert_non_null(strstr(text, ":7:kind=pair&any=3,8:"));
    assert_string_not_equal(text, other);
    memset(cursor.view, 'v', CURSOR_VIEW_MAX);
    assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
    assert_int_equal(cursor_read(text, &again, &why), 0);
    assert_memory_equal(&again, &cursor, sizeof cursor);
    cursor.kind = CURSOR_LIST; /* has none */
    assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
    assert_int_equal(cursor_read(text, &again, &why), 0);
    assert_string_equal(again.view, "");
}

static void cursor_needs_room(void **state)
{
    (void)state;
    struct cursor cursor = largest();
    char text[SIZE];
    assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
    size_t length = strlen(text);
    memset(text, 'x', sizeof text);
    assert_int_equal(cursor_write(&cursor, text, length), -ENOBUFS);
    assert_int_equal(text[0], 'x');
    assert_int_equal(cursor_write(&cursor, text, length + 1), 0);
}

static void cursor_refuses_every_changed_byte(void **state)
{
    (void)state;
    struct cursor cursor = largest(), untouched = {.seed = 7};
    struct error why;
    char text[SIZE];
    assert_int_equal(cursor_write(&cursor, text, sizeof text), 0);
    for (size_t i = 0; text[i]; i++) {
        char kept = text[i];
        text[i] ^= 1;
        assert_int_equal(cursor_read(text, &untouched, &why), -EINVAL);
        text[i] = kept;
    }
    assert_int_equal(untouched.seed, 7);
}

static void cursor_refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ":",
        "tnm1",
        "tnm1:epoch:train:0",
        "tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:31",
        "tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:31:00000000",
    };
    char longer[1000];
    struct cursor cursor;
    struct error why;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(cursor_read(texts[i], &cursor, &why), -EINVAL);
        assert_non_null(strstr(why.text, "is no cursor"));
    }
    memset(longer, ':', sizeof longer);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(cursor_read(longer, &cursor, &why), -EINVAL);
    assert_int_equal(cursor_read(NULL, &cursor, &why), -EINVAL);
}

/* Texts with the right sum that nothing writes. */
static void cursor_refuses_what_it_would_write_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int r;
    } cases[] = {
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:31", 0},
        {"tnm2:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:31", -EINVAL},
        {"tnm1:epochs:train@86c0c942e344c35b:0:0:5:2:16:0:31", -EINVAL},
        {"tnm1::train@86c0c942e344c35b:0:0:5:2:16:0:31", -EINVAL},
        {"tnm1:epoch:train:0:0:5:2:16:0:31", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35:0:0:5:2:16:0:31", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b0:0:0:5:2:16:0:31", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:31:1", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:031", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:-1", -EINVAL},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:18446744073709551615", 0},
        {"tnm1:epoch:train@86c0c942e344c35b:0:0:5:2:16:0:18446744073709551616", -EINVAL},
        {"tnm1:epoch:ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss@"
         "86c0c942e344c35b:0:0:5:2:16:0:31",
         -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cursor cursor;
        struct error why;
        char text[SIZE];
        snprintf(text, sizeof text, "%s:%08x", cases[i].text,
                 crc32c(0, cases[i].text, strlen(cases[i].text)));
        assert_int_equal(cursor_read(text, &cursor, &why), cases[i].r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_reads_what_it_wrote),
        cmocka_unit_test(cursor_of_a_part_names_it),
        cmocka_unit_test(cursor_of_a_view_says_its_words),
        cmocka_unit_test(cursor_needs_room),
        cmocka_unit_test(cursor_refuses_every_changed_byte),
        cmocka_unit_test(cursor_refuses_what_is_none),
        cmocka_unit_test(cursor_refuses_what_it_would_write_otherwise),
    };
    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
