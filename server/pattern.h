/* SPDX-License-Identifier: Apache-2.0
 * Patterns of paths: "/v1/splits/{split}/samples/{i}". A variable is one whole part of a path. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "server/param.h"

enum { PATTERN_MAX_VARIABLES = 4 };

/* The variable parts of a path that matched, borrowed from it. */
struct match {
    unsigned n;
    struct {
        enum variable variable;
        const char *at;
        size_t n;
    } captures[PATTERN_MAX_VARIABLES];
};

/* Whether [path, end) is of the pattern's form. */
bool pattern_matches(const char *pattern, const char *path, const char *end, struct match *ret);
