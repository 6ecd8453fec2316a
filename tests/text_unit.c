/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/event.h"
#include "server/samples/text.h"
#include "tests/answers.h"

static struct text open_text(struct reply *reply, uint64_t size)
{
    struct text text;
    struct error why;
    assert_int_equal(text_open(&text, reply, size, &why), 0);
    assert_int_equal(text.size, size);
    assert_int_equal(reply->n_claimed, size);
    return text;
}

static void close_text(struct text *text, struct reply *reply, const char *want)
{
    struct error why;
    assert_int_equal(text_close(text, reply, &why), 0);
    answer_is(reply, want, strlen(want));
    answer_end(reply);
}

static void pieces_follow_each_other(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct text text = open_text(&reply, 100);
    text_add(&text, "{\"n\":");
    text_u64(&text, 0);
    text_add(&text, "");
    text_format(&text, ",%s%d", "m", 5);
    text_u64(&text, UINT64_MAX);
    text_add(&text, "}");
    close_text(&text, &reply, "{\"n\":0,m518446744073709551615}");
}

static void digits_and_numbers_are_lists(void **state)
{
    (void)state;
    const uint8_t none[N_DIGITS] = {0}, some[N_DIGITS] = {[0] = 1, [9] = 1},
                  all[N_DIGITS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct reply reply = answer_new();
    struct text text = open_text(&reply, 200);
    text_digits(&text, none);
    text_digits(&text, some);
    text_digits(&text, all);
    text_numbers(&text, (const int32_t[]){INT32_MIN, -1, INT32_MAX}, 3);
    text_numbers(&text, NULL, 0);
    close_text(&text, &reply, "[][0,9][0,1,2,3,4,5,6,7,8,9][-2147483648,-1,2147483647][]");
}

static void every_power_of_ten_is_written(void **state)
{
    (void)state;
    uint64_t value = 1;
    for (unsigned n = 1; n <= 20; n++, value *= 10) {
        struct reply reply = answer_new();
        struct text text = open_text(&reply, 64);
        char want[64] = "1";
        memset(want + 1, '0', n - 1);
        text_u64(&text, value);
        close_text(&text, &reply, want);
    }
}

static void a_piece_may_fill_the_text_to_its_last_byte(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct text text = open_text(&reply, 8);
    text_add(&text, "12345");
    text_u64(&text, 678);
    close_text(&text, &reply, "12345678");
}

static void check_overflow(struct text *text, struct reply *reply)
{
    struct error why;
    size_t used = text->used;
    assert_true(text->overflown);
    text_add(text, "");
    text_add(text, "x");
    text_format(text, "y");
    text_u64(text, 1);
    assert_int_equal(text->used, used);
    assert_int_equal(text_close(text, reply, &why), -EOVERFLOW);
    assert_non_null(strstr(why.text, "longer than 8 bytes"));
    assert_int_equal(reply->n_bytes, 0);
    answer_end(reply);
}

static void what_does_not_fit_is_never_written(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        struct reply reply = answer_new();
        struct text text = open_text(&reply, 8);
        text_add(&text, "1234567");
        if (kind == 0)
            text_add(&text, "89");
        else if (kind == 1)
            text_u64(&text, 89);
        else
            text_format(&text, "%d", 89);
        check_overflow(&text, &reply);
    }
}

static void a_text_past_the_answers_limit_is_not_opened(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct text text = {.used = 5};
    struct error why;
    reply.max_bytes = 99;
    assert_int_equal(text_open(&text, &reply, 100, &why), -E2BIG);
    assert_int_equal(text.used, 5);
    answer_end(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(digits_and_numbers_are_lists),
        cmocka_unit_test(every_power_of_ten_is_written),
        cmocka_unit_test(a_piece_may_fill_the_text_to_its_last_byte),
        cmocka_unit_test(what_does_not_fit_is_never_written),
        cmocka_unit_test(a_text_past_the_answers_limit_is_not_opened),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
