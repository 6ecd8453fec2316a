/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/filter: each step against its definition, their order, in place or not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/filter.h"
#include "tests/levels.h"
#include "tests/scarce.h"

enum { ROUNDS = 400, MOST = 1200 };

static struct event at(const uint8_t *events, size_t i)
{
    return event_unpack(events + i * EVENT_BYTES);
}

/* Into `ret`, by way of a buffer of just the size that is asked for. */
static size_t filtered(const struct filter *filter, struct event_span events, uint8_t *ret)
{
    size_t n = SIZE_MAX;
    struct buffer out = buffer_new(events.n_events * EVENT_BYTES);
    assert_int_equal(filter_events(filter, &GEOMETRY_NMNIST, events, out.bytes, &n), 0);
    assert_true(n <= events.n_events);
    memcpy(ret, out.bytes, n * EVENT_BYTES);
    buffer_check_and_free(out);
    return n;
}

/* ---- Stabilized: Tonic's arithmetic, operation by operation ---- */

static bool define_stabilized(struct event event, uint8_t *ret_x, uint8_t *ret_y)
{
    const double t = event.t_us, second = t - 105e3, third = t - 210e3;
    double x = 4 + (double)event.x, y = 2 + (double)event.y, part;
    if (t <= 105e3) {
        part = 3.5 * t;
        x -= part / 105e3;
        part = 7 * t;
        y -= part / 105e3;
    } else if (t <= 210e3) {
        part = 3.5 * second;
        x = (x - 3.5) - part / 105e3;
        part = 7 * second;
        y = (y - 7) + part / 105e3;
    } else {
        part = 7 * third;
        x = (x - 7) + part / 105e3;
    }
    if (x < 0 || x > SENSOR_WIDTH - 1 || y < 0 || y > SENSOR_HEIGHT - 1)
        return false;
    *ret_x = (uint8_t)rint(x);
    *ret_y = (uint8_t)rint(y);
    return true;
}

static void check_stabilized(const uint8_t *events, size_t n)
{
    static uint8_t out[MOST * EVENT_BYTES];
    const struct filter filter = {.stabilize = true, .t1_us = FILTER_T1_NONE};
    size_t n_out = filtered(&filter, (struct event_span){events, n}, out), i_out = 0;
    for (size_t i = 0; i < n; i++) {
        struct event event = at(events, i);
        if (!define_stabilized(event, &event.x, &event.y))
            continue;
        assert_true(i_out < n_out);
        struct event got = at(out, i_out++);
        if (got.x != event.x || got.y != event.y)
            fail_msg("at %u us: (%u, %u), not (%u, %u)", event.t_us, got.x, got.y, event.x,
                     event.y);
        assert_int_equal(got.t_us, event.t_us);
        assert_int_equal(got.p, event.p);
    }
    assert_int_equal(i_out, n_out);
}

/* Every time of the three saccades and some behind, with all pixels where halves and whole numbers
 * lie, and beside them; elsewhere with one pixel or another. */
static void stabilized_events_are_where_binary64_puts_them(void **state)
{
    (void)state;
    uint8_t events[MOST * EVENT_BYTES];
    size_t n = 0;
    for (uint32_t t_us = 0; t_us <= EVENT_T_MAX; t_us += t_us < 420000 ? 1 : 4999) {
        bool is_edge = t_us % 15000 <= 1 || t_us % 15000 == 14999;
        for (uint32_t i = 0; i < (is_edge ? SENSOR_WIDTH : 3); i++) {
            struct event event = {.t_us = t_us,
                                  .x = (uint8_t)((is_edge ? i : t_us + 11 * i) % SENSOR_WIDTH),
                                  .y = (uint8_t)((is_edge ? i : t_us / 7 + 5 * i) % SENSOR_HEIGHT),
                                  .p = (uint8_t)(i % 2)};
            event_pack(event, events + n++ * EVENT_BYTES);
            if (n < MOST)
                continue;
            check_stabilized(events, n);
            n = 0;
        }
    }
    check_stabilized(events, n);
}

