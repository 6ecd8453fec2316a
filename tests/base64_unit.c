/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/base64.h"

static void base64_is_that_of_rfc_4648(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } vectors[] = {
        /* RFC 4648, 10 */
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[BASE64_SIZE(6)];
        base64(vectors[i].bytes, strlen(vectors[i].bytes), text);
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(strlen(text) + 1, BASE64_SIZE(strlen(vectors[i].bytes)));
    }
}

static void base64_takes_every_byte(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t bytes[] = {(uint8_t)byte, 0, (uint8_t)byte};
        char text[BASE64_SIZE(3)];
        base64(bytes, sizeof bytes, text);
        assert_int_equal(text[0], digits[byte >> 2]);
        assert_int_equal(text[1], digits[(byte & 3) << 4]);
        assert_int_equal(text[2], digits[byte >> 6]);
        assert_int_equal(text[3], digits[byte & 63]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_that_of_rfc_4648),
        cmocka_unit_test(base64_takes_every_byte),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
