/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/watchdog: one loop that hangs is enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/watchdog.h"

static void watchdog_is_fed_while_every_loop_turns(void **state)
{
    (void)state;
    const uint64_t turned_ms[] = {10000, 7000, 9999};
    assert_true(watchdog_all_fresh(turned_ms, 3, 10000, 3000));
    assert_true(watchdog_all_fresh(turned_ms, 3, 9000, 3000)); /* one turned since `now` was read */
}

static void watchdog_is_not_fed_where_one_loop_hangs_whichever(void **state)
{
    (void)state;
    for (unsigned hung = 0; hung < 3; hung++) {
        uint64_t turned_ms[] = {10000, 10000, 10000};
        turned_ms[hung] = 6999;
        assert_false(watchdog_all_fresh(turned_ms, 3, 10000, 3000));
    }
}

static void watchdog_limit_is_half_the_time_but_longer_than_a_turn(void **state)
{
    (void)state;
    assert_int_equal(watchdog_limit_ms(30000), 15000);
    assert_int_equal(watchdog_limit_ms(1000), 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchdog_is_fed_while_every_loop_turns),
        cmocka_unit_test(watchdog_is_not_fed_where_one_loop_hangs_whichever),
        cmocka_unit_test(watchdog_limit_is_half_the_time_but_longer_than_a_turn),
    };
    return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
