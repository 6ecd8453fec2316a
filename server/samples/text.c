/* SPDX-License-Identifier: Apache-2.0
 * A piece of text of bounded length. */
#include "server/samples/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digits.h"

enum { U64_DIGITS = 20 };

int text_open(struct text *text, struct reply *reply, uint64_t size, struct error *why)
{
    void *at;
    int r = reply_alloc(reply, size, &at, why);
    if (r == 0)
        *text = (struct text){.at = at, .size = (size_t)size};
    return r;
}

void text_in(struct text *text, char *memory, size_t size)
{
    *text = (struct text){.at = memory, .size = size};
}

char *text_room(struct text *text, uint64_t size)
{
    if (size > text->size - text->used)
        text->overflown = true;
    return text->overflown ? NULL : text->at + text->used;
}

void text_took(struct text *text, const char *end)
{
    text->used = (size_t)(end - text->at);
}

static void append(struct text *text, const char *piece, size_t n)
{
    char *at = text_room(text, n);
    if (!at)
        return;
    memcpy(at, piece, n);
    text_took(text, at + n);
}

void text_add(struct text *text, const char *piece)
{
    append(text, piece, strlen(piece));
}

void text_format(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = text->size - text->used;
    int n = vsnprintf(text->at + text->used, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        text->overflown = true;
    else
        text->used += text->overflown ? 0 : (size_t)n;
}

void text_u64(struct text *text, uint64_t value)
{
    char digits[U64_DIGITS];
    size_t n = 0;
    do
        digits[U64_DIGITS - ++n] = (char)('0' + value % 10);
    while (value /= 10);
    append(text, digits + U64_DIGITS - n, n);
}

void text_hex32(struct text *text, uint32_t value)
{
    char digits[8];
    for (unsigned i = 0; i < sizeof digits; i++)
        digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    append(text, digits, sizeof digits);
}

void text_digits(struct text *text, const uint8_t *labels)
{
    uint8_t digits[N_DIGITS];
    unsigned n = digits_of(labels, digits);
    for (unsigned i = 0; i < n; i++) {
        text_add(text, i ? "," : "[");
        text_u64(text, digits[i]);
    }
    text_add(text, n ? "]" : "[]");
}

void text_numbers(struct text *text, const int32_t *numbers, unsigned n)
{
    text_add(text, "[");
    for (unsigned i = 0; i < n; i++) {
        text_add(text, i ? "," : "");
        text_add(text, numbers[i] < 0 ? "-" : "");
        text_u64(text, (uint64_t)llabs((long long)numbers[i]));
    }
    text_add(text, "]");
}

int text_end(const struct text *text, struct error *why)
{
    return text->overflown ? error_set(why, -EOVERFLOW,
                                       "an answer of text is longer than %zu bytes", text->size)
                           : 0;
}

int text_close(struct text *text, struct reply *reply, struct error *why)
{
    int r = text_end(text, why);
    return r < 0 ? r : reply_borrow(reply, text->at, text->used, why);
}
