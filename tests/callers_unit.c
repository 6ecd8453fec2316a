/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/callers: numbers that stay, of more names than there are, by several threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/callers.h"

enum { N_THREADS = 4, N_NAMES = 100 };

static void *number_all(void *numbers)
{
    char name[32];
    for (unsigned i = 0; i < N_NAMES; i++) {
        snprintf(name, sizeof name, "caller-%u", i);
        ((unsigned *)numbers)[i] = callers_number(name);
    }
    return NULL;
}

static void threads_that_meet_a_name_give_it_one_number(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    unsigned numbers[N_THREADS][N_NAMES];
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, number_all, numbers[i]), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < N_THREADS; i++)
        assert_memory_equal(numbers[i], numbers[0], sizeof numbers[0]);
    for (unsigned i = 0; i < N_NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "caller-%u", i);
        assert_in_range(numbers[0][i], 0, CALLERS_MAX - 1);
        assert_string_equal(callers_name(numbers[0][i]), name);
    }
}

static void more_names_than_there_are_numbers_share_the_last(void **state)
{
    (void)state;
    unsigned n_others = 0;
    char name[32];
    for (unsigned i = 0; i < 4 * CALLERS_MAX; i++) {
        snprintf(name, sizeof name, "many-%u", i);
        n_others += callers_number(name) == CALLERS_OTHER;
    }
    assert_in_range(n_others, 3 * CALLERS_MAX, 4 * CALLERS_MAX);
    assert_null(callers_name(CALLERS_OTHER));
    assert_int_equal(callers_number("caller-7"), callers_number("caller-7"));
    assert_string_equal(callers_name(callers_number("caller-7")), "caller-7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_meet_a_name_give_it_one_number),
        cmocka_unit_test(more_names_than_there_are_numbers_share_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
