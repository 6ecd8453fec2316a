/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/tokens: the file's lines, and what a header is worth. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/sha256.h"
#include "server/tokens.h"
#include "tests/scarce.h"
#include "tests/scratch.h"

#define ALICE "alice-knows-this-token"
#define BOB   "bob+knows/this~one=="

static const time_t now = 1800000000; /* 2027-01-15T08:00:00Z */

static const char *hash(const char *token)
{
    static char text[2][SHA256_HEX + 1];
    static unsigned turn;
    char *ret = text[turn++ % 2];
    sha256_hex_of(token, strlen(token), ret);
    return ret;
}

static const char *write_file(const char *text)
{
    scratch_write("tokens", text, strlen(text));
    return scratch_path("tokens");
}

static struct tokens *open_text(const char *text)
{
    struct tokens *tokens;
    struct error why = {""};
    if (tokens_open(write_file(text), &tokens, &why) < 0)
        fail_msg("%s", why.text);
    return tokens;
}

static void expect(struct tokens *tokens, const char *header, enum token_verdict verdict,
                   const char *name)
{
    char got[TOKENS_NAME_SIZE] = "untouched";
    assert_int_equal(tokens_judge(tokens, header, now, got), verdict);
    assert_string_equal(got, name);
}

static struct tokens *alice_and_bob(const char *bob_expires)
{
    char text[512];
    snprintf(text, sizeof text, "# who\n\n \t\nalice %s\r\n  bob\t%s %s # B\n", hash(ALICE),
             hash(BOB), bob_expires);
    return open_text(text);
}

static void a_token_is_known_by_its_hash_and_tells_its_name(void **state)
{
    (void)state;
    struct tokens *tokens = alice_and_bob("");
    assert_int_equal(tokens_count(tokens), 2);
    expect(tokens, "Bearer " ALICE, TOKEN_GOOD, "alice");
    expect(tokens, "Bearer " BOB, TOKEN_GOOD, "bob");
    expect(tokens, "bEARER \t " BOB " \t", TOKEN_GOOD, "bob");
    tokens_close(tokens);
    tokens_close(NULL);
}

static void a_header_that_shows_none_is_told_from_one_that_shows_a_wrong_one(void **state)
{
    (void)state;
    static const char *const missing[] = {NULL,   "",    "Basic YTpi", "Bearerx",
                                          "Bear", ALICE, "bearer:"};
    static const char *const malformed[] = {"Bearer",
                                            "Bearer ",
                                            "Bearer =",
                                            "Bearer a b",
                                            "Bearer a=b",
                                            "Bearer " ALICE ",",
                                            "Bearer \"" ALICE "\"",
                                            "Bearer \x80"};
    static const char *const unknown[] = {"Bearer a", "Bearer " ALICE "=", "Bearer " ALICE "x"};
    struct tokens *tokens = alice_and_bob("");
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        expect(tokens, missing[i], TOKEN_MISSING, "untouched");
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect(tokens, malformed[i], TOKEN_MALFORMED, "untouched");
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        expect(tokens, unknown[i], TOKEN_UNKNOWN, "untouched");
    tokens_close(tokens);
}

