/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/framing, over heads as libmicrohttpd leaves them in its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/framing.h"

enum { ROOM = 1024 };

/* Take a head apart as libmicrohttpd does: blanks of the request line, colons with the blanks
 * behind them, and CR LF become zeros, and a bare LF counts as an end of line. */
static bool check(const char *text, enum problem_kind *ret_kind)
{
    char head[ROOM];
    size_t size = strlen(text);
    assert_in_range(size, 1, sizeof head - 1);
    memcpy(head, text, size + 1);
    char *method = head, *target = strchr(head, ' ') + 1;
    char *line_end = strpbrk(head, "\r\n"), *version = line_end;
    while (version[-1] != ' ')
        version--;
    target[-1] = version[-1] = '\0';
    char *at = line_end;
    struct framing framing;
    at += *at == '\r' ? 2 : 1;
    memset(line_end, 0, (size_t)(at - line_end));
    framing_begin(&framing, method, target, version);
    while (*at != '\r' && *at != '\n') {
        char *name = at, *stop = strpbrk(at, "\n"), *colon = strchr(at, ':');
        at = stop + 1;
        stop -= stop[-1] == '\r';
        memset(stop, 0, (size_t)(at - stop));
        char *value = colon + 1 + strspn(colon + 1, " \t");
        memset(colon, 0, (size_t)(value - colon));
        framing_add(&framing, name, strlen(name), value, strlen(value));
    }
    const char *words = NULL;
    bool sound = framing_check(&framing, size, ret_kind, &words);
    assert_int_equal(words == NULL, sound);
    return sound;
}

static void heads_that_read_in_one_way_are_taken(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /v1/splits?x=1 HTTP/1.1\r\nAccept:  */*\r\nHost: a:1\r\nX: \r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        enum problem_kind kind;
        if (!check(heads[i], &kind))
            fail_msg("refused as %d: %s", (int)kind, heads[i]);
    }
}

static void heads_that_a_proxy_may_read_otherwise_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        enum problem_kind kind;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
         PROBLEM_BAD_REQUEST},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         PROBLEM_BAD_REQUEST},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
         "chunked\r\n\r\n",
         PROBLEM_BAD_REQUEST},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", PROBLEM_BAD_REQUEST},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
         PROBLEM_NOT_IMPLEMENTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum problem_kind kind;
        if (check(rows[i].head, &kind))
            fail_msg("taken: %s", rows[i].head);
        if (kind != rows[i].kind)
            fail_msg("refused as %d: %s", (int)kind, rows[i].head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_that_read_in_one_way_are_taken),
        cmocka_unit_test(heads_that_a_proxy_may_read_otherwise_are_refused),
    };
    return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
