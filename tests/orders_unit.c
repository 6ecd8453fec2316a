/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/orders. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/order.h"
#include "server/samples/orders.h"

enum { LONGEST_MADE = 1 << 16 };

/* Orders that are there for their size alone are left as malloc() gave them: making them would
 * take seconds. */
void __real_order_epoch(uint32_t seed, uint32_t epoch, uint32_t n, uint32_t *ret);
void __wrap_order_epoch(uint32_t seed, uint32_t epoch, uint32_t n, uint32_t *ret);
void __wrap_order_epoch(uint32_t seed, uint32_t epoch, uint32_t n, uint32_t *ret)
{
    if (n <= LONGEST_MADE)
        __real_order_epoch(seed, epoch, n, ret);
}

static int open_orders(void **state)
{
    struct orders *orders;
    if (orders_new(&orders) < 0)
        return -1;
    *state = orders;
    return 0;
}

static int close_orders(void **state)
{
    orders_free(*state);
    return 0;
}

static struct order *borrow(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    struct order *order = NULL;
    assert_int_equal(orders_borrow(orders, seed, epoch, n, &order), 0);
    assert_non_null(order);
    return order;
}

static void use(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    orders_return(borrow(orders, seed, epoch, n));
}

static void an_order_is_the_permutation_of_its_epoch(void **state)
{
    static const uint32_t cases[][3] = {{0, 0, 1}, {3, 9, 100}, {UINT32_MAX, UINT32_MAX, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t want[1000], n = cases[i][2];
        order_epoch(cases[i][0], cases[i][1], n, want);
        for (int again = 0; again < 2; again++) {
            struct order *order = borrow(*state, cases[i][0], cases[i][1], n);
            assert_memory_equal(order_positions(order), want, n * sizeof *want);
            orders_return(order);
        }
    }
}

static void seed_epoch_and_length_all_tell_orders_apart(void **state)
{
    struct orders *orders = *state;
    assert_false(orders_has(orders, 1, 2, 30));
    struct order *order = borrow(orders, 1, 2, 30);
    assert_true(orders_has(orders, 1, 2, 30));
    assert_false(orders_has(orders, 2, 2, 30));
    assert_false(orders_has(orders, 1, 1, 30));
    assert_false(orders_has(orders, 1, 2, 31));
    struct order *again = borrow(orders, 1, 2, 30), *other = borrow(orders, 2, 1, 30);
    assert_ptr_equal(again, order);
    assert_ptr_not_equal(other, order);
    orders_return(order);
    orders_return(again);
    orders_return(other);
    orders_return(NULL);
}

static void an_order_of_nothing_is_empty(void **state)
{
    use(*state, 0, 0, 0);
    assert_true(orders_has(*state, 0, 0, 0));
}

static void what_was_not_used_for_longest_goes_first(void **state)
{
    struct orders *orders = *state;
    enum { MANY = 1000 };
    struct order *held = borrow(orders, 7, 0, 3);
    for (uint32_t epoch = 1; epoch < MANY; epoch++) {
        use(orders, 7, epoch, 3);
        assert_true(orders_has(orders, 7, 1, 3)); /* and so it was used */
    }
    assert_false(orders_has(orders, 7, 0, 3));
    assert_false(orders_has(orders, 7, 2, 3));
    assert_true(orders_has(orders, 7, MANY - 1, 3));
    assert_true(orders_has(orders, 7, MANY - 2, 3));
    uint32_t want[3];
    order_epoch(7, 0, 3, want);
    assert_memory_equal(order_positions(held), want, sizeof want);
    orders_return(held);
}

static void the_cache_holds_a_bounded_number_of_bytes(void **state)
{
    struct orders *orders = *state;
    enum { QUARTER = ORDERS_MAX_BYTES / 4 / sizeof(uint32_t) };
    for (uint32_t epoch = 0; epoch < 4; epoch++)
        use(orders, 1, epoch, QUARTER);
    for (uint32_t epoch = 0; epoch < 4; epoch++)
        assert_true(orders_has(orders, 1, epoch, QUARTER));
    use(orders, 1, 4, 1);
    assert_false(orders_has(orders, 1, 0, QUARTER));
    assert_true(orders_has(orders, 1, 1, QUARTER));
    assert_true(orders_has(orders, 1, 4, 1));
}

static void an_order_past_the_bound_is_alone_until_the_next_comes(void **state)
{
    struct orders *orders = *state;
    enum { TOO_MANY = ORDERS_MAX_BYTES / sizeof(uint32_t) + 1 };
    use(orders, 1, 0, 5);
    use(orders, 1, 1, TOO_MANY);
    assert_true(orders_has(orders, 1, 1, TOO_MANY));
    assert_false(orders_has(orders, 1, 0, 5));
    use(orders, 1, 0, 5);
    assert_true(orders_has(orders, 1, 0, 5));
    assert_false(orders_has(orders, 1, 1, TOO_MANY));
}

enum { N_THREADS = 8, ROUNDS = 30, LONG = 5000 };

struct race {
    struct orders *orders;
    pthread_barrier_t barrier;
    struct order *taken[N_THREADS];
};

struct runner {
    struct race *race;
    unsigned place;
};

static void *take_each_epoch(void *user)
{
    struct runner *runner = user;
    struct race *race = runner->race;
    void *fault = NULL;
    for (uint32_t epoch = 0; epoch < ROUNDS; epoch++) {
        pthread_barrier_wait(&race->barrier);
        if (orders_borrow(race->orders, 1, epoch, LONG, &race->taken[runner->place]) < 0)
            abort();
        pthread_barrier_wait(&race->barrier);
        if (race->taken[runner->place] != race->taken[0])
            fault = "two threads were given two orders of one epoch";
        pthread_barrier_wait(&race->barrier);
        orders_return(race->taken[runner->place]);
    }
    return fault;
}

static void threads_that_miss_at_once_share_one_order(void **state)
{
    struct race race = {.orders = *state};
    struct runner runners[N_THREADS];
    pthread_t threads[N_THREADS];
    assert_int_equal(pthread_barrier_init(&race.barrier, NULL, N_THREADS), 0);
    for (unsigned i = 0; i < N_THREADS; i++) {
        runners[i] = (struct runner){.race = &race, .place = i};
        assert_int_equal(pthread_create(&threads[i], NULL, take_each_epoch, &runners[i]), 0);
    }
    for (unsigned i = 0; i < N_THREADS; i++) {
        void *fault;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        assert_null(fault);
    }
    pthread_barrier_destroy(&race.barrier);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_orders, close_orders)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_the_permutation_of_its_epoch),
        TEST(seed_epoch_and_length_all_tell_orders_apart),
        TEST(an_order_of_nothing_is_empty),
        TEST(what_was_not_used_for_longest_goes_first),
        TEST(the_cache_holds_a_bounded_number_of_bytes),
        TEST(an_order_past_the_bound_is_alone_until_the_next_comes),
        TEST(threads_that_miss_at_once_share_one_order),
    };
    return cmocka_run_group_tests_name("orders", tests, NULL, NULL);
}
