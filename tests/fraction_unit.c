/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/fraction. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/fraction.h"
#include "common/mt19937.h"

static double parsed(const char *text)
{
    double value = -1;
    struct error why = {""};
    if (fraction_parse("part", text, strlen(text), &value, &why) < 0)
        fail_msg("%s", why.text);
    return value;
}

static void a_number_below_one_is_read(void **state)
{
    (void)state;
    assert_true(parsed("0") == 0 && parsed("0.0") == 0 && parsed("00") == 0);
    assert_true(parsed("0.5") == 0.5 && parsed("0.50") == 0.5 && parsed("00.25") == 0.25);
    assert_true(parsed("0.1") == 0.1 && parsed("0.3333333333333333") == 1. / 3);
    assert_true(parsed("0.99999999999999988898") == 1 - 0x1p-53);
    assert_true(parsed("0.00000000000000000001") == 1e-20);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        ".",
                                        ".5",
                                        "0.",
                                        "-0",
                                        "+0",
                                        "0,5",
                                        "1e-3",
                                        "0x0.8",
                                        "0.5 ",
                                        " 0.5",
                                        "0.5.5",
                                        "nan",
                                        "inf",
                                        "half",
                                        "0.5f",
                                        "0.1e1",
                                        "0..5",
                                        "0.000000000000000000001",
                                        "000000000000000000000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double value = 7;
        struct error why;
        assert_int_equal(fraction_parse("part", wrong[i], strlen(wrong[i]), &value, &why), -EINVAL);
        assert_non_null(strstr(why.text, "part takes a number as 0.25"));
        assert_true(value == 7);
    }
    double value = 7;
    assert_int_equal(fraction_parse("part", "0.5\0", 4, &value, NULL), -EINVAL);
    assert_true(value == 7);
}

static void one_and_more_are_past_the_range(void **state)
{
    (void)state;
    static const char *const large[] = {"1", "1.0", "2.5", "0.99999999999999999999",
                                        "99999999999999999999.99999999999999999999"};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        double value = 7;
        struct error why;
        assert_int_equal(fraction_parse("part", large[i], strlen(large[i]), &value, &why), -ERANGE);
        assert_non_null(strstr(why.text, "it goes from 0 to below 1"));
        assert_true(value == 7);
    }
}

static void a_text_is_the_shortest_that_is_read_as_its_number(void **state)
{
    (void)state;
    static const char *const shortest[] = {
        "0", "0.5", "0.1", "0.25", "0.3333333333333333", "0.00001", "0.9999999999999999"};
    char text[FRACTION_TEXT_SIZE];
    for (size_t i = 0; i < sizeof shortest / sizeof *shortest; i++) {
        fraction_text(parsed(shortest[i]), text);
        assert_string_equal(text, shortest[i]);
    }
    fraction_text(1e-300, text);
    assert_string_equal(text, "0.00000000000000000000");
    struct mt19937 random;
    mt19937_init_genrand(&random, 3);
    for (unsigned i = 0; i < 2000; i++) {
        double value = 0.001 + 0.999 * mt19937_u32(&random) / 0x1p32;
        fraction_text(value, text);
        assert_true(parsed(text) == value);
    }
}

static void another_locale_changes_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C.UTF-8"};
    char text[FRACTION_TEXT_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        assert_true(parsed("0.5") == 0.5);
        fraction_text(0.5, text);
        assert_string_equal(text, "0.5");
    }
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_below_one_is_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(one_and_more_are_past_the_range),
        cmocka_unit_test(a_text_is_the_shortest_that_is_read_as_its_number),
        cmocka_unit_test(another_locale_changes_nothing),
    };
    return cmocka_run_group_tests_name("fraction", tests, NULL, NULL);
}
