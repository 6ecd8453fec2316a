/* SPDX-License-Identifier: Apache-2.0
 * Events in order of time: whether they are, and how they get there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"

/* Whether no event comes before one that is earlier. */
bool event_is_ordered(struct event_span events);

/* Write the events to `out` (room for as many; not events.bytes) in order of time; those of one
 * time keep their order. Fast where few of them go back in time. Errors: -ENOMEM. */
int event_put_in_order(struct event_span events, uint8_t *out);
