/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/key: nothing of an event is lost in its key, and keys are in the right order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/key.h"

static const struct event corners[] = {
    {0, 0, 0, 0},
    {EVENT_T_MAX, 0, 0, 0},
    {0, UINT8_MAX, 0, 0},
    {0, 0, UINT8_MAX, 0},
    {0, 0, 0, 1},
    {EVENT_T_MAX, UINT8_MAX, UINT8_MAX, 1},
    {0x123456, 0x12, 0x21, 1},
};

static const uint32_t seqs[] = {0, 1, 0x123456, KEYS_MAX - 1};

enum { N_CORNERS = sizeof corners / sizeof *corners, N_SEQS = sizeof seqs / sizeof *seqs };

static uint64_t key_of(const struct event *event, uint32_t seq)
{
    uint8_t bytes[EVENT_BYTES];
    event_pack(*event, bytes);
    return key_unpack(bytes, seq);
}

static void key_holds_all_of_an_event_and_its_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CORNERS; i++)
        for (size_t k = 0; k < N_SEQS; k++) {
            uint64_t key = key_of(&corners[i], seqs[k]);
            assert_int_equal(key_time(key), corners[i].t_us);
            assert_int_equal(key_seq(key), seqs[k]);
            assert_int_equal(key_place(key), corners[i].p << 16 | corners[i].y << 8 | corners[i].x);
        }
}

static void key_is_packed_to_the_bytes_it_came_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CORNERS; i++)
        for (size_t k = 0; k < N_SEQS; k++) {
            uint8_t want[EVENT_BYTES], got[EVENT_BYTES];
            event_pack(corners[i], want);
            key_pack(key_of(&corners[i], seqs[k]), got);
            assert_memory_equal(got, want, EVENT_BYTES);
        }
}

/* By time first, then by number; where the event was does not count. */
static void keys_are_ordered_by_time_and_then_by_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CORNERS; i++)
        for (size_t j = 0; j < N_CORNERS; j++)
            for (size_t k = 0; k + 1 < N_SEQS; k++) {
                uint64_t a = key_of(&corners[i], seqs[k]), b = key_of(&corners[j], seqs[k + 1]);
                assert_int_equal(a < b, corners[i].t_us <= corners[j].t_us);
            }
}

static void key_end_is_behind_every_key_as_a_signed_number_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CORNERS; i++)
        for (size_t k = 0; k < N_SEQS; k++) {
            assert_true(key_of(&corners[i], seqs[k]) < KEY_END);
            assert_true((int64_t)key_of(&corners[i], seqs[k]) >= 0);
        }
}

static void key_masks_part_a_key_without_rest(void **state)
{
    (void)state;
    assert_int_equal(KEY_T & KEY_BELOW_T, 0);
    assert_int_equal(KEY_T | KEY_BELOW_T, KEY_END);
    assert_int_equal(KEY_PLACE & ~KEY_BELOW_T, 0);
    assert_int_equal(KEY_PLACE + 1, KEY_SEQ_ONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_holds_all_of_an_event_and_its_number),
        cmocka_unit_test(key_is_packed_to_the_bytes_it_came_from),
        cmocka_unit_test(keys_are_ordered_by_time_and_then_by_number),
        cmocka_unit_test(key_end_is_behind_every_key_as_a_signed_number_too),
        cmocka_unit_test(key_masks_part_a_key_without_rest),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
