/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/upload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/budget.h"
#include "server/upload.h"

enum { MOST = 4000, MOST_READ = 16000, ADDRESS = 7 };

static const char bytes[MOST_READ];

static struct upload begin(uint64_t length)
{
    budget_set(1 << 20, 1 << 20);
    return (struct upload){
        .address = ADDRESS, .most = MOST, .most_read = MOST_READ, .length = length};
}

static void end(struct upload *upload)
{
    upload_free(upload);
    assert_int_equal(budget_used(), 0);
}

static void pieces_become_one_body(void **state)
{
    (void)state;
    struct upload upload = begin(0);
    assert_true(upload_add(&upload, "{\"indices\"", 10));
    assert_true(upload_add(&upload, "", 0));
    assert_true(upload_add(&upload, ": [1]}", 6));
    assert_int_equal(upload.fault, UPLOAD_SOUND);
    assert_int_equal(upload.size, 16);
    assert_memory_equal(upload.bytes, "{\"indices\": [1]}", 16);
    end(&upload);
}

static void what_is_held_is_claimed(void **state)
{
    (void)state;
    struct upload upload = begin(0);
    for (size_t size = 0; size < MOST; size += 500) {
        assert_true(upload_add(&upload, bytes, 500));
        assert_int_equal(budget_used(), upload.room);
        assert_in_range(upload.room, upload.size, MOST);
    }
    assert_int_equal(upload.size, MOST);
    end(&upload);
}

static void a_length_that_was_announced_is_claimed_at_once(void **state)
{
    (void)state;
    struct upload upload = begin(3000);
    assert_true(upload_add(&upload, bytes, 1));
    assert_int_equal(budget_used(), 3000);
    assert_true(upload_add(&upload, bytes, 2999));
    assert_int_equal(budget_used(), 3000);
    end(&upload);
}

static void what_is_too_long_is_read_on_but_not_kept(void **state)
{
    (void)state;
    struct upload upload = begin(0);
    assert_true(upload_add(&upload, bytes, MOST));
    assert_true(upload_add(&upload, bytes, 1));
    assert_int_equal(upload.fault, UPLOAD_TOO_LONG);
    assert_null(upload.bytes);
    assert_int_equal(budget_used(), 0);
    assert_true(upload_add(&upload, bytes, MOST_READ - MOST - 1));
    assert_false(upload_add(&upload, bytes, 1));
    assert_int_equal(upload.fault, UPLOAD_TOO_LONG);
    end(&upload);
}

static void without_budget_nothing_is_kept(void **state)
{
    (void)state;
    struct upload upload = begin(0);
    budget_set(2000, 2000);
    assert_true(upload_add(&upload, bytes, 1000));
    assert_int_equal(upload.fault, UPLOAD_SOUND);
    assert_true(upload_add(&upload, bytes, 1100));
    assert_int_equal(upload.fault, UPLOAD_NO_BUDGET);
    assert_null(upload.bytes);
    assert_int_equal(budget_used(), 0);
    end(&upload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_become_one_body),
        cmocka_unit_test(what_is_held_is_claimed),
        cmocka_unit_test(a_length_that_was_announced_is_claimed_at_once),
        cmocka_unit_test(what_is_too_long_is_read_on_but_not_kept),
        cmocka_unit_test(without_budget_nothing_is_kept),
    };
    return cmocka_run_group_tests_name("upload", tests, NULL, NULL);
}
