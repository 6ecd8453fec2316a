/* SPDX-License-Identifier: Apache-2.0
 * Which events of a sample are kept, and where: the field's usual clean-up of recordings, applied
 * in this order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event.h"
#include "common/geometry.h"

enum { FILTER_T1_NONE = EVENT_T_MAX + 1 };

struct filter {
    bool stabilize;      /* take the saccades' path off x and y (Tonic's NMNIST(stabilize=True)) */
    uint32_t t0_us;      /* keep t0 ≤ t < t1 */
    uint32_t t1_us;      /* FILTER_T1_NONE: no bound */
    uint32_t denoise_us; /* keep what has a neighbour in time and space (Tonic's Denoise); 0: all */
    bool merge_polarity; /* all become OFF, and repeats of (t, x, y) are dropped */
};

/* One that keeps all. */
extern const struct filter filter_none;
bool filter_keeps_all(const struct filter *filter);

/* Write those of `events`, which are in order of time, that are kept to `out`, which has room for
 * as many, or is events.bytes. Errors: -ENOMEM. */
int filter_events(const struct filter *filter, const struct geometry *geometry,
                  struct event_span events, uint8_t *out, size_t *ret_n);