/* ---- Cropped, denoised, merged: event by event, from what was before ---- */

static size_t define_cropped(const struct filter *filter, const uint8_t *events, size_t n,
                             uint8_t *ret)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++)
        if (at(events, i).t_us >= filter->t0_us && at(events, i).t_us < filter->t1_us)
            event_pack(at(events, i), ret + n_kept++ * EVENT_BYTES);
    return n_kept;
}

/* The largest x and y. */
static struct event extent(const uint8_t *events, size_t n)
{
    struct event most = {.t_us = 0, .x = 0, .y = 0, .p = 0};
    for (size_t i = 0; i < n; i++) {
        most.x = at(events, i).x > most.x ? at(events, i).x : most.x;
        most.y = at(events, i).y > most.y ? at(events, i).y : most.y;
    }
    return most;
}

/* Until when the pixel at (x, y) vouches for its neighbours, by the first n events. */
static uint64_t vouches_until(const uint8_t *events, size_t n, struct event most, int x, int y,
                              uint32_t us)
{
    if (x < 0 || y < 0 || x > most.x || y > most.y)
        return 0;
    for (size_t i = n; i-- > 0;)
        if (at(events, i).x == x && at(events, i).y == y)
            return (uint64_t)at(events, i).t_us + us;
    return us;
}

static size_t define_denoised(uint32_t us, const uint8_t *events, size_t n, uint8_t *ret)
{
    static const int neighbours[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    const struct event most = extent(events, n);
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct event event = at(events, i);
        bool keep = false;
        for (size_t k = 0; k < 4; k++)
            keep |= vouches_until(events, i, most, event.x + neighbours[k][0],
                                  event.y + neighbours[k][1], us) > event.t_us;
        if (keep)
            event_pack(event, ret + n_kept++ * EVENT_BYTES);
    }
    return n_kept;
}

static size_t define_merged(const uint8_t *events, size_t n, uint8_t *ret)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct event event = at(events, i);
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= at(events, j).t_us == event.t_us && at(events, j).x == event.x &&
                     at(events, j).y == event.y;
        event.p = 0;
        if (!again)
            event_pack(event, ret + n_kept++ * EVENT_BYTES);
    }
    return n_kept;
}

static size_t define_filtered(const struct filter *filter, struct event_span events, uint8_t *ret)
{
    uint8_t part[MOST * EVENT_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = at(events.bytes, i);
        if (!filter->stabilize || define_stabilized(event, &event.x, &event.y))
            event_pack(event, part + n++ * EVENT_BYTES);
    }
    n = define_cropped(filter, part, n, ret);
    if (filter->denoise_us > 0) {
        n = define_denoised(filter->denoise_us, ret, n, part);
        memcpy(ret, part, n * EVENT_BYTES);
    }
    if (filter->merge_polarity) {
        n = define_merged(ret, n, part);
        memcpy(ret, part, n * EVENT_BYTES);
    }
    return n;
}

static struct filter any_filter(void)
{
    static const uint32_t times_us[] = {1, 2, 5, 40, 1000, 40000, UINT32_MAX};
    struct filter filter = filter_none;
    filter.stabilize = random_below(3) == 0;
    if (random_below(2))
        filter.t0_us = random_below(3000);
    if (random_below(2))
        filter.t1_us = filter.t0_us + random_below(30000);
    if (random_below(2))
        filter.denoise_us = times_us[random_below(7)];
    filter.merge_polarity = random_below(2);
    return filter;
}

static void check_filters(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t want[MOST * EVENT_BYTES], got[MOST * EVENT_BYTES];
        struct filter filter = any_filter();
        struct event_span events = recording_any();
        size_t n = define_filtered(&filter, events, want), n_in_place = SIZE_MAX;
        assert_int_equal(filtered(&filter, events, got), n);
        assert_memory_equal(got, want, n * EVENT_BYTES);
        uint8_t *bytes = (uint8_t *)events.bytes;
        assert_int_equal(filter_events(&filter, &GEOMETRY_NMNIST, events, bytes, &n_in_place), 0);
        assert_int_equal(n_in_place, n);
        assert_memory_equal(bytes, want, n * EVENT_BYTES);
        recording_free(events);
    }
}

