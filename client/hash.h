/* SPDX-License-Identifier: Apache-2.0
 * Numbers that stand for texts, by which servers are chosen: the same on every machine. Any thread.
 */
#pragma once

#include <stdint.h>

/* Of the text, behind what `before` is the hash of. */
uint64_t hash_text(uint64_t before, const char *text);

/* Each bit of the result hangs on all. */
uint64_t hash_mix(uint64_t bits);
