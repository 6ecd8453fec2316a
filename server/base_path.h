/* SPDX-License-Identifier: Apache-2.0
 * The prefix under which a proxy shows all paths: "" or "/a/b". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { BASE_PATH_MAX = 128 };

/* Whether the `n` characters are such a prefix: of letters, digits and -._~, no longer than that,
 * and without a part that is a dot or two. */
bool base_path_is_valid(const char *text, size_t n);

/* The path behind the prefix, or all of it where it does not stand there. */
const char *base_path_strip(const char *base, const char *path);