static void filters_keep_what_their_definitions_say(void **state)
{
    (void)state;
    for_each_level(check_filters);
}

/* Whatever the bytes say, nothing beside them is touched. */
static void check_noise(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t got[MOST * EVENT_BYTES];
        struct filter filter = any_filter();
        struct event_span events = recording_noise(random_below(MOST));
        assert_true(filtered(&filter, events, got) <= events.n_events);
        recording_free(events);
    }
}

static void noise_is_filtered_without_harm(void **state)
{
    (void)state;
    for_each_level(check_noise);
}

static void the_border_of_the_events_vouches_for_nobody(void **state)
{
    (void)state;
    uint8_t events[2 * EVENT_BYTES], out[2 * EVENT_BYTES];
    struct filter filter = filter_none;
    filter.denoise_us = 1000;
    /* The first pixel of all has no neighbour among these events, not even a silent one. */
    event_pack((struct event){.t_us = 0, .x = 0, .y = 0}, events);
    assert_int_equal(filtered(&filter, (struct event_span){events, 1}, out), 0);
    /* Here there is one, as if it had had an event at time 0. */
    event_pack((struct event){.t_us = 999, .x = 1, .y = 0}, events);
    assert_int_equal(filtered(&filter, (struct event_span){events, 1}, out), 1);
    event_pack((struct event){.t_us = 1000, .x = 1, .y = 0}, events);
    assert_int_equal(filtered(&filter, (struct event_span){events, 1}, out), 0);
    /* The last pixel that there can be. */
    event_pack((struct event){.t_us = 5000, .x = 255, .y = 255}, events);
    event_pack((struct event){.t_us = 5999, .x = 255, .y = 254}, events + EVENT_BYTES);
    assert_int_equal(filtered(&filter, (struct event_span){events, 2}, out), 1);
    assert_memory_equal(out, events + EVENT_BYTES, EVENT_BYTES);
}

static void a_filter_that_keeps_all_is_told(void **state)
{
    (void)state;
    struct filter filters[] = {filter_none, filter_none, filter_none, filter_none, filter_none};
    filters[0].stabilize = true;
    filters[1].t0_us = 1;
    filters[2].t1_us = EVENT_T_MAX;
    filters[3].denoise_us = 1;
    filters[4].merge_polarity = true;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        assert_false(filter_keeps_all(&filters[i]));
    assert_true(filter_keeps_all(&filter_none));
    uint8_t events[2 * EVENT_BYTES] = {1, 2, 0, 0, 3, 255, 255, 255, 255, 255}, out[sizeof events];
    assert_int_equal(filtered(&filter_none, (struct event_span){events, 2}, out), 2);
    assert_memory_equal(out, events, sizeof events);
    assert_int_equal(filtered(&filter_none, (struct event_span){events, 0}, out), 0);
}

static int filter_scarcely(void *user, struct error *why)
{
    size_t n = 77;
    uint8_t events[EVENT_BYTES] = {1, 2, 0, 0, 3}, out[EVENT_BYTES];
    int r = filter_events(user, &GEOMETRY_NMNIST, (struct event_span){events, 1}, out, &n);
    if (r < 0)
        assert_int_equal(n, 77);
    return r < 0 ? error_set(why, r, "no memory") : 0;
}

static void filters_fail_where_memory_is_short(void **state)
{
    (void)state;
    struct filter filter = {.denoise_us = 10, .t1_us = FILTER_T1_NONE, .merge_polarity = true};
    assert_int_equal(scarce_try(filter_scarcely, &filter), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stabilized_events_are_where_binary64_puts_them),
        cmocka_unit_test(filters_keep_what_their_definitions_say),
        cmocka_unit_test(noise_is_filtered_without_harm),
        cmocka_unit_test(the_border_of_the_events_vouches_for_nobody),
        cmocka_unit_test(a_filter_that_keeps_all_is_told),
        cmocka_unit_test(filters_fail_where_memory_is_short),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
