/* SPDX-License-Identifier: Apache-2.0
 * Names in the log what was found damaged. */
#pragma once

#include "server/samples/catalog.h"

/* Where a sample of the entry's split, or of the one it was mixed from, was found damaged: say
 * which, once. Any thread. */
void damage_tell(const struct entry *entry);
