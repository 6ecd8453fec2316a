/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/reply. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "server/samples/budget.h"
#include "server/samples/reply.h"
#include "tests/answers.h"

static void claims_add_up_to_the_answers_limit(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    reply.max_bytes = 1000;
    assert_int_equal(reply_claim(&reply, 600, &why), 0);
    assert_int_equal(reply_claim(&reply, 401, &why), -E2BIG);
    assert_non_null(strstr(why.text, "may take 1001 bytes; max_answer_bytes is 1000"));
    assert_int_equal(reply.n_claimed, 600);
    assert_int_equal(reply_claim(&reply, 400, &why), 0);
    assert_int_equal(reply_claim(&reply, 0, &why), 0);
    assert_int_equal(reply_claim(&reply, 1, &why), -E2BIG);
    assert_int_equal(reply_claim(&reply, UINT64_MAX, &why), -E2BIG);
    assert_non_null(strstr(why.text, "may take 18446744073709551615 bytes"));
    assert_int_equal(budget_used(), 1000);
    answer_end(&reply);
    assert_int_equal(reply.max_bytes, 1000);
}

static void what_the_budget_has_not_is_to_be_asked_for_again(void **state)
{
    (void)state;
    struct reply reply = answer_new(), other = answer_new();
    struct error why;
    void *bytes = NULL;
    budget_set(1000, 600);
    reply.address = 1;
    other.address = 2;
    assert_int_equal(reply_claim(&reply, 601, &why), -EAGAIN);
    assert_int_equal(reply_alloc(&reply, 600, &bytes, &why), 0);
    assert_int_equal(reply_claim(&reply, 1, &why), -EAGAIN);
    assert_int_equal(reply_claim(&other, 401, &why), -EAGAIN);
    assert_int_equal(reply_claim(&other, 400, &why), 0);
    bytes = NULL;
    assert_int_equal(reply_alloc(&other, 1, &bytes, &why), -EAGAIN);
    assert_null(bytes);
    assert_int_equal(other.n_owned, 0);
    reply_reset(&reply);
    assert_int_equal(budget_used(), 400);
    assert_int_equal(reply_claim(&reply, 600, &why), 0);
    reply_reset(&other);
    answer_end(&reply);
}

static void neighbours_in_memory_become_one_part(void **state)
{
    (void)state;
    static const char bytes[] = "abcdefghij";
    struct reply reply = answer_new();
    struct error why;
    assert_int_equal(reply_borrow(&reply, bytes, 3, &why), 0);
    assert_int_equal(reply_borrow(&reply, bytes + 3, 2, &why), 0);
    assert_int_equal(reply.n_parts, 1);
    assert_int_equal(reply_borrow(&reply, bytes + 6, 2, &why), 0);
    assert_int_equal(reply.n_parts, 2);
    assert_int_equal(reply_borrow(&reply, bytes + 9, 0, &why), 0);
    assert_int_equal(reply_borrow(&reply, NULL, 0, &why), 0);
    assert_int_equal(reply.n_parts, 2);
    assert_int_equal(reply_borrow(&reply, bytes + 8, 2, &why), 0);
    assert_int_equal(reply.n_parts, 2);
    assert_int_equal(reply_borrow(&reply, bytes, 3, &why), 0);
    assert_int_equal(reply.n_parts, 3);
    answer_is(&reply, "abcdeghijabc", 12);
    answer_end(&reply);
}

static void many_parts_are_claimed_and_kept_in_order(void **state)
{
    (void)state;
    enum { N = 1000 };
    char bytes[2 * N], want[N];
    struct reply reply = answer_new();
    struct error why;
    for (unsigned i = 0; i < N; i++) {
        want[i] = bytes[2 * i] = (char)('a' + i % 26);
        bytes[2 * i + 1] = '-';
        assert_int_equal(reply_borrow(&reply, &bytes[2 * i], 1, &why), 0);
    }
    assert_int_equal(reply.n_parts, N);
    assert_in_range(reply.n_claimed, (N - 8) * sizeof(struct iovec), 2 * N * sizeof(struct iovec));
    answer_is(&reply, want, N);
    answer_end(&reply);
}

