/* SPDX-License-Identifier: Apache-2.0
 * The header of NumPy's `.npy` files, version 1.0. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event_codec.h"

enum { NPY_HEADER_MAX = 256 };

/* Write the header for a C-ordered array of `descr` (a dtype as in the file: "'|u1'" or a list of
 * fields) and `n_dims` dims into ret. Returns its size, a multiple of 64; the data follows.
 * Source: numpy.lib.format. */
size_t npy_header(char ret[NPY_HEADER_MAX], const char *descr, const uint64_t *dims,
                  unsigned n_dims);

/* The dtype of structured events, 7 bytes each: x, y (u1), t (u4, µs), p (u1). */
extern const char npy_event_descr[];
enum { NPY_EVENT_BYTES = EVENT_STRUCTURED_BYTES };

/* Packed events to structured ones: `out` has n_events × NPY_EVENT_BYTES. */
void npy_events(const uint8_t *events, size_t n_events, uint8_t *out);
