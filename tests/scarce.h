/* SPDX-License-Identifier: Apache-2.0
 * Memory that runs out: every allocation of a function fails once, one after the other.
 *
 * For programs that are linked with $(scarce_flags), which lead the allocations of all that is
 * linked in (but not those inside libraries) through here. */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* Call `act` again and again, with the 1st, the 2nd, … allocation failing, until none does any
 * more. All calls but the last must return -ENOMEM and say why in words, where `act` gives any;
 * the last must return 0. Whatever `act` made, it frees. Returns how many allocations there are. */
unsigned scarce_try(int (*act)(void *user, struct error *why), void *user);

/* The same by hand: from here on the allocation that comes after `n` others fails, and all behind
 * it where it is `lasting`, up to scarce_end(), which says whether one has. */
void scarce_begin(unsigned n, bool lasting);
bool scarce_end(void);
