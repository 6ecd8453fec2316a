/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/items: columns and structured items, the fast ways against the plain ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/items.h"
#include "common/cpu.h"
#include "common/event.h"
#include "common/philox.h"

enum { MAX_EVENTS = 300 };

static const struct items_layout layouts[] = {
    {.item_size = 7, .at = {0, 1, 2, 6}, .width = {1, 1, 4, 1}},
    {.item_size = 8, .at = {4, 5, 0, 6}, .width = {1, 1, 4, 1}},
    {.item_size = 32, .at = {0, 8, 16, 24}, .width = {8, 8, 8, 8}},
    {.item_size = 13, .at = {0, 2, 4, 12}, .width = {2, 2, 8, 1}},
    {.item_size = 64, .at = {60, 40, 20, 0}, .width = {4, 2, 4, 1}},
};

enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

/* Any bytes at all: every one of them is an event. In memory of exactly its size and slack. */
static uint8_t *random_events(size_t n, uint64_t seed)
{
    size_t size = n * EVENT_BYTES;
    uint8_t *events = calloc(1, size + ITEMS_SLACK);
    assert_non_null(events);
    for (size_t i = 0; i < size; i++) {
        uint64_t random[4];
        philox4x64(seed, i, random);
        events[i] = (uint8_t)random[0];
    }
    return events;
}

static void *room(size_t size)
{
    void *bytes = malloc(size ? size : 1);
    assert_non_null(bytes);
    memset(bytes, 0x5a, size);
    return bytes;
}

static struct items_columns columns_at(uint8_t *bytes, size_t n)
{
    return (struct items_columns){bytes, bytes + 4 * n, bytes + 5 * n, bytes + 6 * n};
}

/* At a level of instructions, and by the plain loop, to be compared; `odd` bytes off alignment. */
static void compare_columns(enum cpu_level level, size_t n, size_t odd)
{
    uint8_t *events = random_events(n, n), *fast = room(7 * n + odd), *plain = room(7 * n);
    cpu_limit(level);
    items_columns(events, n, columns_at(fast + odd, n));
    cpu_limit(CPU_PORTABLE);
    items_columns(events, n, columns_at(plain, n));
    assert_memory_equal(fast + odd, plain, 7 * n);
    free(events);
    free(fast);
    free(plain);
}

static void columns_are_those_of_the_plain_loop_at_any_alignment(void **state)
{
    (void)state;
    for (int level = 0; level < CPU_LEVELS; level++)
        for (size_t n = 0; n < MAX_EVENTS; n += n < 70 ? 1 : 23)
            for (size_t odd = 0; odd < 2; odd++)
                compare_columns((enum cpu_level)level, n, odd);
}

static void compare_items(enum cpu_level level, const struct items_layout *layout, size_t n)
{
    size_t size = n * layout->item_size;
    uint8_t *events = random_events(n, n), *fast = room(size), *plain = room(size);
    cpu_limit(level);
    items_structured(layout, events, n, fast);
    cpu_limit(CPU_PORTABLE);
    items_structured(layout, events, n, plain);
    assert_memory_equal(fast, plain, size);
    free(events);
    free(fast);
    free(plain);
}

static void items_of_every_layout_are_those_of_the_plain_loop(void **state)
{
    (void)state;
    for (int level = 0; level < CPU_LEVELS; level++)
        for (size_t l = 0; l < N_LAYOUTS; l++)
            for (size_t n = 0; n < MAX_EVENTS; n += n < 40 ? 1 : 37)
                compare_items((enum cpu_level)level, &layouts[l], n);
}

/* What the plain loop itself gives, at every level. */
static void an_item_holds_its_fields_where_the_layout_says(void **state)
{
    (void)state;
    uint8_t events[EVENT_BYTES + ITEMS_SLACK] = {0}, item[13];
    event_pack((struct event){.t_us = 0x123456, .x = 33, .y = 7, .p = 1}, events);
    for (int level = 0; level < CPU_LEVELS; level++) {
        cpu_limit((enum cpu_level)level);
        items_structured(&layouts[3], events, 1, item);
        const uint8_t expected[13] = {33, 0, 7, 0, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0, 1};
        assert_memory_equal(item, expected, sizeof item);
    }
}

static void layouts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const struct {
        struct items_layout layout;
        const char *words;
    } wrong[] = {
        {{.item_size = 0, .at = {0}, .width = {1, 1, 4, 1}}, "items of 0 bytes"},
        {{.item_size = 65, .at = {0}, .width = {1, 1, 4, 1}}, "items of 65 bytes"},
        {{.item_size = 8, .at = {0, 1, 2, 6}, .width = {3, 1, 4, 1}}, "field x has a width"},
        {{.item_size = 8, .at = {0, 1, 2, 6}, .width = {1, 1, 2, 1}}, "field t has a width"},
        {{.item_size = 7, .at = {0, 1, 4, 6}, .width = {1, 1, 4, 1}}, "field t at byte 4"},
        {{.item_size = 8, .at = {0, 1, 1, 6}, .width = {1, 1, 4, 1}}, "field t lies upon"},
        {{.item_size = 8, .at = {0, 1, 2, UINT32_MAX}, .width = {1, 1, 4, 1}}, "field p at byte"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error why = {0};
        assert_int_equal(items_layout_check(&wrong[i].layout, &why), -EINVAL);
        assert_non_null(strstr(why.text, wrong[i].words));
    }
    for (size_t l = 0; l < N_LAYOUTS; l++)
        assert_int_equal(items_layout_check(&layouts[l], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_the_plain_loop_at_any_alignment),
        cmocka_unit_test(items_of_every_layout_are_those_of_the_plain_loop),
        cmocka_unit_test(an_item_holds_its_fields_where_the_layout_says),
        cmocka_unit_test(layouts_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests_name("items", tests, NULL, NULL);
}
