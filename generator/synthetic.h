/* SPDX-License-Identifier: Apache-2.0
 * The synthetic source: simulated N-MNIST recordings, so that everything runs without a download.
 *
 * A stand-in, to be labelled as one: results on it say nothing about N-MNIST. The same arguments
 * give the same bytes on every machine: integers alone decide.
 * Source: the sensor and its saccades: Orchard, Jayawant, Cohen, Thakor, Front. Neurosci. 9:437
 * (2015); Posch, Matolin, Wohlgenannt, IEEE JSSC 46:1 (2011). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

enum { SYNTHETIC_MIN_EVENTS = 1100, SYNTHETIC_MAX_EVENTS = 8200 }; /* of a recording */

/* Sizes of MNIST's sets. */
enum { SYNTHETIC_TRAIN_COUNT = 60000, SYNTHETIC_TEST_COUNT = 10000 };

/* How many of `total` recordings show each digit: MNIST's own counts for MNIST's sizes, and for
 * another total the same proportions, by largest remainder. total ≤ UINT32_MAX. */
void synthetic_class_counts(bool test, uint64_t total, uint64_t ret[N_DIGITS]);

/* Working memory for recordings, reused from call to call; one thread at a time. */
struct synthesizer;
int synthesizer_new(struct synthesizer **ret); /* Errors: -ENOMEM */
void synthesizer_free(struct synthesizer *synthesizer);

/* Recording `number` of the set (seed, train or test), showing `digit` < N_DIGITS: packed events in
 * order of time, at least SYNTHETIC_MIN_EVENTS. A pure function of these four; number < 2^32.
 * `out` has room for SYNTHETIC_MAX_EVENTS × EVENT_BYTES. Returns the number of events. */
size_t synthesizer_record(struct synthesizer *synthesizer, uint64_t seed, bool test,
                          uint64_t number, unsigned digit, uint8_t *out);
