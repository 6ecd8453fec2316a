/* SPDX-License-Identifier: Apache-2.0
 * Each thread's own mixer, made at its first use and freed with the thread. */
#pragma once

#include "common/mixer.h"

/* NULL: no memory. */
struct mixer *scratch_mixer(void);

/* For the main thread, which ends without its destructors. */
void scratch_free(void);
