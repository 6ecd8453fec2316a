/* SPDX-License-Identifier: Apache-2.0
 * The digits that a sample shows, as multi-hot labels and as a list of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/geometry.h"

/* The digits that are shown, ascending; returns how many. */
unsigned digits_of(const uint8_t labels[N_DIGITS], uint8_t ret[N_DIGITS]);

/* The one digit that is shown; -1 where there is none, or more than one. */
int digits_only(const uint8_t labels[N_DIGITS]);

/* Is each of these labels 0 or 1, and one of them 1? Errors: -EBADMSG. */
int digits_check(const uint8_t *labels, uint32_t n_labels, struct error *why);

enum { DIGITS_TEXT_SIZE = 2 + 3 * N_DIGITS };

/* The digits as text, with `between` (of two characters at most) between two: "3, 8". */
void digits_text(const uint8_t labels[N_DIGITS], const char *between, char ret[DIGITS_TEXT_SIZE]);
