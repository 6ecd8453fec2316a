/* SPDX-License-Identifier: Apache-2.0
 * Packed events to columns and to structured items: vector code chosen at run time, with a portable
 * twin. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Bytes that have to be readable behind the last packed event. */
enum { DECODE_SLACK = 16 };

/* Columns of n_events each; they need no alignment. Any thread. */
struct decode_columns {
    uint8_t *t; /* u32, µs */
    uint8_t *x, *y, *p;
};

void decode_columns(const uint8_t *events, size_t n_events, struct decode_columns out);
void decode_columns_portable(const uint8_t *events, size_t n_events, struct decode_columns out);

enum { DECODE_FIELDS = 4, DECODE_MAX_ITEM = 64 }; /* x, y, t, p */

struct decode_layout {
    uint32_t item_size;
    uint32_t at[DECODE_FIELDS], width[DECODE_FIELDS]; /* bytes */
};

/* Errors: -EINVAL sizes out of range, a field outside the item or upon another. */
int decode_layout_check(const struct decode_layout *layout, struct error *why);

/* `out` has n_events × item_size. The layout has passed its check. Any thread. */
void decode_structured(const struct decode_layout *layout, const uint8_t *events, size_t n_events,
                       uint8_t *out);
void decode_structured_portable(const struct decode_layout *layout, const uint8_t *events,
                                size_t n_events, uint8_t *out);
