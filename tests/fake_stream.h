/* SPDX-License-Identifier: Apache-2.0
 * A stream over requests that a test answers itself: of a split of N samples in batches of SIZE. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/stream.h"
#include "tests/fake_requests.h"

enum { N = 31, SIZE = 4, N_BATCHES = 8, SEED = 5, DEPTH = 3 };

extern tnm_client *client;
extern tnm_split *split;
extern tnm_stream *stream;
extern atomic_bool asked_for_places; /* of the last batch; the loop's thread sets it */
extern int64_t damaged_k;            /* a batch that is refused; -1: none */

/* The split alone; with an epoch's stream; with one of fresh pairs, from pair 40. */
int setup_split(void **state);
int setup_epoch(void **state);
int setup_pairs(void **state);
int teardown(void **state);
