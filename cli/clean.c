/* SPDX-License-Identifier: Apache-2.0
 * Text of others, fit for a terminal. */
#include "cli/clean.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Source: Unicode 15, Bidi_Control; surrogates are no characters. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x01, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xd800, 0xdfff},
};

static bool is_hidden(uint32_t point)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (point >= hidden[i].first && point <= hidden[i].last)
            return true;
    return false;
}

/* The bytes of the character at `text`, which is not at its end; 0 where there is no UTF-8. */
static size_t decode(const char *text, uint32_t *ret)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t n = bytes[0] < 0x80   ? 1
               : bytes[0] < 0xc2 ? 0
               : bytes[0] < 0xe0 ? 2
               : bytes[0] < 0xf0 ? 3
               : bytes[0] < 0xf5 ? 4
                                 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = n < 2 ? bytes[0] : bytes[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    *ret = point;
    return n && point >= least[n] && point <= 0x10ffff ? n : 0;
}

/* The bytes of the next character, and whether it may be shown as it is. */
static size_t step(const char *text, bool *ret_shown)
{
    uint32_t point;
    size_t n = decode(text, &point);
    *ret_shown = n > 0 && !is_hidden(point);
    return n ? n : 1;
}

void clean_line(char *text)
{
    char *to = text;
    bool shown;
    for (size_t n; *text; text += n) {
        n = step(text, &shown);
        if (shown)
            memmove(to, text, n);
        else
            *to = '?';
        to += shown ? n : 1;
    }
    *to = '\0';
}

/* Writes up to `most` characters of the `size` bytes; returns how many. */
static int write_some(FILE *out, const char *text, size_t size, int most)
{
    int written = 0;
    bool shown;
    for (size_t at = 0, n; at < size && written < most; at += n, written++) {
        n = step(text + at, &shown);
        fwrite(shown ? text + at : "?", 1, shown ? n : 1, out);
    }
    return written;
}

void clean_write(FILE *out, const char *text, int width, int most)
{
    int written = write_some(out, text, strlen(text), most);
    fprintf(out, "%*s", width > written ? width - written : 0, "");
}

static int count(const char *text, size_t size)
{
    int n = 0;
    bool shown;
    for (size_t at = 0; at < size; at += step(text + at, &shown))
        n++;
    return n;
}

void clean_write_wrapped(FILE *out, const char *text, int indent, int columns)
{
    int at = indent;
    while (*text) {
        size_t size = strcspn(text, " ");
        int n = count(text, size);
        if (at > indent && at + 1 + n > columns) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        at += write_some(out, text, size, CLEAN_ALL);
        text += size + strspn(text + size, " ");
    }
}

void clean_write_json(FILE *out, const char *json)
{
    while (*json) {
        uint32_t point;
        size_t n = decode(json, &point);
        if (*json == '\r' || *json == '\t')
            fputc(' ', out); /* between tokens: strings have no such bytes */
        else if (n && *json != '\n' && is_hidden(point))
            fprintf(out, "\\u%04x", point);
        else
            fwrite(json, 1, n ? n : 1, out);
        json += n ? n : 1;
    }
}