static void parts_past_the_limit_are_refused(void **state)
{
    (void)state;
    const char bytes[32] = "";
    struct reply reply = answer_new();
    struct error why;
    reply.max_bytes = 8 * sizeof(struct iovec) - 1;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(reply_borrow(&reply, &bytes[2 * i], 1, &why), 0);
    assert_int_equal(reply_borrow(&reply, &bytes[20], 1, &why), -E2BIG);
    assert_int_equal(reply.n_bytes, 8);
    assert_int_equal(reply.n_parts, 8);
    answer_end(&reply);
}

static void what_is_cut_out_is_what_stands_there(void **state)
{
    (void)state;
    static const char parts[] = "ab-cde-f-ghij", body[] = "abcdefghij";
    enum { N = 10 };
    for (uint64_t first = 0; first < N; first++)
        for (uint64_t last = first; last < N; last++) {
            struct reply reply = answer_new();
            assert_int_equal(reply_borrow(&reply, parts, 2, NULL), 0);
            assert_int_equal(reply_borrow(&reply, parts + 3, 3, NULL), 0);
            assert_int_equal(reply_borrow(&reply, parts + 7, 1, NULL), 0);
            assert_int_equal(reply_borrow(&reply, parts + 9, 4, NULL), 0);
            reply_cut(&reply, first, last);
            answer_is(&reply, body + first, last - first + 1);
            assert_true(reply.unknown_crc);
            answer_end(&reply);
        }
}

static void owned_bytes_are_freed_also_when_they_cannot_be_added(void **state)
{
    (void)state;
    const char bytes[32] = "";
    struct reply reply = answer_new();
    struct error why;
    assert_int_equal(reply_own(&reply, strdup("abc"), 3, &why), 0);
    assert_int_equal(reply_own(&reply, strdup("never sent"), 0, &why), 0);
    answer_is(&reply, "abc", 3);
    reply.max_bytes = 0;
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(reply_borrow(&reply, &bytes[2 * i], 1, &why), 0);
    assert_int_equal(reply_own(&reply, strdup("def"), 3, &why), -E2BIG);
    assert_int_equal(reply.n_owned, 3);
    answer_end(&reply); /* a sanitizer sees what is left */
}

static void memory_lives_as_long_as_the_reply(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    for (unsigned i = 0; i < REPLY_MAX_OWNED; i++) {
        void *bytes;
        assert_int_equal(reply_alloc(&reply, i * 100, &bytes, &why), 0);
        assert_non_null(bytes);
        memset(bytes, 'x', i * 100);
    }
    assert_int_equal(reply.n_claimed, 100 * REPLY_MAX_OWNED * (REPLY_MAX_OWNED - 1) / 2);
    assert_int_equal(reply.n_bytes, 0);
    answer_end(&reply);
}

static void for_a_head_pieces_are_only_counted(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    reply.head_only = true;
    assert_int_equal(reply_borrow(&reply, NULL, 1000, &why), 0);
    assert_int_equal(reply_own(&reply, strdup("abc"), 3, &why), 0);
    assert_int_equal(reply.n_bytes, 1003);
    assert_int_equal(reply.n_parts, 0);
    answer_end(&reply);
    assert_true(reply.head_only);
}

static void a_body_is_skipped_for_a_head_whose_length_is_not_known(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    assert_false(reply_skips(&reply, true));
    assert_false(reply_skips(&reply, false));
    assert_false(reply.unknown_length);
    reply.head_only = true;
    assert_false(reply_skips(&reply, true));
    assert_false(reply.unknown_length);
    assert_true(reply_skips(&reply, false));
    assert_true(reply.unknown_length);
}

static void the_crc_of_the_body_is_made_from_those_of_its_parts(void **state)
{
    (void)state;
    static const char bytes[] = "abcdefghij";
    struct reply reply = answer_new();
    struct error why;
    assert_int_equal(reply_borrow(&reply, bytes, 3, &why), 0);
    assert_int_equal(reply_borrow_known(&reply, bytes + 5, 4, crc32c(0, bytes + 5, 4), &why), 0);
    assert_int_equal(reply_borrow_known(&reply, bytes, 0, 0, &why), 0);
    assert_int_equal(reply_own(&reply, strdup("xyz"), 3, &why), 0);
    assert_false(reply.unknown_crc);
    assert_int_equal(reply.crc, crc32c(0, "abcfghixyz", 10));
    assert_int_equal(reply_borrow_unread(&reply, bytes, 10, &why), 0);
    assert_true(reply.unknown_crc);
    answer_is(&reply, "abcfghixyzabcdefghij", 20);
    answer_end(&reply);
    assert_false(reply.unknown_crc);
    assert_int_equal(reply.crc, 0);
}

