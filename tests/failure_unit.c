/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/failure. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/failure.h"
#include "client/twonmnist.h"

static void a_failure_is_kept_until_the_next(void **state)
{
    (void)state;
    const struct error why = {.text = "the first"};
    assert_string_equal(tnm_last_error(), "");
    assert_int_equal(failure_keep(-ENOENT, &why), -ENOENT);
    assert_string_equal(tnm_last_error(), "the first");
    assert_int_equal(failure_set(-EINVAL, "the %s, %d", "second", 2), -EINVAL);
    assert_string_equal(tnm_last_error(), "the second, 2");
    assert_int_equal(failure_set(-EINVAL, "%s", ""), -EINVAL);
    assert_string_equal(tnm_last_error(), "");
}

static void *other_thread(void *user)
{
    char *seen = user;
    strcpy(seen, tnm_last_error());
    failure_set(-EINVAL, "of the other thread");
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    char seen[sizeof((struct error *)0)->text] = "?";
    pthread_t thread;
    failure_set(-EINVAL, "of this thread");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, seen), 0);
    pthread_join(thread, NULL);
    assert_string_equal(seen, "");
    assert_string_equal(tnm_last_error(), "of this thread");
}

static void what_servers_say_cannot_reach_the_terminal(void **state)
{
    (void)state;
    static const char bad[] = "a\x1b[31mb\r\nc\x7f";
    struct error why;
    strcpy(why.text, bad);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            failure_keep(-EPROTO, &why);
        else
            failure_set(-EPROTO, "%s", bad);
        for (const char *at = tnm_last_error(); *at; at++)
            assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
        assert_int_equal(tnm_last_error()[0], 'a');
    }
}

static void a_text_that_is_cut_stays_utf_8(void **state)
{
    (void)state;
    enum { SIZE = sizeof((struct error *)0)->text };
    char longer[SIZE + 3];
    for (int odd = 0; odd < 2; odd++) { /* of two-byte letters, cut between them and within one */
        memset(longer, 'x', sizeof longer);
        for (size_t i = (size_t)odd; i + 1 < sizeof longer; i += 2)
            memcpy(longer + i, "\xc3\xa4", 2);
        longer[sizeof longer - 1] = 0;
        failure_set(-EPROTO, "%s", longer);
        const char *text = tnm_last_error();
        size_t length = strlen(text);
        assert_in_range(length, SIZE - 4, SIZE - 1);
        assert_int_not_equal((unsigned char)text[length - 1], 0xc3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_kept_until_the_next),
        cmocka_unit_test(each_thread_has_its_own),
        cmocka_unit_test(what_servers_say_cannot_reach_the_terminal),
        cmocka_unit_test(a_text_that_is_cut_stays_utf_8),
    };
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
