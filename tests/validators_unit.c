/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/validators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/validators.h"
#include "tests/answers.h"

#define REVISION "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ETAG     "\"0123456789abcdef.bin\""

static struct entry *entry;

static int make_entry(void **state)
{
    (void)state;
    entry = calloc(1, sizeof *entry);
    if (!entry)
        return -1;
    entry->revision = REVISION;
    return 0;
}

static int free_entry(void **state)
{
    (void)state;
    free(entry);
    return 0;
}

static struct request request_of(enum request_method method)
{
    return (struct request){.method = method, .entry = entry, .format = FORMAT_BIN};
}

static void check_headers(const struct request *request, const char *etag, const char *cache,
                          const char *vary)
{
    struct reply reply = answer_new();
    validators_set(request, &reply);
    const char *const names[] = {"ETag", "Cache-Control", "Vary"};
    const char *const values[] = {etag, cache, vary};
    for (size_t i = 0; i < 3; i++) {
        const char *got = answer_header(&reply, names[i]);
        assert_int_equal(got != NULL, values[i] != NULL);
        if (got)
            assert_string_equal(got, values[i]);
    }
    answer_end(&reply);
}

static void an_answer_tells_for_how_long_it_is_true(void **state)
{
    (void)state;
    struct request request = request_of(METHOD_GET);
    check_headers(&request, ETAG, "no-cache", NULL);
    request.method = METHOD_HEAD;
    check_headers(&request, ETAG, "no-cache", NULL);
    request.negotiated = true;
    check_headers(&request, ETAG, "no-cache", "Accept");
    request.pinned = true;
    check_headers(&request, ETAG, "public, max-age=31536000, immutable", "Accept");
    request.entry = NULL;
    request.pinned = false;
    check_headers(&request, NULL, "no-cache", "Accept");
}

static void what_a_token_gets_is_for_no_cache_to_give_to_others(void **state)
{
    (void)state;
    struct request request = request_of(METHOD_GET);
    request.by_token = true;
    check_headers(&request, ETAG, "no-cache", "Authorization");
    request.pinned = true;
    check_headers(&request, ETAG, "max-age=31536000, immutable", "Authorization");
    request.negotiated = request.codable = request.all_origins = true;
    check_headers(&request, ETAG, "max-age=31536000, immutable",
                  "Authorization, Accept, Accept-Encoding, Origin");
}

static void the_tag_tells_formats_apart(void **state)
{
    (void)state;
    struct request request = request_of(METHOD_GET);
    request.format = FORMAT_SAFETENSORS;
    check_headers(&request, "\"0123456789abcdef.safetensors\"", "no-cache", NULL);
    request.format = FORMAT_JSON;
    check_headers(&request, "\"0123456789abcdef.json\"", "no-cache", NULL);
}

/* The tag of an answer to what `given` says, in memory of the caller's. */
static const char *tag_of(struct request request, uint64_t given, char ret[REPLY_HEADER_VALUE])
{
    struct reply reply = answer_new();
    request.given = given;
    validators_set(&request, &reply);
    strcpy(ret, answer_header(&reply, "ETag"));
    answer_end(&reply);
    return ret;
}

