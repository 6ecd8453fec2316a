/* SPDX-License-Identifier: Apache-2.0
 * A long answer from maps, read from the disk a window at a time while it leaves: who sends it
 * copies what is in memory, and never waits for the rest; who may wait reads that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "server/samples/reply.h"

enum { PACE_WINDOW_BYTES = 8 << 20 };

/* Where in an answer: `skipped` bytes into a part. */
struct pace_place {
    size_t part, skipped;
};

/* Whether all of an answer seems to be in memory, by places that are looked at in it. */
bool pace_is_there(const struct reply *reply);

/* Wait until the window that begins at the place is in memory, and have the one behind it read. Any
 * thread. */
void pace_await(const struct reply *reply, struct pace_place place);

/* Copy `size` bytes of a part, as many as are in memory, without waiting for a disk. Returns how
 * many that were. */
size_t pace_copy(const struct reply *reply, const void *from, void *out, size_t size);
