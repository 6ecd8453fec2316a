/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/problem. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/problem.h"
#include "tests/answers.h"

static const struct request request = {.url = "/v1/splits?x=1"};

static const struct {
    unsigned status;
    const char *code, *title;
} rows[] = {
#define PROBLEM_ROW(kind, status_, code_, title_, ...) {status_, code_, title_},
    WIRE_PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

static json_t *document_of(const struct reply *reply)
{
    char *body = answer_body(reply);
    json_t *root = json_loadb(body, reply->n_bytes, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        fail_msg("no JSON: %s", body);
    for (const char *at = body; *at; at++)
        assert_true((*at >= ' ' && *at <= '~') || *at == '\n');
    free(body);
    return root;
}

static const char *string_of(const json_t *root, const char *name)
{
    const char *value = json_string_value(json_object_get(root, name));
    assert_non_null(value);
    return value;
}

static void every_kind_is_a_document_of_rfc_9457(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < sizeof rows / sizeof *rows; kind++) {
        struct reply reply = answer_new();
        problem(&request, &reply, (enum problem_kind)kind, "it is %d", 5);
        json_t *root = document_of(&reply);
        assert_int_equal(reply.status, rows[kind].status);
        assert_int_equal(json_integer_value(json_object_get(root, "status")), rows[kind].status);
        assert_string_equal(string_of(root, "code"), rows[kind].code);
        assert_string_equal(string_of(root, "title"), rows[kind].title);
        assert_string_equal(string_of(root, "detail"), "it is 5");
        assert_string_equal(string_of(root, "instance"), request.url);
        assert_int_equal(strncmp(string_of(root, "type"), "urn:twonmnist:problem:", 22), 0);
        assert_string_equal(string_of(root, "type") + 22, rows[kind].code);
        assert_string_equal(answer_header(&reply, "Content-Type"), "application/problem+json");
        assert_string_equal(answer_header(&reply, "Cache-Control"), "no-store");
        assert_int_equal(answer_header(&reply, "Retry-After") != NULL, rows[kind].status == 503);
        json_decref(root);
        answer_end(&reply);
    }
}

static void to_be_busy_is_to_say_when_to_come_again(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    problem(&request, &reply, PROBLEM_BUSY, "later");
    assert_true(atoi(answer_header(&reply, "Retry-After")) > 0);
    answer_end(&reply);
}

static void every_error_of_the_samples_has_its_kind(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *code;
        unsigned status;
    } cases[] = {
        {-ENOENT, "no-such-sample", 404}, {-ENODATA, "no-source", 404},
        {-EINVAL, "bad-parameter", 400},  {-E2BIG, "too-large", 413},
        {-EBADMSG, "split-damaged", 500}, {-EAGAIN, "busy", 503},
        {-ENOMEM, "no-memory", 500},      {-EOVERFLOW, "internal", 500},
        {-ENOBUFS, "internal", 500},      {-ERANGE, "internal", 500},
        {-EIO, "internal", 500},          {-1000, "internal", 500},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = answer_new();
        struct error why;
        reply.max_bytes = 4321;
        error_set(&why, 0, "because of %zu%%", i);
        problem_error(&request, &reply, cases[i].error, &why);
        json_t *root = document_of(&reply);
        const json_t *limit = json_object_get(root, "limit");
        assert_int_equal(reply.status, cases[i].status);
        assert_string_equal(string_of(root, "code"), cases[i].code);
        assert_string_equal(string_of(root, "detail"), why.text);
        assert_int_equal(limit != NULL, cases[i].error == -E2BIG);
        assert_int_equal(json_integer_value(limit), limit ? 4321 : 0);
        json_decref(root);
        answer_end(&reply);
    }
}

static void a_number_is_a_member_of_its_own(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    problem_number(&request, &reply, PROBLEM_NO_SUCH_BATCH, "batches", 17, "k is %d", 18);
    json_t *root = document_of(&reply);
    assert_int_equal(json_integer_value(json_object_get(root, "batches")), 17);
    assert_string_equal(string_of(root, "detail"), "k is 18");
    json_decref(root);
    answer_end(&reply);
}

static void what_a_client_sent_comes_back_as_clean_text(void **state)
{
    (void)state;
    const struct request hostile = {.url = "/\"\\\x01\n\r\t\x1b[31m\x7f\xff\xc3\xa4<script>"};
    struct reply reply = answer_new();
    problem(&hostile, &reply, PROBLEM_NO_SUCH_SPLIT, "%s", "no \"\\\x01\n\xff\xfe\xc3\xa4 x");
    json_t *root = document_of(&reply);
    assert_string_equal(string_of(root, "instance"), "/\"\\???"
                                                     "??[31m???"
                                                     "?<script>");
    assert_string_equal(string_of(root, "detail"), "no \"\\???"
                                                   "??? x");
    json_decref(root);
    answer_end(&reply);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    enum { LONG = 12288 };
    char *url = malloc(LONG + 1);
    assert_non_null(url);
    memset(url, '"', LONG);
    url[LONG] = '\0';
    const struct request long_request = {.url = url};
    struct reply reply = answer_new();
    problem(&long_request, &reply, PROBLEM_URL_TOO_LONG, "%s", url);
    json_t *root = document_of(&reply);
    assert_in_range(strlen(string_of(root, "instance")), 1000, 1500);
    assert_in_range(strlen(string_of(root, "detail")), 1000, 1500);
    json_decref(root);
    answer_end(&reply);
    free(url);
}

static void a_problem_takes_the_place_of_what_was_there(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    void *bytes;
    reply.status = 206;
    reply_set_header(&reply, "ETag", "\"x\"");
    assert_int_equal(reply_alloc(&reply, 1000, &bytes, &why), 0);
    memset(bytes, 'x', 1000);
    assert_int_equal(reply_borrow(&reply, bytes, 1000, &why), 0);
    problem(&request, &reply, PROBLEM_INTERNAL, "oh");
    json_decref(document_of(&reply));
    assert_null(answer_header(&reply, "ETag"));
    assert_int_equal(reply.n_claimed, 0);
    answer_end(&reply);
}

static void a_problem_is_told_also_where_nothing_may_be_claimed(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    reply.max_bytes = 0;
    problem(&request, &reply, PROBLEM_TOO_LARGE, "all is taken");
    json_decref(document_of(&reply));
    answer_end(&reply);
}

static void for_a_head_a_problem_has_a_length_and_no_body(void **state)
{
    (void)state;
    struct reply got = answer_new(), head = answer_new();
    head.head_only = true;
    problem(&request, &got, PROBLEM_METHOD, "no");
    problem(&request, &head, PROBLEM_METHOD, "no");
    assert_int_equal(head.n_bytes, got.n_bytes);
    assert_int_equal(head.n_parts, 0);
    assert_int_equal(head.n_headers, got.n_headers);
    answer_end(&got);
    answer_end(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_a_document_of_rfc_9457),
        cmocka_unit_test(to_be_busy_is_to_say_when_to_come_again),
        cmocka_unit_test(every_error_of_the_samples_has_its_kind),
        cmocka_unit_test(a_number_is_a_member_of_its_own),
        cmocka_unit_test(what_a_client_sent_comes_back_as_clean_text),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_problem_takes_the_place_of_what_was_there),
        cmocka_unit_test(a_problem_is_told_also_where_nothing_may_be_claimed),
        cmocka_unit_test(for_a_head_a_problem_has_a_length_and_no_body),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
