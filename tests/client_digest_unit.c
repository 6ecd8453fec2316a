/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/digest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/digest.h"

/* e3069283, the check value of CRC-32C in the catalogue of parametrised CRC algorithms */
static const char right[] = "crc32c=:4waSgw==:";

static int check(const char *header, const char *body, struct error *why)
{
    struct answer answer = {.status = 200};
    assert_int_equal(body_add(&answer.body, body, strlen(body)), 0);
    snprintf(answer.headers[HEADER_DIGEST], HEADER_MAX, "%s", header);
    int r = digest_check(&answer, why);
    body_clear(&answer.body);
    return r;
}

static void the_digest_of_the_body_passes(void **state)
{
    (void)state;
    static const char *const headers[] = {
        right,
        "sha-256=:AAAA:, crc32c=:4waSgw==:",
        "crc32c=:4waSgw==:, sha-256=:AAAA:",
    };
    struct error why;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_int_equal(check(headers[i], "123456789", &why), 0);
    assert_int_equal(check("crc32c=:AAAAAA==:", "", &why), 0);
}

static void every_changed_bit_of_the_body_is_found(void **state)
{
    (void)state;
    struct error why;
    for (int bit = 0; bit < 9 * 8; bit++) {
        char body[] = "123456789";
        body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
        if (!body[bit / 8])
            continue;
        assert_int_equal(check(right, body, &why), -EBADMSG);
        assert_non_null(strstr(why.text, "the server said e3069283"));
    }
    assert_int_equal(check(right, "", &why), -EBADMSG);
    assert_non_null(strstr(why.text, "CRC-32C is 00000000"));
}

static void an_answer_without_one_is_refused(void **state)
{
    (void)state;
    struct error why;
    assert_int_equal(check("", "123456789", &why), -EBADMSG);
    assert_string_equal(why.text, "the answer has no Repr-Digest");
}

static void what_is_no_crc_is_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "crc32c=",
        "crc32c=:",
        "crc32c=:4waSgw==",
        "crc32c=:4waSgw=:",
        "crc32c=:4waSg===:",
        "crc32c=:4wa-gw==:",
        "crc32c=::",
        "crc32c=:4waSgw==4waSgw==:",
        "sha-256=:AAAA:",
        "4waSgw==",
        "*",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct error why = {""};
        assert_int_equal(check(headers[i], "123456789", &why), -EBADMSG);
        if (!strstr(why.text, "is no CRC-32C"))
            fail_msg("%s: %s", headers[i], why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_of_the_body_passes),
        cmocka_unit_test(every_changed_bit_of_the_body_is_found),
        cmocka_unit_test(an_answer_without_one_is_refused),
        cmocka_unit_test(what_is_no_crc_is_refused),
    };
    return cmocka_run_group_tests_name("client_digest", tests, NULL, NULL);
}
