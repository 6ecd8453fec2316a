/* SPDX-License-Identifier: Apache-2.0
 * Philox4x64-10, a random number generator that is a pure function of a key and a counter.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#pragma once

#include <stdint.h>

/* The first four values of numpy.random.Philox(key=seed, counter=index).random_raw(). */
void philox4x64(uint64_t seed, uint64_t index, uint64_t ret[4]);
