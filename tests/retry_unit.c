/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/retry. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/retry.h"
#include "common/wire.h"

static void retry_judges_by_status_and_code(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code;
        enum retry_verdict verdict;
        int error;
    } cases[] = {
        {200, "", RETRY_GOOD, 0},
        {302, "", RETRY_OTHER, -EPROTO},
        {400, "bad-parameter", RETRY_NEVER, -EINVAL},
        {401, "", RETRY_OTHER, -EACCES},
        {404, "", RETRY_NEVER, -ENOENT},
        {404, "no-such-revision", RETRY_OTHER, -ESTALE},
        {408, "", RETRY_AGAIN, -ETIMEDOUT},
        {429, "", RETRY_AGAIN, -EHOSTUNREACH},
        {404, "no-source", RETRY_OTHER, -ENOENT},
        {404, "no-such-sample", RETRY_NEVER, -ENOENT},
        {404, "said by a newer server", RETRY_NEVER, -ENOENT},
        {403, "no-source", RETRY_OTHER, -EACCES},
        {500, "split-damaged", RETRY_OTHER, -EBADMSG},
        {500, "said by a newer server", RETRY_AGAIN, -EHOSTUNREACH},
        {501, "", RETRY_OTHER, -EPROTO},
        {503, "", RETRY_AGAIN, -EHOSTUNREACH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int error = 1;
        assert_int_equal(retry_judge(cases[i].status, cases[i].code, &error), cases[i].verdict);
        assert_int_equal(error, cases[i].error);
    }
}

static void retry_knows_each_kind_of_problem(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code;
        enum retry_verdict verdict;
        int error;
    } rows[] = {
#define ROW(kind, status, code, title, verdict, error) {status, code, RETRY_##verdict, -error},
        WIRE_PROBLEMS(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int error = 1;
        assert_int_equal(retry_judge(rows[i].status, rows[i].code, &error), rows[i].verdict);
        assert_int_equal(error, rows[i].error);
        assert_int_not_equal(rows[i].verdict, RETRY_GOOD);
    }
}

static void retry_rests_double_up_to_the_limit(void **state)
{
    (void)state;
    for (unsigned failures = 1; failures < 100; failures++) {
        uint64_t longest = failures < 8 ? UINT64_C(100) << (failures - 1) : 10000;
        if (longest > 10000)
            longest = 10000;
        assert_int_equal(retry_backoff_ms(failures, 100, 10000, 0), longest);
        assert_int_equal(retry_backoff_ms(failures, 100, 10000, UINT32_MAX), longest - longest / 2);
        uint64_t middle = retry_backoff_ms(failures, 100, 10000, UINT32_MAX / 2);
        assert_in_range(middle, longest / 2, longest);
    }
}

static void retry_after_takes_seconds_and_dates(void **state)
{
    (void)state;
    const time_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    uint64_t ms = 1;
    assert_true(retry_after_ms("120", now, &ms));
    assert_int_equal(ms, 120000);
    assert_true(retry_after_ms("Sun, 06 Nov 1994 08:49:47 GMT", now, &ms));
    assert_int_equal(ms, 10000);
    assert_true(retry_after_ms("Sun, 06 Nov 1994 08:49:27 GMT", now, &ms));
    assert_int_equal(ms, 0);
    static const char *const wrong[] = {"",
                                        "-1",
                                        "1.5",
                                        "soon",
                                        "99999999999999999999",
                                        "1 2",
                                        "Sun, 06 Nov 1994 08:49:37",
                                        "Sun, 06 Nov 1994 08:49:37 GMT ",
                                        "Sun, 06 nov 1994 08:49:37 GMT",
                                        "Sun, 06 ovD 1994 08:49:37 GMT",
                                        "Sun, 0x Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:49:3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(retry_after_ms(wrong[i], now, &ms));
}

static void retry_after_takes_dates_in_any_locale(void **state)
{
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ja_JP.UTF-8"};
    size_t i = 0;
    while (i < sizeof locales / sizeof *locales && !setlocale(LC_ALL, locales[i]))
        i++;
    if (i == sizeof locales / sizeof *locales) {
        print_message("no locale but C and English ones is installed\n");
        skip();
    }
    uint64_t ms = 1;
    assert_true(retry_after_ms("Tue, 06 Dec 1994 08:49:47 GMT", 786703777, &ms));
    setlocale(LC_ALL, "C");
    assert_int_equal(ms, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_judges_by_status_and_code),
        cmocka_unit_test(retry_knows_each_kind_of_problem),
        cmocka_unit_test(retry_rests_double_up_to_the_limit),
        cmocka_unit_test(retry_after_takes_seconds_and_dates),
        cmocka_unit_test(retry_after_takes_dates_in_any_locale),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
