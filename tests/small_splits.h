/* SPDX-License-Identifier: Apache-2.0
 * Small recordings and source splits, for tests of what is made from them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"
#include "common/split_writer.h"

enum { SMALL_N = 12, SMALL_EVENTS = 30, SMALL_BYTES = SMALL_EVENTS * EVENT_BYTES };

/* What each recording shows: in order, as in a source split. */
extern const uint8_t small_digits[SMALL_N];

/* Recording i: events in order of time, no two recordings alike. */
void small_recording(size_t i, uint8_t ret[SMALL_BYTES]);
struct event_span small_span(size_t i); /* kept for ever */

/* Start the split at `path`; end it as one of `kind` (SPLIT_KIND_…). */
struct split_writer *small_split_begin(const char *path, size_t n_samples);
void small_split_add(struct split_writer *writer, struct event_span events, int digit, int second,
                     int32_t source, int32_t second_source);
void small_split_end(struct split_writer *writer, const char *kind);

/* The source split of all recordings. */
void small_source_write(const char *path);
