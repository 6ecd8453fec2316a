/* SPDX-License-Identifier: Apache-2.0
 * In which form samples are wanted: all that a client may choose about their bytes, and nothing of
 * how it said so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/frames.h"
#include "common/mixer.h"

enum form_as { FORM_EVENTS, FORM_FRAMES };

struct form {
    enum form_as as;
    bool has_order; /* otherwise: as stored, or by time where it is mixed now */
    enum mix_order order;
    uint32_t timestep_us;      /* of events: times become its multiples; 0: as recorded */
    struct frames_rule frames; /* of frames */
};
