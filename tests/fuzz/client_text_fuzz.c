/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: the client's small parsers: cursors, Retry-After, Repr-Digest, text for a terminal.
 * The first byte says which. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "client/cursor.h"
#include "client/digest.h"
#include "client/retry.h"
#include "common/clean.h"
#include "common/crc32c.h"
#include "tests/fuzz/fuzz.h"

enum { CURSOR_SIZE = 512 };

/* A cursor has one spelling alone. */
static void read_cursor(const char *text)
{
    struct cursor cursor;
    struct error why;
    char again[CURSOR_SIZE];
    if (cursor_read(text, &cursor, &why) < 0)
        return;
    FUZZ_CHECK(cursor_write(&cursor, again, sizeof again) == 0);
    FUZZ_CHECK(strcmp(again, text) == 0);
}

/* The text is a cursor but for its CRC-32C, which no mutation finds. */
static void read_signed_cursor(const char *text)
{
    char *whole;
    int n = asprintf(&whole, "%s:%08x", text, crc32c(0, text, strlen(text)));
    FUZZ_CHECK(n > 0);
    read_cursor(whole);
    free(whole);
}

static void read_retry_after(const char *text)
{
    uint64_t wait_ms = 0;
    if (retry_after_ms(text, 1700000000, &wait_ms) && text[0] >= '0' && text[0] <= '9')
        FUZZ_CHECK(wait_ms % 1000 == 0 && wait_ms <= 999999999000);
}

static void read_digest(const char *text)
{
    struct answer answer = {.body = {.bytes = (uint8_t *)"abc", .size = 3}};
    struct error why;
    snprintf(answer.headers[HEADER_DIGEST], HEADER_MAX, "%s", text);
    int r = digest_check(&answer, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG);
    /* Source: CRC-32C of "abc" is 364b3fb7. */
    FUZZ_CHECK(r < 0 || strstr(text, "crc32c=:Nks/t"));
}

/* What is left is UTF-8, moves no cursor, and stays as it is when it is cleaned again. */
static void clean(const char *text)
{
    char *cleaned = strdup(text), *again;
    FUZZ_CHECK(cleaned);
    clean_line(cleaned);
    FUZZ_CHECK(strlen(cleaned) <= strlen(text));
    json_t *string = json_string(cleaned);
    FUZZ_CHECK(string);
    json_decref(string);
    for (const unsigned char *at = (const unsigned char *)cleaned; *at; at++)
        FUZZ_CHECK(*at >= ' ' && *at != 0x7f && !(at[0] == 0xc2 && at[1] < 0xa0));
    again = strdup(cleaned);
    FUZZ_CHECK(again);
    clean_line(again);
    FUZZ_CHECK(strcmp(again, cleaned) == 0);
    free(again);
    free(cleaned);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const readers[])(const char *text) = {read_cursor, read_signed_cursor,
                                                        read_retry_after, read_digest, clean};
    struct input input = {bytes, size};
    unsigned which = input_u8(&input) % (sizeof readers / sizeof *readers);
    char *text = input_text(&input);
    readers[which](text);
    free(text);
    return 0;
}
