/* SPDX-License-Identifier: Apache-2.0
 * In which form samples are wanted: all that a client may choose about their bytes, and nothing of
 * how it said so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/filter.h"
#include "common/frames.h"
#include "common/mixer.h"
#include "common/slices.h"
#include "common/tensors.h"

enum form_as { FORM_EVENTS, FORM_FRAMES, FORM_SPARSE, FORM_BITS };

/* Stands beside the kinds of enum slice where one of them can be chosen. */
enum { FORM_SLICE_VOXEL = SLICE_DURATION + 1 };

/* Of pictures alone. */
struct form_picture {
    uint32_t scale;  /* 1 to PICTURE_SCALE_MAX */
    uint32_t strip;  /* 1 to PICTURE_STRIP_MAX cells */
    uint32_t frames; /* 1 to PICTURE_FRAMES_MAX; more than one of either is refused */
};

struct form {
    enum form_as as;
    bool has_order; /* otherwise: as stored, or by time where it is mixed now */
    enum mix_order order;
    uint32_t timestep_us; /* of events: times become its multiples; 0: as recorded */
    bool is_filtered;     /* by `filter`, when all that comes before is done */
    struct filter filter;
    struct frames_rule frames; /* of all forms but events; alone where slice is SLICE_TIMESTEP */
    bool is_voxel;             /* a grid of frames.bins in place of frames */
    struct slice_rule slice;
    struct form_picture picture;
};

/* Whether it is made by common/frames at once: then events may be in any order. */
bool form_is_plain_frames(const struct form *form);

/* Whether it makes something only of events in order of time; `why` says what. */
bool form_needs_time(const struct form *form, struct error *why);

/* What common/tensors has to know of it. */
struct tensor_shape form_shape(const struct form *form);