static void a_token_counts_to_the_end_of_its_time(void **state)
{
    (void)state;
    static const struct {
        const char *expires;
        enum token_verdict verdict;
    } cases[] = {
        {"2027-01-15", TOKEN_GOOD},           {"2027-01-14", TOKEN_EXPIRED},
        {"2027-01-15T08:00:01Z", TOKEN_GOOD}, {"2027-01-15T08:00:00Z", TOKEN_EXPIRED},
        {"9999-12-31", TOKEN_GOOD},           {"2024-02-29", TOKEN_EXPIRED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tokens *tokens = alice_and_bob(cases[i].expires);
        expect(tokens, "Bearer " BOB, cases[i].verdict, "bob");
        expect(tokens, "Bearer " ALICE, TOKEN_GOOD, "alice");
        tokens_close(tokens);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const times[] = {
        "2027-02-29", "2027-13-01",  "2027-00-10", "2027-01-15T24:01:00Z", "2027-01-15T08:00:00",
        "27-01-15",   "2027-01-15 ", "1969-12-31", "2027-01-15x"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[256];
        struct tokens *tokens;
        struct error why = {""};
        snprintf(text, sizeof text, "x %s\nalice %s %s%s", hash(BOB), hash(ALICE), times[i],
                 strchr(times[i], ' ') ? "more" : "");
        assert_int_equal(tokens_open(write_file(text), &tokens, &why), -EINVAL);
        assert_non_null(strstr(why.text, "tokens: line 2: "));
    }
}

static void a_reload_that_fails_leaves_what_was_there(void **state)
{
    (void)state;
    struct error why = {""};
    char text[256];
    struct tokens *tokens = alice_and_bob("");
    write_file("alice\n");
    assert_int_equal(tokens_reload(tokens, &why), -EINVAL);
    assert_non_null(strstr(why.text, "line 1"));
    expect(tokens, "Bearer " ALICE, TOKEN_GOOD, "alice");
    snprintf(text, sizeof text, "carol %s", hash(ALICE));
    write_file(text);
    assert_int_equal(tokens_reload(tokens, &why), 0);
    expect(tokens, "Bearer " ALICE, TOKEN_GOOD, "carol");
    expect(tokens, "Bearer " BOB, TOKEN_UNKNOWN, "untouched");
    tokens_close(tokens);
}

static void there_are_as_many_as_fit(void **state)
{
    (void)state;
    enum { LINE = 2 + SHA256_HEX + 1 };
    char *text = malloc((TOKENS_MAX + 1) * LINE + 1);
    assert_non_null(text);
    for (unsigned i = 0; i <= TOKENS_MAX; i++)
        snprintf(text + i * LINE, LINE + 1, "a %064x\n", i);
    struct tokens *tokens;
    struct error why = {""};
    assert_int_equal(tokens_open(write_file(text), &tokens, &why), -ERANGE);
    assert_non_null(strstr(why.text, "line 1025"));
    text[TOKENS_MAX * LINE] = '\0';
    assert_int_equal(tokens_open(write_file(text), &tokens, &why), 0);
    assert_int_equal(tokens_count(tokens), TOKENS_MAX);
    tokens_close(tokens);
    free(text);
}

static void a_new_one_is_hard_to_guess(void **state)
{
    (void)state;
    char printed[256] = "", expected[256];
    struct error why;
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    assert_int_equal(tokens_print_line("fifteen-is-less", NULL, out, &why), -EINVAL);
    assert_int_equal(tokens_print_line("sixteen is more!", NULL, out, &why), -EINVAL);
    assert_int_equal(tokens_print_line(ALICE, "al ice", out, &why), -EINVAL);
    assert_int_equal(tokens_print_line(ALICE, "alice", out, &why), 0);
    fclose(out);
    snprintf(expected, sizeof expected, "alice %s\n", hash(ALICE));
    assert_string_equal(printed, expected);
}

static int open_and_close(void *user, struct error *why)
{
    struct tokens *tokens;
    int r = tokens_open(user, &tokens, why);
    if (r == 0)
        tokens_close(tokens);
    return r;
}

static void without_memory_the_file_is_not_read(void **state)
{
    (void)state;
    char text[256];
    snprintf(text, sizeof text, "alice %s\nbob %s\n", hash(ALICE), hash(BOB));
    assert_in_range(scarce_try(open_and_close, (void *)write_file(text)), 3, 20);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_token_is_known_by_its_hash_and_tells_its_name),
        IN_SCRATCH(a_header_that_shows_none_is_told_from_one_that_shows_a_wrong_one),
        IN_SCRATCH(a_token_counts_to_the_end_of_its_time),
        IN_SCRATCH(what_is_no_time_is_refused),
        IN_SCRATCH(a_reload_that_fails_leaves_what_was_there),
        IN_SCRATCH(there_are_as_many_as_fit),
        cmocka_unit_test(a_new_one_is_hard_to_guess),
        IN_SCRATCH(without_memory_the_file_is_not_read),
    };
    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
