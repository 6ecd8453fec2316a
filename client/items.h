/* SPDX-License-Identifier: Apache-2.0
 * Packed events to columns and to structured items, by the vector code that common/cpu.h allows. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Bytes that have to be readable behind the last packed event. */
enum { ITEMS_SLACK = 16 };

/* Columns of n_events each; they need no alignment. Any thread. */
struct items_columns {
    uint8_t *t; /* u32, µs */
    uint8_t *x, *y, *p;
};

void items_columns(const uint8_t *events, size_t n_events, struct items_columns out);

enum { ITEMS_FIELDS = 4, ITEMS_MAX_ITEM = 64 }; /* x, y, t, p */

struct items_layout {
    uint32_t item_size;
    uint32_t at[ITEMS_FIELDS], width[ITEMS_FIELDS]; /* bytes */
};

/* Errors: -EINVAL sizes out of range, a field outside the item or upon another. */
int items_layout_check(const struct items_layout *layout, struct error *why);

/* `out` has n_events × item_size. The layout has passed its check. Any thread. */
void items_structured(const struct items_layout *layout, const uint8_t *events, size_t n_events,
                      uint8_t *out);
