/* SPDX-License-Identifier: Apache-2.0
 * Patterns of paths. */
#include "server/pattern.h"

#include <string.h>

bool pattern_matches(const char *pattern, const char *path, const char *end, struct match *ret)
{
    ret->n = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (path == end || *path++ != *pattern++)
                return false;
            continue;
        }
        const char *close = strchr(pattern, '}'), *stop = path;
        while (stop < end && *stop != '/')
            stop++;
        if (stop == path)
            return false;
        ret->captures[ret->n].variable = variable_find(pattern + 1, (size_t)(close - pattern - 1));
        ret->captures[ret->n].at = path;
        ret->captures[ret->n++].n = (size_t)(stop - path);
        path = stop;
        pattern = close + 1;
    }
    return path == end;
}
