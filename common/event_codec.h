/* SPDX-License-Identifier: Apache-2.0
 * Whole recordings between packed events and every other form of them, as fast as memory allows.
 *
 * Nothing is read or written outside the buffers named here, whatever the bytes say. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

enum { EVENT_STRUCTURED_BYTES = 7 };

/* One array per field, n_events each. */
void event_columns(struct event_span events, uint32_t *t_us, uint8_t *x, uint8_t *y, uint8_t *p);

/* n_events × EVENT_STRUCTURED_BYTES: x, y, t (4 bytes, little-endian), p. */
void event_structured(struct event_span events, uint8_t *ret);

/* n_events keys (common/key.h) with sequence numbers from `seq` on (seq + n_events ≤ KEYS_MAX). */
void event_keys(struct event_span events, uint32_t seq, uint64_t *ret);

/* The same for the recording reversed in time: t' = t of the last event - t, last event first. */
void event_keys_reversed(struct event_span events, uint32_t seq, uint64_t *ret);

/* n keys to packed events, n × EVENT_BYTES. */
void event_pack_keys(const uint64_t *keys, size_t n, uint8_t *ret);

/* As event_pack_keys(), but stops at the first event that is equal to the one
 * before it or third in a row at one time: up to there no event repeats an earlier one. keys[-1]
 * and keys[-2] are read too. Returns how many were packed. */
size_t event_pack_distinct_keys(const uint64_t *keys, size_t n, uint8_t *ret);
