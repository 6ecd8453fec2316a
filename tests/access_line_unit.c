/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/access_line: both formats, and what a client may have sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/access_line.h"

static const struct access plain = {
    .time = {.tv_sec = 1795578572, .tv_nsec = 7999999},
    .address = "127.0.0.1",
    .token = "lab",
    .method = "GET",
    .url = "/v1/splits?x=1",
    .status = 200,
    .n_bytes = 1234,
    .duration_ns = 2000001999,
};

static void check(enum access_format format, const struct access *access, const char *expected)
{
    char line[ACCESS_LINE_SIZE];
    assert_int_equal(access_line(format, access, line), strlen(expected));
    assert_string_equal(line, expected);
}

static void a_line_of_json_has_all_fields(void **state)
{
    (void)state;
    check(ACCESS_JSON, &plain,
          "{\"time\":\"2026-11-25T03:49:32.007Z\",\"address\":\"127.0.0.1\",\"token\":\"lab\","
          "\"method\":\"GET\",\"path\":\"/v1/splits?x=1\",\"status\":200,\"bytes\":1234,"
          "\"duration_s\":2.000001,\"aborted\":false}\n");
}

static void a_line_of_the_common_format_has_the_time_and_the_end_behind_it(void **state)
{
    (void)state;
    check(ACCESS_COMMON, &plain,
          "127.0.0.1 - lab [25/Nov/2026:03:49:32 +0000] \"GET /v1/splits?x=1 HTTP/1.1\" 200 1234 "
          "2.000001 whole\n");
}

static void what_is_not_known_is_said_to_be_so(void **state)
{
    (void)state;
    struct access access = {.address = "unix:0", .method = "", .url = "/", .aborted = true};
    check(ACCESS_JSON, &access,
          "{\"time\":\"1970-01-01T00:00:00.000Z\",\"address\":\"unix:0\",\"token\":null,"
          "\"method\":\"\",\"path\":\"/\",\"status\":null,\"bytes\":0,"
          "\"duration_s\":0.000000,\"aborted\":true}\n");
    check(ACCESS_COMMON, &access,
          "unix:0 - - [01/Jan/1970:00:00:00 +0000] \" / HTTP/1.1\" - 0 0.000000 aborted\n");
}

static void what_a_client_sends_forges_no_line_and_ends_no_quotes(void **state)
{
    (void)state;
    struct access access = plain;
    access.url = "/\"\\\n\x1b[2J\x7f\x80\xff";
    access.method = "G\"T";
    access.token = "a\nb";
    char line[ACCESS_LINE_SIZE];
    access_line(ACCESS_JSON, &access, line);
    assert_non_null(
        strstr(line, "\"path\":\"/\\u0022\\u005c\\u000a\\u001b[2J\\u007f\\u0080\\u00ff\""));
    assert_non_null(strstr(line, "\"method\":\"G\\u0022T\""));
    assert_non_null(strstr(line, "\"token\":\"a\\u000ab\""));
    access_line(ACCESS_COMMON, &access, line);
    assert_non_null(strstr(line, "\"G\\x22T /\\x22\\x5c\\x0a\\x1b[2J\\x7f\\x80\\xff HTTP/1.1\""));
    assert_non_null(strstr(line, " a\\x0ab ["));
}

static void a_long_target_is_cut_and_the_line_stays_whole(void **state)
{
    (void)state;
    char url[20000], line[ACCESS_LINE_SIZE];
    struct access access = plain;
    access.url = url;
    for (int filler = 0; filler < 2; filler++) {
        memset(url, filler ? '"' : 'a', sizeof url - 1);
        url[sizeof url - 1] = '\0';
        for (enum access_format format = ACCESS_JSON; format <= ACCESS_COMMON; format++) {
            size_t n = access_line(format, &access, line);
            assert_in_range(n, 2000, ACCESS_LINE_SIZE - 1);
            assert_int_equal(strlen(line), n);
            assert_int_equal(line[n - 1], '\n');
            assert_ptr_equal(strchr(line, '\n'), line + n - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_json_has_all_fields),
        cmocka_unit_test(a_line_of_the_common_format_has_the_time_and_the_end_behind_it),
        cmocka_unit_test(what_is_not_known_is_said_to_be_so),
        cmocka_unit_test(what_a_client_sends_forges_no_line_and_ends_no_quotes),
        cmocka_unit_test(a_long_target_is_cut_and_the_line_stays_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
