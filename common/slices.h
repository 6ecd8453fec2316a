/* SPDX-License-Identifier: Apache-2.0
 * How the events of a sample, in order of time, are cut into frames: each frame is of a run of
 * events, [begin, end); runs may overlap, and be empty. Every rule of the field is of this kind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/event.h"
#include "common/frames.h"

/* clang-format off */
enum slice {
    SLICE_TIMESTEP,    /* bin of t / timestep_us, `binning`; `bins` of them: as lava-dl */
    SLICE_WINDOW,      /* timestep_us long, each stride_us, from the first event or has_range: Tonic */
    SLICE_TIME_BINS,   /* `bins` of equal length, which overlap by bin_overlap: Tonic n_time_bins= */
    SLICE_EVENT_COUNT, /* n_events each, every stride_events: Tonic event_count= */
    SLICE_EVENT_BINS,  /* `bins` of as many events: Tonic n_event_bins= */
    SLICE_NUMBER,      /* `bins` of as many events, the last takes the rest: SpikingJelly */
    SLICE_TIME,        /* `bins` of equal length, the last takes the rest: SpikingJelly */
    SLICE_DURATION,    /* timestep_us long: SpikingJelly */
};
/* clang-format on */

struct slice_rule {
    enum slice slice;
    uint32_t timestep_us; /* 1 to FRAMES_TIMESTEP_MAX_US */
    uint32_t bins;        /* 1 to FRAMES_BINS_MAX */
    enum frames_binning binning;
    uint32_t stride_us; /* of windows, at least 1 */
    bool has_range;     /* windows from start_us to end_us, whatever the events are */
    uint32_t start_us, end_us;
    uint32_t n_events, stride_events; /* at least 1 */
    bool incomplete;                  /* the last frame too, where it is not full */
    double bin_overlap;               /* 0 to below 1 */
};

struct slices {
    uint32_t n;
    struct slice_run {
        uint32_t begin, end;
    } at[FRAMES_BINS_MAX];
};

/* Whether every sample has as many frames, `bins` or what range and stride make: ret_n of them. */
bool slices_are_fixed(const struct slice_rule *rule, uint32_t *ret_n);

/* The most frames that n events which span `span_us` can have: for limits, before they are known;
 * may be more than FRAMES_BINS_MAX. */
uint64_t slices_most(const struct slice_rule *rule, uint64_t n_events, uint32_t span_us);

/* Cut. Errors, after which *ret is undefined: -EINVAL the events are not in order of time (those of
 * SLICE_TIMESTEP can be put there first, event_order.h: frames are of sets), or the rule makes
 * nothing of them, as the library itself fails (no event; none in one of SLICE_TIME's frames; no
 * time for SLICE_DURATION); -E2BIG more than FRAMES_BINS_MAX frames. `why` speaks of "it", the
 * sample. */
int slices_cut(const struct slice_rule *rule, struct event_span events, struct slices *ret,
               struct error *why);
