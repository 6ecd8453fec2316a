/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/sha256: the examples of FIPS 180, in one piece and in many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/sha256.h"
#include "tests/scarce.h"

/* FIPS 180-2, appendix B; NIST's example of the empty message. */
static const struct {
    const char *unit;
    size_t times;
    const char *hex;
} rows[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

enum { N_ROWS = sizeof rows / sizeof *rows, ROOM = 1000001 };

static char message[ROOM];

static size_t build(size_t row)
{
    size_t unit = strlen(rows[row].unit), size = 0;
    for (size_t i = 0; i < rows[row].times; i++, size += unit)
        memcpy(message + size, rows[row].unit, unit);
    return size;
}

static void digest_is_that_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        char hex[SHA256_HEX + 1];
        sha256_hex_of(message, build(i), hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

/* One hash for all rows: it starts anew after each digest. */
static void digest_does_not_depend_on_the_pieces(void **state)
{
    (void)state;
    struct sha256 *hash;
    assert_int_equal(sha256_new(&hash), 0);
    static const size_t pieces[] = {1, 7, 63, 64, 65, 4096, ROOM};
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            char hex[SHA256_HEX + 1];
            size_t size = build(i), n;
            for (size_t at = 0; at < size; at += n) {
                n = size - at < pieces[p] ? size - at : pieces[p];
                sha256_add(hash, message + at, n);
            }
            sha256_hex(hash, hex);
            assert_string_equal(hex, rows[i].hex);
        }
    sha256_free(hash);
}

static int make(void *user, struct error *why)
{
    (void)user, (void)why;
    struct sha256 *hash = NULL;
    int r = sha256_new(&hash);
    sha256_free(hash); /* NULL after a failure */
    return r;
}

static void hash_without_memory_says_so(void **state)
{
    (void)state;
    assert_true(scarce_try(make, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_is_that_of_the_standard),
        cmocka_unit_test(digest_does_not_depend_on_the_pieces),
        cmocka_unit_test(hash_without_memory_says_so),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
