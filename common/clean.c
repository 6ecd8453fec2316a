/* SPDX-License-Identifier: Apache-2.0
 * Makes text of others fit to be shown to a person on a terminal. */
#include "common/clean.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
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
    static const struct {
        uint8_t mask, lead;
        uint32_t least; /* what is written in more bytes than it needs is none */
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < sizeof forms / sizeof *forms; more++) {
        uint8_t first = (uint8_t)text[0];
        if ((first & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t point = first & (uint8_t)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (((uint8_t)text[i] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | ((uint8_t)text[i] & 0x3f);
        }
        *ret = point;
        return point >= forms[more].least && point <= 0x10ffff ? more + 1 : 0;
    }
    return 0;
}

void clean_line(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        uint32_t point;
        size_t n = decode(from, &point);
        if (n == 0 || is_hidden(point)) {
            *to++ = '?';
            from += n ? n : 1;
            continue;
        }
        memmove(to, from, n);
        to += n;
        from += n;
    }
    *to = '\0';
}
