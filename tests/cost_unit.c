/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/cost: what grows with what; the routes' test says what is heavy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/samples/cost.h"
#include "tests/small_catalog.h"

static const struct form events, stepped = {.timestep_us = 1000},
                                 ordered = {.has_order = true, .order = MIX_TIME};

static struct form frames_of(uint32_t bins)
{
    return (struct form){
        .as = FORM_FRAMES,
        .frames = {.geometry = GEOMETRY_NMNIST, .timestep_us = 1000, .bins = bins}};
}

static uint64_t cost_of(const struct form *form, struct cost cost)
{
    return cost_us(small.timed, form, &cost);
}

static void stored_samples_cost_a_look_alone(void **state)
{
    (void)state;
    assert_int_equal(cost_of(&events, (struct cost){.n = 0}), 0);
    assert_int_equal(cost_of(&events, (struct cost){.n = 1}), 0);
    assert_in_range(cost_of(&events, (struct cost){.n = 1024}), 1, 100);
}

static void whatever_is_made_costs_more_than_what_is_stored(void **state)
{
    (void)state;
    const struct form frames = frames_of(1);
    uint64_t stored = cost_of(&events, (struct cost){.n = 1000});
    assert_true(cost_of(&events, (struct cost){.n = 1000, .mixed = true}) > stored);
    assert_true(cost_of(&events, (struct cost){.n = 1000, .text = true}) > stored);
    assert_true(cost_of(&stepped, (struct cost){.n = 1000}) > stored);
    assert_true(cost_of(&ordered, (struct cost){.n = 1000}) > stored);
    assert_true(cost_of(&frames, (struct cost){.n = 1000}) > stored);
}

static void frames_cost_as_much_as_they_have_bytes(void **state)
{
    (void)state;
    const struct form few = frames_of(64), many = frames_of(4096);
    uint64_t few_us = cost_of(&few, (struct cost){.n = 100});
    uint64_t many_us = cost_of(&many, (struct cost){.n = 100});
    assert_in_range(many_us, 32 * few_us, 65 * few_us);
    assert_true(cost_of(&few, (struct cost){.n = 100, .text = true}) > 5 * few_us);
    assert_true(cost_of(&few, (struct cost){.n = 200}) >= 2 * few_us - 1);
}

static void pictures_cost_as_much_as_they_have_pixels(void **state)
{
    (void)state;
    uint64_t small_us = cost_of(&events, (struct cost){.n = 1, .pixels = 34 * 34});
    uint64_t large_us = cost_of(&events, (struct cost){.n = 1, .pixels = 100000000});
    assert_in_range(small_us, 1, large_us / 1000);
    assert_true(cost_of(&events, (struct cost){.n = 1, .pixels = 200000000}) > large_us * 19 / 10);
    assert_int_equal(cost_of(&events, (struct cost){.n = 1, .pixels = 1, .head = true}), 0);
}

static uint64_t cut_cost(enum form_as as, struct slice_rule rule)
{
    struct form form = frames_of(9);
    form.as = as;
    form.slice = rule;
    return cost_of(&form, (struct cost){.n = 1000});
}

static void what_is_cut_costs_as_often_as_its_events_are_shared(void **state)
{
    (void)state;
    const struct slice_rule once = {.slice = SLICE_WINDOW, .timestep_us = 9000, .stride_us = 9000};
    struct slice_rule often = once;
    often.stride_us = 100;
    for (enum form_as as = FORM_FRAMES; as <= FORM_BITS; as++) {
        assert_true(cut_cost(as, once) > 0);
        assert_true(cut_cost(as, often) > 5 * cut_cost(as, once));
    }
    const struct slice_rule each = {
        .slice = SLICE_EVENT_COUNT, .n_events = 50, .stride_events = 50};
    struct slice_rule shared = each;
    shared.stride_events = 1;
    assert_true(cut_cost(FORM_SPARSE, shared) > 5 * cut_cost(FORM_SPARSE, each));
}

static void filters_cost_by_what_they_do(void **state)
{
    (void)state;
    const struct form early = {.is_filtered = true, .filter = {.t1_us = 5}};
    const struct form clean = {.is_filtered = true, .filter = {.denoise_us = 5}};
    const struct form both = {.is_filtered = true, .filter = {.denoise_us = 5, .stabilize = true}};
    const struct cost cost = {.n = 100000};
    assert_true(cost_of(&early, cost) > cost_of(&events, cost));
    assert_true(cost_of(&clean, cost) > 2 * cost_of(&early, cost));
    assert_true(cost_of(&both, cost) > cost_of(&clean, cost));
}

static void a_length_alone_costs_no_more_than_a_look(void **state)
{
    (void)state;
    const struct form frames = frames_of(4096);
    const struct form *forms[] = {&events, &stepped, &ordered, &frames};
    uint64_t stored = cost_of(&events, (struct cost){.n = 1000});
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (unsigned bits = 0; bits < 4; bits++) {
            const struct cost cost = {.n = 1000, .mixed = bits & 1, .text = bits & 2, .head = true};
            assert_int_equal(cost_of(forms[i], cost), stored);
        }
}

static void an_order_costs_as_much_as_it_is_long(void **state)
{
    (void)state;
    assert_int_equal(cost_order_us(0), 0);
    assert_in_range(cost_order_us(60000), 100, 10000);
    assert_int_equal(cost_order_us(600000), 10 * cost_order_us(60000));
}

static void a_view_costs_more_than_an_order(void **state)
{
    (void)state;
    assert_int_equal(cost_view_us(0), 0);
    assert_true(cost_view_us(60000) > cost_order_us(60000));
    assert_int_equal(cost_view_us(600000), 10 * cost_view_us(60000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_samples_cost_a_look_alone),
        cmocka_unit_test(whatever_is_made_costs_more_than_what_is_stored),
        cmocka_unit_test(frames_cost_as_much_as_they_have_bytes),
        cmocka_unit_test(pictures_cost_as_much_as_they_have_pixels),
        cmocka_unit_test(what_is_cut_costs_as_often_as_its_events_are_shared),
        cmocka_unit_test(filters_cost_by_what_they_do),
        cmocka_unit_test(a_length_alone_costs_no_more_than_a_look),
        cmocka_unit_test(an_order_costs_as_much_as_it_is_long),
        cmocka_unit_test(a_view_costs_more_than_an_order),
    };
    return cmocka_run_group_tests_name("cost", tests, small_setup, small_teardown);
}
