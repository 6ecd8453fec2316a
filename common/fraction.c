/* SPDX-License-Identifier: Apache-2.0
 * Parts of one in text: real numbers from 0 to below 1. */
#include "common/fraction.h"

#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHOWN = 40 }; /* characters of a text, in a reason */

static const char digits[] = "0123456789";

/* "12" or "12.5"; a whole number may stand there to be told that it is too large. */
static bool is_decimal(const char *text, size_t n)
{
    const char *point = memchr(text, '.', n);
    size_t whole = point ? (size_t)(point - text) : n, part = point ? n - whole - 1 : 0;
    if (whole == 0 || whole > FRACTION_DECIMALS || part > FRACTION_DECIMALS || (point && !part))
        return false;
    for (size_t i = 0; i < n; i++)
        if (text + i != point && (!text[i] || !strchr(digits, text[i])))
            return false;
    return true;
}

/* Where another locale writes another point, this thread leaves it for as long as this takes. */
static locale_t enter_c(locale_t *ret_before)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *ret_before = uselocale(c);
    return c;
}

static void leave_c(locale_t c, locale_t before)
{
    uselocale(before);
    if (c)
        freelocale(c);
}

int fraction_parse(const char *name, const char *text, size_t n, double *ret, struct error *why)
{
    char copy[2 * FRACTION_TEXT_SIZE];
    int shown = n > MAX_SHOWN ? MAX_SHOWN : (int)n;
    if (!is_decimal(text, n))
        return error_set(why, -EINVAL,
                         "%s takes a number as 0.25, of up to %d decimals, not \"%.*s\"", name,
                         FRACTION_DECIMALS, shown, text);
    memcpy(copy, text, n);
    copy[n] = '\0';
    locale_t before, c = enter_c(&before);
    double value = strtod(copy, NULL);
    leave_c(c, before);
    if (value >= 1)
        return error_set(why, -ERANGE, "%s is %.*s; it goes from 0 to below 1", name, shown, text);
    *ret = value;
    return 0;
}

void fraction_text(double value, char ret[FRACTION_TEXT_SIZE])
{
    locale_t before, c = enter_c(&before);
    for (int decimals = 0; decimals <= FRACTION_DECIMALS; decimals++) {
        snprintf(ret, FRACTION_TEXT_SIZE, "%.*f", decimals, value);
        if (strtod(ret, NULL) == value)
            break;
    }
    leave_c(c, before);
}
