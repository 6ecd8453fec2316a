/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/timestep: exact for every time and, near the halves, for every step; lists of any
 * length at every level of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/key.h"
#include "common/timestep.h"
#include "tests/levels.h"

enum { LIST_MAX = 70, ROUNDS = 60 };

static uint32_t define_floor(uint32_t t_us, uint32_t us)
{
    return t_us / us;
}

/* Half to even, by what is left of a division. */
static uint32_t define_round(uint32_t t_us, uint32_t us)
{
    uint32_t whole = t_us / us, rest = t_us % us;
    return whole + (2 * rest > us || (2 * rest == us && whole % 2 == 1));
}

static void check(struct timestep step, uint32_t t_us)
{
    if (timestep_floor(step, t_us) != define_floor(t_us, step.us) ||
        timestep_round(step, t_us) != define_round(t_us, step.us))
        fail_msg("%u us in steps of %u us: %u and %u, not %u and %u", t_us, step.us,
                 timestep_floor(step, t_us), timestep_round(step, t_us),
                 define_floor(t_us, step.us), define_round(t_us, step.us));
}

static void every_time_is_counted_exactly(void **state)
{
    (void)state;
    static const uint32_t steps_us[] = {1, 1000, 4096};
    for (size_t i = 0; i < sizeof steps_us / sizeof *steps_us; i++) {
        struct timestep step = timestep_of(steps_us[i]);
        for (uint32_t t_us = 0; t_us <= EVENT_T_MAX; t_us++)
            check(step, t_us);
    }
}

/* Where a division that is not exact goes wrong first: at the multiples and the halves. */
static void check_edges(uint32_t us)
{
    struct timestep step = timestep_of(us);
    uint32_t last = EVENT_T_MAX / us;
    const uint32_t multiples[] = {0, 1, 2, 3, last / 2, last / 2 + 1, last - (last > 0), last};
    for (size_t i = 0; i < sizeof multiples / sizeof *multiples; i++)
        for (uint32_t half = 0; half < 2; half++)
            for (uint32_t offset = 0; offset < 3; offset++) {
                uint32_t t_us = multiples[i] * us + half * (us / 2) + offset - 1;
                if (t_us <= EVENT_T_MAX)
                    check(step, t_us);
            }
    check(step, EVENT_T_MAX);
}

static void every_step_is_exact_near_its_multiples_and_halves(void **state)
{
    (void)state;
    for (uint32_t us = 1; us <= TIMESTEP_MAX_US; us += us < 20000 ? 1 : 97)
        check_edges(us);
    check_edges(TIMESTEP_MAX_US);
}

static uint32_t any_step_us(void)
{
    static const uint32_t often[] = {1, 2, 3, 16, 999, 1000, 1001, TIMESTEP_MAX_US};
    return random_below(2) ? often[random_below(8)] : 1 + random_below(TIMESTEP_MAX_US);
}

/* A half of a step often, otherwise any time. */
static uint32_t any_time_us(uint32_t step_us)
{
    if (random_below(2))
        return random_below(EVENT_T_MAX + 1);
    uint32_t t_us = random_below(EVENT_T_MAX / step_us + 1) * step_us + step_us / 2;
    return t_us > EVENT_T_MAX ? EVENT_T_MAX : t_us;
}

static void check_lists(void)
{
    for (int round = 0; round < ROUNDS; round++)
        for (size_t n = 0; n <= LIST_MAX; n++) {
            struct timestep step = timestep_of(any_step_us());
            bool rounded = random_below(2);
            uint32_t times[LIST_MAX];
            struct buffer list = buffer_new(n * sizeof *times);
            uint32_t *counts = (uint32_t *)list.bytes;
            for (size_t i = 0; i < n; i++)
                counts[i] = times[i] = any_time_us(step.us);
            timestep_count(step, counts, n, rounded);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(counts[i], rounded ? define_round(times[i], step.us)
                                                    : define_floor(times[i], step.us));
            buffer_check_and_free(list);
        }
}

static void lists_of_times_are_counted_one_by_one(void **state)
{
    (void)state;
    for_each_level(check_lists);
}

static void check_keys(void)
{
    for (int round = 0; round < ROUNDS; round++)
        for (size_t n = 0; n <= LIST_MAX; n++) {
            struct timestep step = timestep_of(any_step_us());
            uint64_t before[LIST_MAX];
            struct buffer list = buffer_new(n * sizeof *before);
            uint64_t *keys = (uint64_t *)list.bytes;
            for (size_t i = 0; i < n; i++)
                keys[i] = before[i] = any_time_us(step.us) * KEY_T_ONE |
                                      random_below(KEYS_MAX) * KEY_SEQ_ONE | random_below(1 << 17);
            timestep_round_keys(step, keys, n);
            for (size_t i = 0; i < n; i++) {
                uint64_t t_us = (uint64_t)define_round(key_time(before[i]), step.us) * step.us;
                assert_int_equal(key_time(keys[i]), t_us & EVENT_T_MAX);
                assert_int_equal(keys[i] & KEY_BELOW_T, before[i] & KEY_BELOW_T);
            }
            buffer_check_and_free(list);
        }
}

static void times_of_keys_are_rounded_and_nothing_else_of_them_changes(void **state)
{
    (void)state;
    for_each_level(check_keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_time_is_counted_exactly),
        cmocka_unit_test(every_step_is_exact_near_its_multiples_and_halves),
        cmocka_unit_test(lists_of_times_are_counted_one_by_one),
        cmocka_unit_test(times_of_keys_are_rounded_and_nothing_else_of_them_changes),
    };
    return cmocka_run_group_tests_name("timestep", tests, NULL, NULL);
}
