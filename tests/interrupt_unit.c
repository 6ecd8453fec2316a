/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/interrupt. A signal that came is never forgotten, so the order of the tests
 * counts. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "generator/interrupt.h"

static int start(void **state)
{
    (void)state;
    interrupt_catch();
    return 0;
}

static void without_a_signal_the_work_goes_on(void **state)
{
    (void)state;
    struct error why = {"untouched"};
    assert_int_equal(interrupt_check(&why), 0);
    assert_string_equal(why.text, "untouched");
}

static void file_that_is_too_long_is_no_reason_to_die(void **state)
{
    (void)state;
    raise(SIGXFSZ);
    assert_int_equal(interrupt_check(NULL), 0);
}

static void each_signal_that_asks_to_stop_is_noticed(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct error why = {""};
        char wanted[64];
        raise(signals[i]);
        assert_int_equal(interrupt_check(&why), -EINTR);
        snprintf(wanted, sizeof wanted, "stopped by signal %d; nothing was written", signals[i]);
        assert_string_equal(why.text, wanted);
        assert_int_equal(interrupt_check(NULL), -EINTR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_signal_the_work_goes_on),
        cmocka_unit_test(file_that_is_too_long_is_no_reason_to_die),
        cmocka_unit_test(each_signal_that_asks_to_stop_is_noticed),
    };
    return cmocka_run_group_tests_name("interrupt", tests, start, NULL);
}
