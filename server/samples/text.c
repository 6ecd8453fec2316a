/* SPDX-License-Identifier: Apache-2.0
 * A growing piece of text, for answers whose arrays of numbers are too long for a JSON library. */
#include "server/samples/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/problem.h"

enum { FIRST_SIZE = 4096, U64_DIGITS = 20, FORMAT_MAX = 512 };

static bool reserve(struct text *text, size_t more)
{
    if (text->failed || more <= text->size - text->used)
        return !text->failed;
    size_t size = text->size ? text->size : FIRST_SIZE;
    while (size - text->used < more && size <= SIZE_MAX / 2)
        size *= 2;
    char *at = size - text->used >= more ? realloc(text->at, size) : NULL;
    if (!at) {
        text->failed = true;
        return false;
    }
    text->at = at;
    text->size = size;
    return true;
}

static void append(struct text *text, const char *piece, size_t n)
{
    if (!reserve(text, n))
        return;
    memcpy(text->at + text->used, piece, n);
    text->used += n;
}

void text_add(struct text *text, const char *piece)
{
    append(text, piece, strlen(piece));
}

void text_format(struct text *text, const char *format, ...)
{
    char piece[FORMAT_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof piece)
        text->failed = true;
    else
        append(text, piece, (size_t)n);
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

void text_free(struct text *text)
{
    free(text->at);
    *text = (struct text){0};
}

void text_finish(struct text *text, const struct request *request, struct reply *reply)
{
    if (text->failed) {
        text_free(text);
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for the answer");
    } else if (reply_own(reply, text->at, text->used) < 0) {
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for the answer");
    }
    *text = (struct text){0};
}
