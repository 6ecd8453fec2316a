/* SPDX-License-Identifier: Apache-2.0
 * What the terminal says that it can show beside characters. */
#pragma once

#include <stdbool.h>

#include "cli/terminal.h"

struct ability {
    bool kitty, sixel;           /* draws pictures by this protocol */
    int cell_width, cell_height; /* pixels; 0: it did not say */
};

/* Ask it, and wait for its answer as long as such an answer takes, and no longer: one that does not
 * know the questions says nothing. Keys that are pressed meanwhile are lost. */
void ability_ask(const struct terminal *terminal, struct ability *ret);

/* What `n` characters of answers say. Whether the last of them is among these. */
bool ability_read(const char *answers, size_t n, struct ability *ret);
