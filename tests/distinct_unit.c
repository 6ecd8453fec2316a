/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/distinct: both ways against comparing each event with each, at every level of
 * instructions, and for longer than the counter of its memory lasts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/distinct.h"
#include "tests/levels.h"

enum { ROUNDS = 200, AHEAD = 2 }; /* keys that distinct_pack() reads before the first */

static struct distinct *distinct;

static int start(void **state)
{
    (void)state;
    distinct = calloc(1, sizeof *distinct);
    return distinct ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    free(distinct);
    return 0;
}

/* Equal but for the sequence number. */
static bool is_repeat(const uint64_t *keys, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (key_time(keys[j]) == key_time(keys[i]) && key_place(keys[j]) == key_place(keys[i]))
            return true;
    return false;
}

static size_t define(const uint64_t *keys, size_t n, uint64_t *ret)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_repeat(keys, i))
            ret[n_kept++] = keys[i];
    return n_kept;
}

static void check_recordings(void)
{
    static uint64_t keys[AHEAD + RECORDING_MAX], want[RECORDING_MAX], got[RECORDING_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct event_span events = recording_any();
        size_t n = events.n_events;
        for (size_t i = 0; i < n; i++)
            keys[AHEAD + i] = key_unpack(events.bytes + i * EVENT_BYTES, (uint32_t)i);
        keys[0] = keys[1] = random_below(2) ? keys[AHEAD] : 0;
        size_t n_want = define(keys + AHEAD, n, want);

        memcpy(got, keys + AHEAD, n * sizeof *got);
        assert_int_equal(distinct_keys(distinct, got, n), n_want);
        assert_memory_equal(got, want, n_want * sizeof *want);

        struct buffer packed = buffer_new(n * EVENT_BYTES);
        assert_int_equal(distinct_pack(distinct, keys + AHEAD, n, packed.bytes), n_want);
        for (size_t i = 0; i < n_want; i++) {
            uint8_t event[EVENT_BYTES];
            key_pack(want[i], event);
            assert_memory_equal(packed.bytes + i * EVENT_BYTES, event, EVENT_BYTES);
        }
        buffer_check_and_free(packed);
        recording_free(events);
    }
}

static void distinct_keeps_the_first_of_equal_events(void **state)
{
    (void)state;
    for_each_level(check_recordings);
}

/* Each of the later calls is the only one that asks for its place again, and finds it new: also
 * when the counter has come round to where it was in the first call (after 2^32 / 2^23 calls). */
static void distinct_forgets_what_an_earlier_call_saw(void **state)
{
    (void)state;
    enum { CALLS = 1200 };
    static const uint32_t times_us[] = {0, EVENT_T_MAX};
    for (size_t i = 0; i < 2; i++) {
        static uint64_t keys[CALLS];
        for (uint32_t call = 0; call < CALLS; call++)
            keys[call] = times_us[i] * KEY_T_ONE | call * KEY_SEQ_ONE | call;
        assert_int_equal(distinct_keys(distinct, keys, CALLS), CALLS);
        for (uint32_t call = 0; call < CALLS; call++) {
            uint64_t twice[] = {keys[call], keys[call] + KEY_SEQ_ONE};
            assert_int_equal(distinct_keys(distinct, twice, 2), 1);
        }
    }
}

static void distinct_takes_no_events(void **state)
{
    (void)state;
    uint64_t keys[AHEAD] = {0};
    uint8_t out[1];
    assert_int_equal(distinct_keys(distinct, keys + AHEAD, 0), 0);
    assert_int_equal(distinct_pack(distinct, keys + AHEAD, 0, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_keeps_the_first_of_equal_events),
        cmocka_unit_test(distinct_forgets_what_an_earlier_call_saw),
        cmocka_unit_test(distinct_takes_no_events),
    };
    return cmocka_run_group_tests_name("distinct", tests, start, stop);
}
