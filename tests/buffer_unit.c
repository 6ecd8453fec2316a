/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/buffer: what is in it stays when it grows, and when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generator/buffer.h"
#include "tests/scarce.h"

enum { LONG = 1 << 20 };

static void buffer_grows_and_keeps_what_is_in_it(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_assign(&buffer, "hello", 5), 0);
    for (size_t capacity = 1; capacity <= LONG; capacity *= 4) {
        assert_int_equal(buffer_reserve(&buffer, capacity), 0);
        assert_true(buffer.capacity >= capacity);
        assert_int_equal(buffer.size, 5);
        assert_memory_equal(buffer.bytes, "hello", 5);
        buffer.bytes[buffer.capacity - 1] = 'x'; /* the room is there */
    }
    buffer_free(&buffer);
}

static void buffer_never_shrinks(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_reserve(&buffer, LONG), 0);
    const uint8_t *bytes = buffer.bytes;
    assert_int_equal(buffer_reserve(&buffer, 1), 0);
    assert_int_equal(buffer_assign(&buffer, "abc", 3), 0);
    assert_ptr_equal(buffer.bytes, bytes);
    assert_true(buffer.capacity >= LONG);
    buffer_free(&buffer);
}

static void buffer_has_bytes_even_for_nothing(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_reserve(&buffer, 0), 0);
    assert_non_null(buffer.bytes);
    assert_int_equal(buffer.size, 0);
    buffer_free(&buffer);
}

static void buffer_holds_the_last_copy(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    char text[] = "first";
    assert_int_equal(buffer_assign(&buffer, text, 5), 0);
    text[0] = '#';
    assert_memory_equal(buffer.bytes, "first", 5);
    assert_int_equal(buffer_assign(&buffer, "no", 2), 0);
    assert_int_equal(buffer.size, 2);
    assert_memory_equal(buffer.bytes, "no", 2);
    buffer_free(&buffer);
}

static void buffer_that_was_freed_can_be_used_again(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_assign(&buffer, "one", 3), 0);
    buffer_free(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer.capacity, 0);
    buffer_free(&buffer);
    assert_int_equal(buffer_assign(&buffer, "two", 3), 0);
    assert_memory_equal(buffer.bytes, "two", 3);
    buffer_free(&buffer);
}

static int assign_more(void *user, struct error *why)
{
    static uint8_t bytes[LONG];
    struct buffer *buffer = user;
    (void)why;
    int r = buffer_assign(buffer, bytes, sizeof bytes);
    if (r < 0) {
        assert_int_equal(buffer->size, 4);
        assert_memory_equal(buffer->bytes, "kept", 4);
    }
    return r;
}

static void buffer_without_memory_stays_as_it_is(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_assign(&buffer, "kept", 4), 0);
    assert_true(scarce_try(assign_more, &buffer) > 0);
    assert_int_equal(buffer.size, LONG);
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_and_keeps_what_is_in_it),
        cmocka_unit_test(buffer_never_shrinks),
        cmocka_unit_test(buffer_has_bytes_even_for_nothing),
        cmocka_unit_test(buffer_holds_the_last_copy),
        cmocka_unit_test(buffer_that_was_freed_can_be_used_again),
        cmocka_unit_test(buffer_without_memory_stays_as_it_is),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