static void the_tag_tells_forms_and_views_apart(void **state)
{
    (void)state;
    uint64_t numbers[] = {3, 4};
    struct request requests[6];
    uint64_t given[6] = {0,
                         PARAM_BIT(PARAM_AS),
                         PARAM_BIT(PARAM_AS),
                         PARAM_BIT(PARAM_BINS),
                         PARAM_BIT(PARAM_KIND),
                         PARAM_BIT(PARAM_INDICES)};
    char tags[6][REPLY_HEADER_VALUE], again[REPLY_HEADER_VALUE];
    for (size_t i = 0; i < 6; i++)
        requests[i] = request_of(METHOD_GET);
    requests[1].params[PARAM_AS] = FORM_FRAMES;
    requests[2].params[PARAM_AS] = FORM_BITS;
    requests[3].params[PARAM_BINS] = FORM_BITS;
    requests[4].rule.given = VIEW_BIT(VIEW_KIND);
    requests[5].numbers = (struct numbers){.items = numbers, .n = 2};
    for (size_t i = 0; i < 6; i++) {
        tag_of(requests[i], given[i], tags[i]);
        assert_string_equal(tag_of(requests[i], given[i], again), tags[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(tags[i], tags[j]);
    }
    requests[4].rule.kind = VIEW_PAIR;
    assert_string_not_equal(tag_of(requests[4], given[4], again), tags[4]);
    numbers[1] = 5;
    assert_string_not_equal(tag_of(requests[5], given[5], again), tags[5]);
}

static void the_answer_to_a_post_is_not_to_be_kept(void **state)
{
    (void)state;
    struct request request = request_of(METHOD_POST);
    check_headers(&request, NULL, "no-store", NULL);
    request.pinned = request.negotiated = true;
    check_headers(&request, NULL, "no-store", NULL);
    request.if_none_match = "*";
    assert_false(validators_match(&request));
}

static void check_match(const char *if_none_match, bool matches)
{
    for (enum request_method method = METHOD_GET; method <= METHOD_HEAD; method++) {
        struct request request = request_of(method);
        request.if_none_match = if_none_match;
        if (validators_match(&request) != matches)
            fail_msg("If-None-Match: %s", if_none_match ? if_none_match : "(none)");
    }
}

static void a_client_that_has_the_answer_is_told_so(void **state)
{
    (void)state;
    check_match(ETAG, true);
    check_match("*", true);
    check_match("W/" ETAG, true);
    check_match("\"other\", " ETAG, true);
    check_match("\"other\"," ETAG ",\"more\"", true);
    check_match(ETAG " ", true);
    check_match(NULL, false);
    check_match("", false);
    check_match("\"*\"", false);
    check_match("\"0123456789abcdef.json\"", false);
    check_match("\"0123456789abcdee.bin\"", false);
    check_match("0123456789abcdef.bin", false);
    check_match("\"x0123456789abcdef.bin\"", false);
    check_match("\"0123456789abcdef.bin", false);
    check_match("\"0123456789abcdef.bin.gz\"", false);
}

static void what_is_of_no_split_is_always_answered(void **state)
{
    (void)state;
    struct request request = {.method = METHOD_GET, .if_none_match = "*"};
    assert_false(validators_match(&request));
}

static void a_part_is_taken_only_of_exactly_this_answer(void **state)
{
    (void)state;
    static const struct {
        const char *if_range;
        bool allows;
    } cases[] = {
        {NULL, true},
        {ETAG, true},
        {"W/" ETAG, false},
        {"", false},
        {"*", false},
        {"\"0123456789abcdef.json\"", false},
        {"\"0123456789abcdef\"", false},
        {"\"0123456789abcdef.binary\"", false},
        {ETAG ", " ETAG, false},
        {ETAG "x", false},
        {"\"other\", " ETAG, false},
        {"Sun, 06 Nov 1994 08:49:37 GMT", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = request_of(METHOD_GET);
        request.if_range = cases[i].if_range;
        if (validators_allow_range(&request) != cases[i].allows)
            fail_msg("If-Range: %s", cases[i].if_range ? cases[i].if_range : "(none)");
    }
}

static void a_tag_says_who_has_compressed(void **state)
{
    (void)state;
    char makers[IMAGE_MAKERS_SIZE], etag[128];
    struct request request = request_of(METHOD_GET);
    request.format = FORMAT_PNG;
    image_makers(makers);
    snprintf(etag, sizeof etag, "\"0123456789abcdef.png-%s\"", makers);
    check_headers(&request, etag, "no-cache", NULL);
    request.if_none_match = etag;
    assert_true(validators_match(&request));
    request.if_none_match = "\"0123456789abcdef.png\"";
    assert_false(validators_match(&request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_tells_for_how_long_it_is_true),
        cmocka_unit_test(what_a_token_gets_is_for_no_cache_to_give_to_others),
        cmocka_unit_test(the_tag_tells_formats_apart),
        cmocka_unit_test(the_tag_tells_forms_and_views_apart),
        cmocka_unit_test(the_answer_to_a_post_is_not_to_be_kept),
        cmocka_unit_test(a_client_that_has_the_answer_is_told_so),
        cmocka_unit_test(what_is_of_no_split_is_always_answered),
        cmocka_unit_test(a_part_is_taken_only_of_exactly_this_answer),
        cmocka_unit_test(a_tag_says_who_has_compressed),
    };
    return cmocka_run_group_tests_name("validators", tests, make_entry, free_entry);
}
