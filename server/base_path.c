/* SPDX-License-Identifier: Apache-2.0
 * The prefix under which a proxy shows all paths. */
#include "server/base_path.h"

#include <string.h>

static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

bool base_path_is_valid(const char *text, size_t n)
{
    if (n > BASE_PATH_MAX)
        return false;
    for (size_t i = 0; i < n;) {
        if (text[i++] != '/')
            return false;
        size_t begin = i;
        while (i < n && text[i] && strchr(allowed, text[i]))
            i++;
        size_t part = i - begin;
        if (part == 0 || (part <= 2 && strncmp(text + begin, "..", part) == 0))
            return false;
    }
    return true;
}

const char *base_path_strip(const char *base, const char *path)
{
    size_t n = strlen(base);
    if (n == 0 || strncmp(path, base, n) != 0)
        return path;
    if (path[n] == '\0')
        return "/";
    return path[n] == '/' ? path + n : path;
}
