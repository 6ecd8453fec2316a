/* SPDX-License-Identifier: Apache-2.0
 * Text that a server sent, fit for a terminal. */
#include "cli/clean.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* In UTF-8, whose bytes are in the order of the characters. The text itself is known to be UTF-8:
 * it comes from a JSON parser. Source: Unicode 15, Bidi_Control. */
static const struct {
    const char *first, *last;
} hidden[] = {
    {"\x01", "\x1f"},
    {"\x7f", "\x7f"},
    {"\xc2\x80", "\xc2\x9f"},         /* C1 */
    {"\xd8\x9c", "\xd8\x9c"},         /* Arabic letter mark */
    {"\xe2\x80\x8e", "\xe2\x80\x8f"}, /* left-to-right, right-to-left mark */
    {"\xe2\x80\xa8", "\xe2\x80\xae"}, /* line and paragraph separator, embeddings, overrides */
    {"\xe2\x81\xa6", "\xe2\x81\xa9"}, /* isolates */
    {"\xef\xbb\xbf", "\xef\xbb\xbf"}, /* byte order mark */
};

/* The bytes of the character at `at`, if it is one of those; else 0. */
static size_t hidden_at(const char *at)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        size_t n = strlen(hidden[i].first);
        if (strncmp(at, hidden[i].first, n) >= 0 && strncmp(at, hidden[i].last, n) <= 0)
            return n;
    }
    return 0;
}

static unsigned code_point(const char *at, size_t n)
{
    const uint8_t *bytes = (const uint8_t *)at;
    return n == 1   ? bytes[0]
           : n == 2 ? (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu)
                    : (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
}

void clean_write(FILE *out, const char *text, int width, int most)
{
    int written = 0;
    while (*text) {
        size_t n = hidden_at(text);
        bool begins = ((uint8_t)*text & 0xc0) != 0x80; /* a character */
        if (begins && written++ == most)
            break;
        fputc(n ? '?' : *text, out);
        text += n ? n : 1;
    }
    fprintf(out, "%*s", width > written ? width - written : 0, "");
}

void clean_write_json(FILE *out, const char *json)
{
    while (*json) {
        size_t n = strchr("\n\r\t", *json) ? 0 : hidden_at(json);
        if (n)
            fprintf(out, "\\u%04x", code_point(json, n));
        else
            fputc(*json, out);
        json += n ? n : 1;
    }
}
