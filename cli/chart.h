/* SPDX-License-Identifier: Apache-2.0
 * Counts as pictures of one line. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/style.h"

enum { CHART_BAR = 40 };

/* A bar of CHART_BAR characters for `most` (1 or more), shorter for less. */
void chart_bar(FILE *out, const struct style *style, int64_t count, int64_t most);

/* A character for each count, as high as its share of the greatest. */
void chart_line(FILE *out, const struct style *style, const int64_t *counts, size_t n);