static void a_check_of_the_limit_claims_nothing(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    budget_set(0, 0);
    reply.max_bytes = 100;
    assert_int_equal(reply_check(&reply, 100, &why), 0);
    assert_int_equal(reply_check(&reply, 101, &why), -E2BIG);
    assert_int_equal(reply_check(&reply, UINT64_MAX, &why), -E2BIG);
    assert_int_equal(reply.n_claimed, 0);
    answer_end(&reply);
}

static void headers_are_kept_and_cut_to_their_room(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    char longest[REPLY_HEADER_VALUE + 50];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    reply_set_header(&reply, "Allow", "%s, %s", "GET", "HEAD");
    reply_set_header(&reply, "ETag", "%s", longest);
    assert_string_equal(answer_header(&reply, "Allow"), "GET, HEAD");
    assert_int_equal(strlen(answer_header(&reply, "ETag")), REPLY_HEADER_VALUE - 1);
    assert_null(answer_header(&reply, "Vary"));
    answer_end(&reply);
    assert_null(answer_header(&reply, "Allow"));
}

static void a_reset_leaves_nothing_but_for_whom_it_is_made(void **state)
{
    (void)state;
    atomic_bool damaged = true;
    struct reply reply = answer_new();
    struct error why;
    reply.max_bytes = 500;
    reply.address = 42;
    reply.head_only = true;
    const struct reply before = reply;
    void *bytes;
    reply.status = 206;
    reply.unknown_length = true;
    reply_set_header(&reply, "ETag", "x");
    reply_watch(&reply, &damaged, NULL);
    assert_int_equal(reply_alloc(&reply, 100, &bytes, &why), 0);
    assert_int_equal(reply_borrow(&reply, bytes, 100, &why), 0);
    answer_end(&reply);
    assert_int_equal(reply.max_bytes, before.max_bytes);
    assert_int_equal(reply.address, before.address);
    assert_true(reply.head_only);
    assert_false(reply.unknown_length);
    assert_int_equal(reply.status, 0);
    assert_int_equal(reply.n_headers, 0);
    assert_int_equal(reply.n_bytes, 0);
    assert_false(reply_is_damaged(&reply));
    answer_end(&reply);
}

static void every_flag_that_is_watched_counts(void **state)
{
    (void)state;
    atomic_bool first = false, second = false;
    struct reply reply = answer_new();
    assert_false(reply_is_damaged(&reply));
    reply_watch(&reply, &first, NULL);
    reply_watch(&reply, &second, NULL);
    reply_watch(&reply, &first, NULL);
    reply_watch(&reply, &second, NULL);
    assert_false(reply_is_damaged(&reply));
    atomic_store(&second, true);
    assert_true(reply_is_damaged(&reply));
    atomic_store(&second, false);
    atomic_store(&first, true);
    assert_true(reply_is_damaged(&reply));
    answer_end(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_add_up_to_the_answers_limit),
        cmocka_unit_test(what_the_budget_has_not_is_to_be_asked_for_again),
        cmocka_unit_test(neighbours_in_memory_become_one_part),
        cmocka_unit_test(many_parts_are_claimed_and_kept_in_order),
        cmocka_unit_test(parts_past_the_limit_are_refused),
        cmocka_unit_test(what_is_cut_out_is_what_stands_there),
        cmocka_unit_test(owned_bytes_are_freed_also_when_they_cannot_be_added),
        cmocka_unit_test(memory_lives_as_long_as_the_reply),
        cmocka_unit_test(for_a_head_pieces_are_only_counted),
        cmocka_unit_test(a_body_is_skipped_for_a_head_whose_length_is_not_known),
        cmocka_unit_test(the_crc_of_the_body_is_made_from_those_of_its_parts),
        cmocka_unit_test(a_check_of_the_limit_claims_nothing),
        cmocka_unit_test(headers_are_kept_and_cut_to_their_room),
        cmocka_unit_test(a_reset_leaves_nothing_but_for_whom_it_is_made),
        cmocka_unit_test(every_flag_that_is_watched_counts),
    };
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
