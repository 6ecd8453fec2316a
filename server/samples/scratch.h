/* SPDX-License-Identifier: Apache-2.0
 * Each thread's own working memory, made at its first use and freed with the thread. */
#pragma once

#include "common/mixer.h"
#include "common/slices.h"

/* NULL: no memory. */
struct mixer *scratch_mixer(void);
struct slices *scratch_slices(void);

/* For the main thread, which ends without its destructors. */
void scratch_free(void);
