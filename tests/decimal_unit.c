/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/decimal. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/decimal.h"

enum { N_RANDOM = 100000 };

static void check(uint32_t value, char *(*put)(char *at, uint32_t value))
{
    char want[16], got[DECIMAL_U32_MAX + DECIMAL_SLACK + 1];
    memset(got, '#', sizeof got);
    size_t n = (size_t)snprintf(want, sizeof want, "%" PRIu32, value);
    assert_ptr_equal(put(got, value), got + n);
    assert_memory_equal(got, want, n);
    for (size_t i = n + DECIMAL_SLACK; i < sizeof got; i++)
        assert_int_equal(got[i], '#');
}

static void every_number_below_a_million_and_at_each_power_is_as_printf_writes_it(void **state)
{
    (void)state;
    for (uint32_t value = 0; value < 1000; value++)
        check(value, decimal_put_small);
    for (uint32_t value = 0; value < 1000000; value++)
        check(value, decimal_put);
    for (uint64_t power = 1; power <= UINT32_MAX; power *= 10) {
        check((uint32_t)power - 1, decimal_put);
        check((uint32_t)power, decimal_put);
    }
    check(UINT32_MAX, decimal_put);
}

static void any_number_is_as_printf_writes_it(void **state)
{
    (void)state;
    uint32_t value = 1;
    for (unsigned i = 0; i < N_RANDOM; i++) {
        value = value * 1664525 + 1013904223;
        check(value >> (i % 32), decimal_put);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_below_a_million_and_at_each_power_is_as_printf_writes_it),
        cmocka_unit_test(any_number_is_as_printf_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
