/* SPDX-License-Identifier: Apache-2.0
 * A Range header with one range of bytes (RFC 9110, 14). */
#include "server/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Decimal digits alone; what is past 2^64 - 1 is past the end of every file, too. */
static bool read_number(const char *text, size_t n, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (unsigned)(text[i] - '0'), &value))
            value = UINT64_MAX;
    }
    *ret = value;
    return n > 0;
}

static enum range_result suffix(uint64_t n_last, uint64_t size, uint64_t *ret_first,
                                uint64_t *ret_last)
{
    if (n_last == 0 || size == 0)
        return RANGE_OUTSIDE;
    *ret_first = n_last < size ? size - n_last : 0;
    *ret_last = size - 1;
    return RANGE_PART;
}

enum range_result range_parse(const char *header, uint64_t size, uint64_t *ret_first,
                              uint64_t *ret_last)
{
    static const char unit[] = "bytes=";
    if (!header || strncasecmp(header, unit, sizeof unit - 1) != 0)
        return RANGE_WHOLE;
    const char *range = header + sizeof unit - 1 + strspn(header + sizeof unit - 1, " \t");
    size_t n = strcspn(range, " \t"), n_before = strcspn(range, "-");
    if (range[n + strspn(range + n, " \t")] || n_before >= n)
        return RANGE_WHOLE; /* several ranges, or none */
    const char *after = range + n_before + 1;
    size_t n_after = n - n_before - 1;

    uint64_t first, last = UINT64_MAX;
    if (n_after > 0 && !read_number(after, n_after, &last))
        return RANGE_WHOLE;
    if (n_before == 0)
        return n_after > 0 ? suffix(last, size, ret_first, ret_last) : RANGE_WHOLE;
    if (!read_number(range, n_before, &first) || last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_OUTSIDE;
    *ret_first = first;
    *ret_last = last < size - 1 ? last : size - 1;
    return RANGE_PART;
}
