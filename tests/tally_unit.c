/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/tally: what several threads count, together. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/samples/tally.h"

enum { N_THREADS = 4, N_COUNTS = 100000, CAME = TALLY_ABOVE, WENT };

static void *count(void *cell)
{
    for (int i = 0; i < N_COUNTS; i++)
        tally_add(*(const unsigned *)cell, 2);
    return tally_own;
}

static void threads_that_have_ended_are_counted_on(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    unsigned cell = TALLY_MIXES;
    uint64_t before = tally_sum(cell);
    void *cells[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, &cell), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], &cells[i]);
    assert_int_equal(tally_sum(cell) - before, 2 * N_THREADS * N_COUNTS);
    for (int i = 1; i < N_THREADS; i++)
        assert_ptr_not_equal(cells[i], cells[0]);
    assert_int_equal(tally_sum(TALLY_FRAMES), 0);
}

static void no_two_threads_share_a_line_of_the_cache(void **state)
{
    (void)state;
    tally_add(TALLY_N_CELLS - 1, 1);
    assert_int_equal((uintptr_t)tally_own % 64, 0);
    assert_int_equal(tally_sum(TALLY_N_CELLS - 1), 1);
}

static void what_one_thread_brings_another_takes_away(void **state)
{
    (void)state;
    pthread_t thread;
    unsigned went = WENT;
    tally_add(CAME, 2 * N_COUNTS + 5);
    assert_int_equal(tally_level(CAME, WENT), 2 * N_COUNTS + 5);
    assert_int_equal(pthread_create(&thread, NULL, count, &went), 0);
    pthread_join(thread, NULL);
    assert_int_equal(tally_level(CAME, WENT), 5);
    tally_add(WENT, 6);
    assert_int_equal(tally_level(CAME, WENT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_have_ended_are_counted_on),
        cmocka_unit_test(no_two_threads_share_a_line_of_the_cache),
        cmocka_unit_test(what_one_thread_brings_another_takes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
