/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/problem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/problem.h"

static struct problem read_problem(long status, const char *type, const char *body)
{
    struct answer answer = {.status = status};
    struct problem problem;
    memset(&problem, 'x', sizeof problem);
    snprintf(answer.headers[HEADER_CONTENT_TYPE], HEADER_MAX, "%s", type);
    assert_int_equal(body_add(&answer.body, body, strlen(body)), 0);
    problem_read(&answer, &problem);
    body_clear(&answer.body);
    return problem;
}

static void a_problem_is_its_code_and_a_line_for_people(void **state)
{
    (void)state;
    static const char type[] = "application/problem+json";
    static const struct {
        long status;
        const char *type, *body, *code, *text;
    } cases[] = {
        {404, type, "{\"code\": \"no-such-split\", \"title\": \"T\", \"detail\": \"no split x\"}",
         "no-such-split", "no split x"},
        {404, "application/problem+json; charset=utf-8", "{\"code\": \"c\", \"title\": \"T\"}", "c",
         "T"},
        {404, type, "{\"code\": \"no-such-revision\", \"detail\": \"it is at 12\"}",
         "no-such-revision", "has other data: it is at 12"},
        {404, type, "{\"code\": \"no-such-revision\"}", "no-such-revision", "has other data: "},
        {400, type, "{\"detail\": \"d\", \"code\": 7}", "", "d"},
        {500, type, "{}", "", "HTTP status 500"},
        {500, type, "{\"detail\": ", "", "HTTP status 500"},
        {500, type, "", "", "HTTP status 500"},
        {502, "text/html", "{\"code\": \"busy\", \"detail\": \"d\"}", "", "HTTP status 502"},
        {503, "", "", "", "HTTP status 503"},
        {200, type, "{\"code\": \"busy\", \"detail\": \"d\"}", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = read_problem(cases[i].status, cases[i].type, cases[i].body);
        assert_string_equal(problem.code, cases[i].code);
        assert_string_equal(problem.text, cases[i].text);
    }
}

static void texts_without_end_are_cut(void **state)
{
    (void)state;
    char body[4096], filler[1500];
    memset(filler, 'a', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    snprintf(body, sizeof body, "{\"code\": \"%s\", \"detail\": \"%s\"}", filler, filler);
    struct problem problem = read_problem(400, "application/problem+json", body);
    assert_int_equal(strlen(problem.code), sizeof problem.code - 1);
    assert_int_equal(strlen(problem.text), sizeof problem.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_is_its_code_and_a_line_for_people),
        cmocka_unit_test(texts_without_end_are_cut),
    };
    return cmocka_run_group_tests_name("client_problem", tests, NULL, NULL);
}
