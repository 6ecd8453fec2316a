/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/cpu: a limit lowers the level in use, and never raises it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cpu.h"

static void cpu_level_is_one_of_the_levels(void **state)
{
    (void)state;
    assert_in_range(cpu_level(), CPU_PORTABLE, CPU_LEVELS - 1);
}

static void cpu_limit_is_kept_to(void **state)
{
    (void)state;
    enum cpu_level best = cpu_level();
    for (enum cpu_level most = CPU_PORTABLE; most < CPU_LEVELS; most++) {
        cpu_limit(most);
        assert_int_equal(cpu_level(), most < best ? most : best);
    }
    assert_int_equal(cpu_level(), best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_level_is_one_of_the_levels),
        cmocka_unit_test(cpu_limit_is_kept_to),
    };
    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
