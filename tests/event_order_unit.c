/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/event_order: a stable sort by time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/event_order.h"
#include "tests/levels.h"
#include "tests/scarce.h"

enum { ROUNDS = 300, MOST = 300 };

static uint32_t time_of(const uint8_t *events, size_t i)
{
    return event_unpack(events + i * EVENT_BYTES).t_us;
}

/* By insertion, from the front. */
static void define_order(struct event_span events, uint8_t *out)
{
    for (size_t n = 0; n < events.n_events; n++) {
        size_t at = n;
        while (at > 0 && time_of(out, at - 1) > time_of(events.bytes, n))
            at--;
        memmove(out + (at + 1) * EVENT_BYTES, out + at * EVENT_BYTES, (n - at) * EVENT_BYTES);
        memcpy(out + at * EVENT_BYTES, events.bytes + n * EVENT_BYTES, EVENT_BYTES);
    }
}

/* A few runs that are in order of time, or hardly any order; many events at one time, or few. */
static struct event_span runs_anyhow(void)
{
    struct event_span events = recording_noise(random_below(MOST));
    uint8_t *bytes = (uint8_t *)events.bytes;
    uint32_t n_runs = random_below(5), n_times = 1 + random_below(90);
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(bytes + i * EVENT_BYTES);
        event.t_us = random_below(n_times);
        if (n_runs > 0)
            event.t_us = (uint32_t)(i * n_runs * n_times / MOST) % n_times;
        event_pack(event, bytes + i * EVENT_BYTES);
    }
    return events;
}

static void check_orders(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct event_span events = runs_anyhow();
        struct buffer out = buffer_new(events.n_events * EVENT_BYTES);
        uint8_t wanted[MOST * EVENT_BYTES];
        define_order(events, wanted);
        assert_int_equal(event_is_ordered(events), memcmp(wanted, events.bytes, out.size) == 0);
        assert_int_equal(event_put_in_order(events, out.bytes), 0);
        assert_memory_equal(out.bytes, wanted, out.size);
        buffer_check_and_free(out);
        recording_free(events);
    }
}

static void events_come_in_order_of_time_and_else_as_they_were(void **state)
{
    (void)state;
    for_each_level(check_orders);
}

static void one_time_that_goes_back_is_seen(void **state)
{
    (void)state;
    uint8_t bytes[3 * EVENT_BYTES];
    for (size_t back = 0; back < 3; back++) {
        for (size_t i = 0; i < 3; i++)
            event_pack((struct event){.t_us = (uint32_t)(i == back ? 4 : 5 + i)},
                       bytes + i * EVENT_BYTES);
        assert_int_equal(event_is_ordered((struct event_span){bytes, 3}), back == 0);
        assert_true(event_is_ordered((struct event_span){bytes, back}));
    }
}

static int put_in_order(void *user, struct error *why)
{
    const struct event_span *events = user;
    uint8_t out[5 * EVENT_BYTES];
    int r = event_put_in_order(*events, out);
    return r < 0 ? error_set(why, r, "no memory") : 0;
}

static void order_fails_where_memory_is_short(void **state)
{
    (void)state;
    uint8_t bytes[5 * EVENT_BYTES];
    for (size_t i = 0; i < 5; i++)
        event_pack((struct event){.t_us = (uint32_t)(5 - i)}, bytes + i * EVENT_BYTES);
    struct event_span events = {bytes, 5};
    assert_int_equal(scarce_try(put_in_order, &events), 1);
    events.n_events = 2; /* one merge needs no more room */
    assert_int_equal(scarce_try(put_in_order, &events), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order_of_time_and_else_as_they_were),
        cmocka_unit_test(one_time_that_goes_back_is_seen),
        cmocka_unit_test(order_fails_where_memory_is_short),
    };
    return cmocka_run_group_tests_name("event_order", tests, NULL, NULL);
}
