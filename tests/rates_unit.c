/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/rates, with a clock of their own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/rates.h"
#include "tests/scarce.h"

enum { ALICE = 1, BOB = 2, S = 1000 };

static struct rates *new_rates(uint64_t requests, uint64_t bytes)
{
    struct rates *rates;
    const uint64_t per_second[N_RATES] = {[RATE_REQUESTS] = requests, [RATE_BYTES] = bytes};
    assert_int_equal(rates_new(per_second, &rates, NULL), 0);
    return rates;
}

/* How many of `n` requests are let in. */
static unsigned admit(struct rates *rates, uint64_t address, unsigned n, uint64_t now_ms)
{
    unsigned admitted = 0;
    struct rates_refusal refusal;
    for (unsigned i = 0; i < n; i++)
        admitted += rates_admit(rates, address, now_ms, &refusal);
    return admitted;
}

static void without_a_limit_nobody_waits_and_nothing_is_kept(void **state)
{
    (void)state;
    struct rates *rates = new_rates(0, 0);
    assert_int_equal(admit(rates, ALICE, 100000, 0), 100000);
    rates_charge(rates, ALICE, UINT32_MAX, 0);
    assert_int_equal(rates_n_addresses(rates), 0);
    rates_free(rates);
}

static void an_address_may_have_a_window_at_once_and_then_gets_it_back_evenly(void **state)
{
    (void)state;
    struct rates *rates = new_rates(3, 0);
    struct rates_refusal refusal;
    assert_int_equal(admit(rates, ALICE, 100, 50 * S), 3 * RATES_WINDOW_S);
    assert_false(rates_admit(rates, ALICE, 50 * S, &refusal));
    assert_int_equal(refusal.rate, RATE_REQUESTS);
    assert_int_equal(refusal.quota, 3 * RATES_WINDOW_S);
    assert_int_equal(refusal.wait_s, 1);
    assert_int_equal(admit(rates, BOB, 100, 50 * S), 3 * RATES_WINDOW_S);
    assert_int_equal(admit(rates, ALICE, 100, 50 * S + 333), 0);
    assert_int_equal(admit(rates, ALICE, 100, 50 * S + 334), 1);
    assert_int_equal(admit(rates, ALICE, 100, 52 * S), 5);
    assert_int_equal(admit(rates, ALICE, 100, 900 * S), 3 * RATES_WINDOW_S);
    rates_free(rates);
}

static void a_large_answer_is_a_debt(void **state)
{
    (void)state;
    struct rates *rates = new_rates(0, 100);
    struct rates_refusal refusal;
    assert_true(rates_admit(rates, ALICE, 0, &refusal));
    rates_charge(rates, ALICE, 100 * RATES_WINDOW_S + 2000, 0);
    assert_false(rates_admit(rates, ALICE, 0, &refusal));
    assert_int_equal(refusal.rate, RATE_BYTES);
    assert_int_equal(refusal.quota, 100 * RATES_WINDOW_S);
    assert_int_equal(refusal.wait_s, 21); /* and one byte */
    assert_false(rates_admit(rates, ALICE, 20 * S, &refusal));
    assert_int_equal(refusal.wait_s, 1);
    assert_true(rates_admit(rates, ALICE, 20 * S + 10, &refusal));
    assert_true(rates_admit(rates, BOB, 0, &refusal));
    rates_free(rates);
}

static void numbers_as_large_as_settings_allow_do_not_wrap(void **state)
{
    (void)state;
    struct rates *rates = new_rates(1000000, UINT64_C(1099511627776));
    struct rates_refusal refusal;
    assert_true(rates_admit(rates, ALICE, 0, &refusal));
    for (int i = 0; i < 1000; i++)
        rates_charge(rates, ALICE, UINT64_C(1) << 40, 0);
    assert_false(rates_admit(rates, ALICE, 0, &refusal));
    assert_int_equal(refusal.wait_s, 1000 - RATES_WINDOW_S + 1);
    assert_true(rates_admit(rates, ALICE, UINT64_MAX / 2, &refusal));
    rates_free(rates);
}

static void a_clock_that_goes_back_gives_nothing_and_takes_nothing(void **state)
{
    (void)state;
    struct rates *rates = new_rates(1, 0);
    assert_int_equal(admit(rates, ALICE, 100, 500 * S), RATES_WINDOW_S);
    assert_int_equal(admit(rates, ALICE, 100, 1 * S), 0);
    assert_int_equal(admit(rates, ALICE, 100, 501 * S), 1);
    rates_free(rates);
}

/* Whoever comes by sweeps out those of his chain who have been away. */
static void addresses_are_forgotten_when_nothing_is_held_against_them(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct rates *rates = new_rates(1, 1);
    struct rates_refusal refusal;
    for (uint64_t address = 0; address < MANY; address++)
        assert_true(rates_admit(rates, address, 0, &refusal));
    assert_true(rates_n_addresses(rates) < MANY);
    for (uint64_t address = 0; address < MANY; address++)
        rates_admit(rates, MANY + address % 10000, 100 * S, &refusal);
    assert_true(rates_n_addresses(rates) <= 10000);
    rates_free(rates);
}

static int make(void *user, struct error *why)
{
    (void)user;
    const uint64_t per_second[N_RATES] = {1, 1};
    struct rates *rates;
    struct rates_refusal refusal;
    int r = rates_new(per_second, &rates, why);
    if (r < 0)
        return r;
    assert_true(rates_admit(rates, ALICE, 0, &refusal)); /* with memory or without */
    bool known = rates_n_addresses(rates) == 1;
    rates_free(rates);
    return known ? 0 : error_set(why, -ENOMEM, "not counted");
}

static void without_memory_nobody_is_kept_out(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(make, NULL), 2);
    rates_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_nobody_waits_and_nothing_is_kept),
        cmocka_unit_test(an_address_may_have_a_window_at_once_and_then_gets_it_back_evenly),
        cmocka_unit_test(a_large_answer_is_a_debt),
        cmocka_unit_test(numbers_as_large_as_settings_allow_do_not_wrap),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing_and_takes_nothing),
        cmocka_unit_test(addresses_are_forgotten_when_nothing_is_held_against_them),
        cmocka_unit_test(without_memory_nobody_is_kept_out),
    };
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
