/* SPDX-License-Identifier: Apache-2.0
 * A Range header with one range of bytes (RFC 9110, 14). */
#include "server/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "server/param.h"

static bool read_number(const char *text, size_t n, uint64_t *ret)
{
    return param_number("range", text, n, 0, UINT64_MAX, ret, NULL) == 0;
}

enum range_result range_parse(const char *header, uint64_t size, uint64_t *ret_first,
                              uint64_t *ret_last)
{
    static const char unit[] = "bytes=";
    if (!header || strncasecmp(header, unit, sizeof unit - 1) != 0)
        return RANGE_WHOLE;
    const char *range = header + sizeof unit - 1, *dash = strchr(range, '-');
    if (!dash || strchr(range, ','))
        return RANGE_WHOLE;
    size_t n_before = (size_t)(dash - range), n_after = strlen(dash + 1);

    uint64_t first = 0, last = size - 1;
    if (n_before == 0) {
        uint64_t suffix;
        if (!read_number(dash + 1, n_after, &suffix))
            return RANGE_WHOLE;
        if (suffix == 0)
            return RANGE_OUTSIDE;
        first = suffix < size ? size - suffix : 0;
    } else {
        if (!read_number(range, n_before, &first) ||
            (n_after > 0 && !read_number(dash + 1, n_after, &last)) || last < first)
            return n_after == 0 && first >= size ? RANGE_OUTSIDE : RANGE_WHOLE;
        if (first >= size)
            return RANGE_OUTSIDE;
    }
    *ret_first = first;
    *ret_last = last < size - 1 ? last : size - 1;
    return RANGE_PART;
}
