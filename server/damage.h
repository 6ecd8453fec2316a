/* SPDX-License-Identifier: Apache-2.0
 * Names in the log what was found damaged. */
#pragma once

#include "common/error.h"
#include "server/samples/catalog.h"

/* Where the entry's split, or the one it was mixed from, was found damaged: say so once, and which
 * sample is, or `why`, if that is known (else NULL). Any thread. */
void damage_tell(const struct entry *entry, const struct error *why);
