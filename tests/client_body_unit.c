/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/body. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/body.h"
#include "tests/scarce.h"

static void check_block(const struct body *body)
{
    static const uint8_t zeros[BODY_SLACK];
    assert_int_equal((uintptr_t)body->bytes % BODY_ALIGN, 0);
    assert_true(body->room >= body->size);
    assert_memory_equal(body->bytes + body->room, zeros, BODY_SLACK);
}

static void a_body_holds_what_was_added_in_order(void **state)
{
    (void)state;
    struct body body = {0};
    for (unsigned i = 0; i < 3000; i++) {
        const uint8_t bytes[] = {(uint8_t)i, (uint8_t)(i >> 8)};
        assert_int_equal(body_add(&body, bytes, sizeof bytes), 0);
        check_block(&body);
    }
    assert_int_equal(body.size, 6000);
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(body.bytes[2 * i] | body.bytes[2 * i + 1] << 8, i);
    body_clear(&body);
    assert_null(body.bytes);
    assert_int_equal(body.size + body.room, 0);
}

static void nothing_may_be_added(void **state)
{
    (void)state;
    struct body body = {0};
    assert_int_equal(body_add(&body, NULL, 0), 0);
    assert_int_equal(body.size, 0);
    assert_int_equal(body_add(&body, "x", 1), 0);
    assert_int_equal(body_add(&body, NULL, 0), 0);
    assert_int_equal(body.size, 1);
    body_clear(&body);
}

static void room_that_was_made_is_not_made_again(void **state)
{
    (void)state;
    struct body body = {0};
    assert_int_equal(body_reserve(&body, 1000), 0);
    assert_int_equal(body.room, 1000);
    assert_int_equal(body.size, 0);
    const uint8_t *bytes = body.bytes;
    assert_int_equal(body_reserve(&body, 10), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(body_add(&body, "x", 1), 0);
    assert_ptr_equal(body.bytes, bytes);
    assert_int_equal(body.room, 1000);
    body_clear(&body);
}

static void sizes_that_no_memory_has_are_refused(void **state)
{
    (void)state;
    struct body body = {0};
    assert_int_equal(body_reserve(&body, SIZE_MAX), -ENOMEM);
    assert_int_equal(body_reserve(&body, SIZE_MAX - BODY_SLACK + 1), -ENOMEM);
    assert_null(body.bytes);
    assert_int_equal(body_add(&body, "x", 1), 0);
    assert_int_equal(body_add(&body, "x", SIZE_MAX), -ENOMEM);
    assert_int_equal(body.size, 1);
    assert_int_equal(body.bytes[0], 'x');
    body_clear(&body);
}

static void a_body_that_is_taken_leaves_an_empty_one(void **state)
{
    (void)state;
    struct body body = {0}, taken;
    assert_int_equal(body_add(&body, "abc", 3), 0);
    const uint8_t *bytes = body.bytes;
    body_take(&body, &taken);
    assert_ptr_equal(taken.bytes, bytes);
    assert_int_equal(taken.size, 3);
    assert_null(body.bytes);
    assert_int_equal(body.size + body.room, 0);
    body_clear(&body);
    body_clear(&taken);
}

static int add_twice(void *user, struct error *why)
{
    struct body body = {0};
    (void)user;
    int r = body_add(&body, "abc", 3);
    if (r == 0)
        r = body_add(&body, "defghijkl", 9);
    if (r < 0)
        error_set(why, r, "no memory");
    assert_int_equal(body.size, r == 0 ? 12 : body.bytes ? 3 : 0); /* what was there stays */
    body_clear(&body);
    return r;
}

static void a_body_stays_as_it_is_where_memory_runs_out(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(add_twice, NULL), 2);
}

int main(void)
{
    mallopt(M_PERTURB, 0x5a); /* no block is zero by itself */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_holds_what_was_added_in_order),
        cmocka_unit_test(nothing_may_be_added),
        cmocka_unit_test(room_that_was_made_is_not_made_again),
        cmocka_unit_test(sizes_that_no_memory_has_are_refused),
        cmocka_unit_test(a_body_that_is_taken_leaves_an_empty_one),
        cmocka_unit_test(a_body_stays_as_it_is_where_memory_runs_out),
    };
    return cmocka_run_group_tests_name("client_body", tests, NULL, NULL);
}
