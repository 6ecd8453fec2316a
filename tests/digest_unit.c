/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/digest.h"
#include "tests/answers.h"

static void the_crc_of_a_body_is_a_header(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    assert_int_equal(reply_borrow(&reply, "123456789", 9, &why), 0);
    digest_set_crc32c(&reply);
    /* e3069283, the check value of CRC-32C in the catalogue of parametrised CRC algorithms */
    assert_string_equal(answer_header(&reply, "Repr-Digest"), "crc32c=:4waSgw==:");
    answer_end(&reply);
}

static void what_is_not_known_is_not_said(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct reply reply = answer_new();
        struct error why;
        if (i > 0)
            assert_int_equal(reply_borrow(&reply, "x", 1, &why), 0);
        reply.unknown_crc = i == 1;
        reply.unknown_length = i == 2;
        digest_set_crc32c(&reply);
        assert_null(answer_header(&reply, "Repr-Digest"));
        answer_end(&reply);
    }
}

static void a_part_has_the_digest_of_the_whole(void **state)
{
    (void)state;
    struct reply reply = answer_new();
    struct error why;
    assert_int_equal(reply_borrow_unread(&reply, "3456", 4, &why), 0);
    digest_set_whole(&reply, 0xe3069283);
    digest_set_crc32c(&reply);
    assert_int_equal(reply.n_headers, 1);
    assert_string_equal(answer_header(&reply, "Repr-Digest"), "crc32c=:4waSgw==:");
    answer_end(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_crc_of_a_body_is_a_header),
        cmocka_unit_test(what_is_not_known_is_not_said),
        cmocka_unit_test(a_part_has_the_digest_of_the_whole),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
