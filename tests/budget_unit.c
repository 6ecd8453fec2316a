/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/budget. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/samples/budget.h"

static void claims_are_granted_up_to_the_limit(void **state)
{
    (void)state;
    budget_set(100, 100);
    assert_true(budget_claim(1, 60));
    assert_false(budget_claim(2, 41));
    assert_true(budget_claim(2, 40));
    assert_int_equal(budget_used(), 100);
    assert_false(budget_claim(3, 1));
    assert_true(budget_claim(3, 0));
    budget_return(1, 60);
    assert_int_equal(budget_used(), 40);
    assert_true(budget_claim(3, 60));
    budget_return(2, 40);
    budget_return(3, 60);
    budget_return(3, 0);
    assert_int_equal(budget_used(), 0);
}

static void one_address_gets_its_share_and_the_others_the_rest(void **state)
{
    (void)state;
    budget_set(100, 30);
    assert_false(budget_claim(1, 31));
    assert_true(budget_claim(1, 20));
    assert_false(budget_claim(1, 11));
    assert_true(budget_claim(1, 10));
    assert_false(budget_claim(1, 1));
    assert_int_equal(budget_used(), 30);
    assert_true(budget_claim(2, 30));
    assert_true(budget_claim(3, 30));
    assert_false(budget_claim(4, 11));
    assert_true(budget_claim(4, 10));
    /* What the whole refused is not held against the address. */
    budget_return(3, 30);
    assert_true(budget_claim(4, 20));
    assert_false(budget_claim(4, 1));
    budget_return(1, 30);
    budget_return(2, 30);
    budget_return(4, 30);
    assert_int_equal(budget_used(), 0);
    assert_true(budget_claim(1, 30));
    budget_return(1, 30);
}

static void sizes_near_2_64_do_not_wrap(void **state)
{
    (void)state;
    budget_set(100, 50);
    assert_true(budget_claim(1, 50));
    assert_false(budget_claim(1, UINT64_MAX));
    assert_false(budget_claim(2, UINT64_MAX - 49));
    budget_set(UINT64_MAX, UINT64_MAX);
    assert_false(budget_claim(1, UINT64_MAX - 49));
    assert_true(budget_claim(1, UINT64_MAX - 50));
    assert_false(budget_claim(2, 1));
    budget_return(1, UINT64_MAX - 50);
    budget_return(1, 50);
    assert_int_equal(budget_used(), 0);
}

static void addresses_side_by_side_have_shares_of_their_own(void **state)
{
    (void)state;
    enum { N = 256 };
    budget_set(UINT64_MAX, 1);
    unsigned granted = 0;
    bool has[N];
    for (uint64_t address = 0; address < N; address++)
        granted += has[address] = budget_claim(UINT64_C(0xC0A80000) + address, 1);
    /* A few may fall together; a hash that put many together would show here. */
    assert_in_range(granted, N - N / 16, N);
    for (uint64_t address = 0; address < N; address++)
        if (has[address])
            budget_return(UINT64_C(0xC0A80000) + address, 1);
    assert_int_equal(budget_used(), 0);
}

enum { N_THREADS = 8, ROUNDS = 20000, LIMIT = 40 };

static void *claim_and_return(void *user)
{
    atomic_bool *exceeded = user;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t bytes = 1 + i % 7;
        if (!budget_claim(i % 3, bytes))
            continue;
        if (budget_used() > LIMIT)
            atomic_store(exceeded, true);
        budget_return(i % 3, bytes);
    }
    return NULL;
}

static void threads_never_have_more_than_the_limit(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    atomic_bool exceeded = false;
    budget_set(LIMIT, LIMIT / 2);
    for (unsigned i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claim_and_return, &exceeded), 0);
    for (unsigned i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(atomic_load(&exceeded));
    assert_int_equal(budget_used(), 0);
    for (uint64_t address = 0; address < 3; address++) {
        assert_true(budget_claim(address, LIMIT / 2));
        budget_return(address, LIMIT / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_granted_up_to_the_limit),
        cmocka_unit_test(one_address_gets_its_share_and_the_others_the_rest),
        cmocka_unit_test(sizes_near_2_64_do_not_wrap),
        cmocka_unit_test(addresses_side_by_side_have_shares_of_their_own),
        cmocka_unit_test(threads_never_have_more_than_the_limit),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
