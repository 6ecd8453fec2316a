/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/order: epochs against NumPy, and every share of every small epoch against the
 * list that it is a slice of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/order.h"

enum { N_MAX = 9, SIZE_MAX_TRIED = 12, WORLD_MAX = 4, ROOM = N_MAX + SIZE_MAX_TRIED };

/* RandomState([seed, epoch]).permutation(10) */
static void epoch_is_the_permutation_of_numpy(void **state)
{
    (void)state;
    static const struct {
        uint32_t seed, epoch, want[10];
    } rows[] = {
        {42, 0, {5, 0, 6, 4, 2, 7, 3, 1, 8, 9}},
        {42, 1, {3, 1, 2, 9, 5, 0, 6, 8, 7, 4}},
        {0, UINT32_MAX, {7, 3, 0, 1, 8, 6, 9, 4, 5, 2}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t got[10];
        order_epoch(rows[i].seed, rows[i].epoch, 10, got);
        assert_memory_equal(got, rows[i].want, sizeof got);
    }
}

static void epoch_of_no_samples_is_empty(void **state)
{
    (void)state;
    uint32_t untouched = 7;
    order_epoch(1, 2, 0, &untouched);
    assert_int_equal(untouched, 7);
}

/* The whole epoch as a list of positions, and how many global batches it is cut into. */
static uint64_t define(uint64_t n, uint64_t size, enum order_last last, uint64_t ret[ROOM],
                       uint64_t *ret_length)
{
    uint64_t length = n;
    if (last == ORDER_DROP)
        while (length % size)
            length--;
    if (last == ORDER_PAD)
        while (length % size)
            length++;
    for (uint64_t i = 0; i < length; i++)
        ret[i] = i % n;
    *ret_length = length;
    uint64_t n_batches = 0;
    while (n_batches * size < length)
        n_batches++;
    return n_batches;
}

/* Every rank's share is every world-th position of its batch; all ranks' shares are the batch. */
static void check_batch(uint64_t n, uint64_t size, enum order_last last, uint64_t k,
                        const uint64_t *batch, uint64_t length)
{
    for (uint32_t world = 1; world <= WORLD_MAX; world++) {
        uint64_t n_seen = 0;
        for (uint32_t rank = 0; rank < world; rank++) {
            struct order_share share = order_share(n, size, last, k, rank, world);
            for (uint64_t i = 0; i < share.count; i++, n_seen++) {
                uint64_t at = rank + i * world;
                assert_true(at < length);
                assert_int_equal((share.first + i * share.step) % n, batch[at]);
            }
        }
        assert_int_equal(n_seen, length);
    }
}

static void check_epoch(uint64_t n, uint64_t size, enum order_last last)
{
    uint64_t epoch[ROOM], length;
    uint64_t n_batches = define(n, size, last, epoch, &length);
    assert_int_equal(order_n_batches(n, size, last), n_batches);
    for (uint64_t k = 0; k < n_batches; k++) {
        uint64_t left = length - k * size;
        check_batch(n, size, last, k, epoch + k * size, left < size ? left : size);
    }
}

static void shares_are_slices_of_the_epoch(void **state)
{
    (void)state;
    for (enum order_last last = ORDER_SHORT; last <= ORDER_PAD; last++)
        for (uint64_t n = 1; n <= N_MAX; n++)
            for (uint64_t size = 1; size <= SIZE_MAX_TRIED; size++)
                check_epoch(n, size, last);
}

static void epoch_of_no_samples_has_no_batches(void **state)
{
    (void)state;
    for (enum order_last last = ORDER_SHORT; last <= ORDER_PAD; last++)
        assert_int_equal(order_n_batches(0, 5, last), 0);
}

static void rank_may_be_left_without_a_sample(void **state)
{
    (void)state;
    assert_int_equal(order_share(10, 3, ORDER_SHORT, 3, 0, 2).count, 1);
    assert_int_equal(order_share(10, 3, ORDER_SHORT, 3, 1, 2).count, 0);
    assert_int_equal(order_share(10, 3, ORDER_PAD, 3, 4, 5).count, 0);
}

static void batch_may_be_longer_than_the_epoch(void **state)
{
    (void)state;
    struct order_share share = order_share(3, 8, ORDER_PAD, 0, 0, 1);
    assert_int_equal(order_n_batches(3, 8, ORDER_PAD), 1);
    assert_int_equal(share.count, 8);
    assert_int_equal(order_n_batches(3, 8, ORDER_DROP), 0);
    assert_int_equal(order_share(3, 8, ORDER_SHORT, 0, 0, 1).count, 3);
}

static void shares_of_the_largest_epochs_do_not_overflow(void **state)
{
    (void)state;
    const uint64_t n = INT32_MAX, size = 65536, k = n / size;
    struct order_share share = order_share(n, size, ORDER_SHORT, k, UINT32_MAX - 1, UINT32_MAX);
    assert_int_equal(share.count, 0);
    share = order_share(n, size, ORDER_SHORT, k, 1, 2);
    assert_int_equal(share.first, k * size + 1);
    assert_int_equal(share.count, (n - k * size) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epoch_is_the_permutation_of_numpy),
        cmocka_unit_test(epoch_of_no_samples_is_empty),
        cmocka_unit_test(shares_are_slices_of_the_epoch),
        cmocka_unit_test(epoch_of_no_samples_has_no_batches),
        cmocka_unit_test(rank_may_be_left_without_a_sample),
        cmocka_unit_test(batch_may_be_longer_than_the_epoch),
        cmocka_unit_test(shares_of_the_largest_epochs_do_not_overflow),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
