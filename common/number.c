/* SPDX-License-Identifier: Apache-2.0
 * Whole numbers in text. */
#include "common/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHOWN = 40 }; /* characters of a text, in a reason */

static int shown(size_t n)
{
    return n > MAX_SHOWN ? MAX_SHOWN : (int)n;
}

int number_parse(const char *name, const char *text, size_t n, uint64_t min, uint64_t max,
                 uint64_t *ret, struct error *why)
{
    uint64_t value = 0;
    bool fits = true;
    if (n == 0)
        return error_set(why, -EINVAL, "%s is empty; it takes a whole number", name);
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return error_set(why, -EINVAL, "%s takes a whole number, not \"%.*s\"", name, shown(n),
                             text);
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, (unsigned)(text[i] - '0'), &value);
    }
    if (!fits || value < min || value > max)
        return error_set(why, -ERANGE, "%s is %.*s; it goes from %" PRIu64 " to %" PRIu64, name,
                         shown(n), text, min, max);
    *ret = value;
    return 0;
}

static size_t count_items(const char *text, size_t n)
{
    size_t n_items = 1;
    for (size_t i = 0; i < n; i++)
        n_items += text[i] == ',';
    return n_items;
}

int number_parse_list(const char *name, const char *text, size_t n, size_t most, uint64_t max,
                      struct numbers *ret, struct error *why)
{
    size_t n_items = count_items(text, n);
    if (n_items > most)
        return error_set(why, -E2BIG, "%s lists %zu numbers; the limit is %zu", name, n_items,
                         most);
    uint64_t *items = calloc(n_items, sizeof *items);
    if (!items)
        return error_set(why, -ENOMEM, "no memory for %zu numbers", n_items);
    const char *end = text + n;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n_items; i++) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        r = number_parse(name, text, (size_t)(stop - text), 0, max, &items[i], why);
        text = stop + 1;
    }
    if (r < 0) {
        free(items);
        return r;
    }
    *ret = (struct numbers){.items = items, .n = n_items};
    return 0;
}
