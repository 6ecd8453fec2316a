/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/digits: labels, and the digits that they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/digits.h"

/* The labels whose bits are set. */
static void labels_of(unsigned bits, uint8_t ret[N_DIGITS])
{
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        ret[digit] = bits >> digit & 1;
}

static void digits_are_those_with_a_label(void **state)
{
    (void)state;
    uint8_t labels[N_DIGITS], digits[N_DIGITS];
    labels_of(1u << 8 | 1u << 3, labels);
    assert_int_equal(digits_of(labels, digits), 2);
    assert_int_equal(digits[0], 3);
    assert_int_equal(digits[1], 8);
    labels_of(0, labels);
    assert_int_equal(digits_of(labels, digits), 0);
    labels_of((1u << N_DIGITS) - 1, labels);
    assert_int_equal(digits_of(labels, digits), N_DIGITS);
}

static void only_digit_is_there_when_it_is_the_only_one(void **state)
{
    (void)state;
    uint8_t labels[N_DIGITS];
    for (unsigned digit = 0; digit < N_DIGITS; digit++) {
        labels_of(1u << digit, labels);
        assert_int_equal(digits_only(labels), digit);
        labels_of(1u << digit | 1u << ((digit + 1) % N_DIGITS), labels);
        assert_int_equal(digits_only(labels), -1);
    }
    labels_of(0, labels);
    assert_int_equal(digits_only(labels), -1);
}

static void labels_are_0_or_1_and_not_all_0(void **state)
{
    (void)state;
    uint8_t labels[N_DIGITS];
    struct error why = {""};
    labels_of(1, labels);
    assert_int_equal(digits_check(labels, N_DIGITS, &why), 0);
    labels[7] = 2;
    assert_int_equal(digits_check(labels, N_DIGITS, &why), -EBADMSG);
    assert_string_equal(why.text, "label 2 for digit 7 is neither 0 nor 1");
    labels_of(0, labels);
    assert_int_equal(digits_check(labels, N_DIGITS, &why), -EBADMSG);
    assert_string_equal(why.text, "there is no label");
}

static void text_is_what_a_person_would_write(void **state)
{
    (void)state;
    uint8_t labels[N_DIGITS];
    char text[DIGITS_TEXT_SIZE];
    labels_of(1u << 3 | 1u << 8, labels);
    digits_text(labels, ", ", text);
    assert_string_equal(text, "3, 8");
    digits_text(labels, " ", text);
    assert_string_equal(text, "3 8");
    labels_of((1u << N_DIGITS) - 1, labels);
    digits_text(labels, ", ", text);
    assert_string_equal(text, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
    labels_of(0, labels);
    digits_text(labels, ", ", text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_those_with_a_label),
        cmocka_unit_test(only_digit_is_there_when_it_is_the_only_one),
        cmocka_unit_test(labels_are_0_or_1_and_not_all_0),
        cmocka_unit_test(text_is_what_a_person_would_write),
    };
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
