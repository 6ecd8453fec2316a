/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/error: the reason behind a code. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"

static void error_set_returns_the_code_and_keeps_the_words(void **state)
{
    (void)state;
    struct error why = {""};
    assert_int_equal(error_set(&why, -EBADMSG, "event %d of %s", 7, "a.bin"), -EBADMSG);
    assert_string_equal(why.text, "event 7 of a.bin");
}

static void error_set_takes_null(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, -ENOENT, "nobody reads this"), -ENOENT);
    assert_int_equal(error_prefix(NULL, -ENOENT, "nor this"), -ENOENT);
}

static void error_prefix_puts_the_place_before_the_reason(void **state)
{
    (void)state;
    struct error why = {""};
    error_set(&why, -EBADMSG, "header too long");
    assert_int_equal(error_prefix(&why, -EBADMSG, "%s", "train.safetensors"), -EBADMSG);
    assert_string_equal(why.text, "train.safetensors: header too long");
}

static void error_cuts_what_is_too_long(void **state)
{
    (void)state;
    char text[2 * sizeof(struct error)];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct error why = {""};
    error_set(&why, -EINVAL, "%s", text);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
    error_prefix(&why, -EINVAL, "place");
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
    assert_memory_equal(why.text, "place: aaa", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_set_returns_the_code_and_keeps_the_words),
        cmocka_unit_test(error_set_takes_null),
        cmocka_unit_test(error_prefix_puts_the_place_before_the_reason),
        cmocka_unit_test(error_cuts_what_is_too_long),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
