/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/path: which paths are asked for, and what of an answer comes back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake_requests.h"

static tnm_client *client;
static char asked[256];
static const char *answered, *type;
static size_t n_answered;

static int reply(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    (void)why;
    snprintf(asked, sizeof asked, "%s", ask->path);
    type = ask->type;
    fake_bytes(answer, answered, n_answered);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    client = fake_open(reply);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tnm_close(client);
    return 0;
}

static void bytes_come_as_they_are(void **state)
{
    (void)state;
    static const char bytes[] = "\x89PNG\0\n";
    const size_t sizes[] = {sizeof bytes, 1, 0};
    for (size_t i = 0; i < 3; i++) {
        char *got = NULL;
        size_t size = 99;
        answered = bytes;
        n_answered = sizes[i];
        assert_int_equal(tnm_get(client, "/v1/a/3.png?b=1&c=%20", "image/png", &got, &size), 0);
        assert_string_equal(asked, "/v1/a/3.png?b=1&c=%20");
        assert_string_equal(type, "image/png");
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(got, bytes, size);
        assert_int_equal(got[size], '\0');
        tnm_free(got);
    }
}

static void what_is_no_path_is_not_sent(void **state)
{
    (void)state;
    static const struct {
        const char *path, *words;
    } wrong[] = {
        {NULL, "begins with /"},
        {"", "begins with /"},
        {"v1/splits", "begins with /"},
        {"http://a/", "begins with /"},
        {"/a b", "byte 2 has to be written as %20"},
        {"/a\r\nX: y", "%0D"},
        {"/\xc3\xa4", "%C3"},
        {"/a#b", "%23"},
    };
    asked[0] = '\0';
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *got = NULL;
        size_t size = 99;
        assert_int_equal(tnm_get(client, wrong[i].path, "image/png", &got, &size), -EINVAL);
        assert_non_null(strstr(tnm_last_error(), wrong[i].words));
        assert_null(got);
        assert_int_equal(size, 99);
    }
    assert_int_equal(tnm_get(client, "/", NULL, &(char *){NULL}, &(size_t){0}), -EINVAL);
    assert_string_equal(asked, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_come_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_path_is_not_sent, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
