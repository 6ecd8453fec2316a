/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/document. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/document.h"

static struct document *parse(const char *text)
{
    struct document *document = NULL;
    struct error why;
    assert_int_equal(document_parse(text, strlen(text), &document, &why), 0);
    assert_non_null(document);
    return document;
}

static void texts_are_found_by_their_key(void **state)
{
    (void)state;
    struct document *document = parse("{\"name\": \"tr\\u00e4in\", \"n\": 1, \"none\": null}");
    assert_string_equal(document_text(document, "name"), "tr\xc3\xa4in");
    assert_null(document_text(document, "n"));
    assert_null(document_text(document, "none"));
    assert_null(document_text(document, "missing"));
    document_free(document);
}

static void numbers_are_whole_and_not_negative(void **state)
{
    (void)state;
    static const char *const wrong[] = {"negative", "real", "text", "none", "list", "missing"};
    uint64_t number = 77;
    struct document *document =
        parse("{\"zero\": 0, \"most\": 9223372036854775807, \"negative\": -1, \"real\": 1.0,"
              "\"text\": \"1\", \"none\": null, \"list\": [1]}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(document_number(document, wrong[i], &number));
    assert_int_equal(number, 77);
    assert_true(document_number(document, "zero", &number));
    assert_int_equal(number, 0);
    assert_true(document_number(document, "most", &number));
    assert_int_equal(number, INT64_MAX);
    document_free(document);
}

static void lists_of_numbers_have_exactly_their_length(void **state)
{
    (void)state;
    static const char *const wrong[] = {"short", "long", "mixed", "negative", "number", "missing"};
    uint64_t numbers[3];
    struct document *document =
        parse("{\"right\": [1, 0, 3], \"short\": [1, 2], \"long\": [1, 2, 3, 4], \"none\": [],"
              "\"mixed\": [1, 2, \"3\"], \"negative\": [1, 2, -3], \"number\": 1}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(document_numbers(document, wrong[i], 3, numbers));
    assert_true(document_numbers(document, "none", 0, numbers));
    assert_true(document_numbers(document, "right", 3, numbers));
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[2], 3);
    document_free(document);
}

static void numbers_lie_in_objects_and_lists_have_a_length(void **state)
{
    (void)state;
    uint64_t number = 77;
    struct document *document =
        parse("{\"in\": {\"n\": 3, \"text\": \"3\"}, \"list\": [1, 2], \"empty\": [], \"n\": 4}");
    assert_false(document_number_in(document, "in", "missing", &number));
    assert_false(document_number_in(document, "in", "text", &number));
    assert_false(document_number_in(document, "list", "n", &number));
    assert_false(document_number_in(document, "missing", "n", &number));
    assert_int_equal(number, 77);
    assert_true(document_number_in(document, "in", "n", &number));
    assert_int_equal(number, 3);
    assert_int_equal(document_length(document, "list"), 2);
    assert_int_equal(document_length(document, "empty"), 0);
    assert_int_equal(document_length(document, "in"), 0);
    assert_int_equal(document_length(document, "missing"), 0);
    document_free(document);
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "no JSON: line 1"},
        {"{", "no JSON: line 1"},
        {"{}\n{}", "no JSON: line 2"},
        {"[1]", "no JSON object"},
        {"{\"a\": 1, \"a\": 2}", "no JSON"},
        {"{\"a\": \"\xff\"}", "no JSON"},
        {"{\"n\": 9223372036854775808}", "no JSON"},
        {"<html>", "no JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct document *document = NULL;
        struct error why = {""};
        assert_int_equal(document_parse(cases[i].text, strlen(cases[i].text), &document, &why),
                         -EBADMSG);
        assert_null(document);
        if (!strstr(why.text, cases[i].words))
            fail_msg("%s: %s", cases[i].text, why.text);
    }
    struct document *document = NULL;
    assert_int_equal(document_parse(NULL, 0, &document, NULL), -EBADMSG); /* an empty body */
    document_free(document);
}

static void nesting_without_end_is_refused(void **state)
{
    (void)state;
    char text[100000];
    struct document *document = NULL;
    struct error why;
    memset(text, '[', sizeof text);
    memcpy(text, "{\"a\":", 5);
    assert_int_equal(document_parse(text, sizeof text, &document, &why), -EBADMSG);
    assert_null(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_found_by_their_key),
        cmocka_unit_test(numbers_are_whole_and_not_negative),
        cmocka_unit_test(lists_of_numbers_have_exactly_their_length),
        cmocka_unit_test(numbers_lie_in_objects_and_lists_have_a_length),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(nesting_without_end_is_refused),
    };
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
