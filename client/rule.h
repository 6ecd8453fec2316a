/* SPDX-License-Identifier: Apache-2.0
 * A rule: which events of a sample count, and what frames they become. Its parameters have the
 * names and values that they have in a URL. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/twonmnist.h"
#include "common/error.h"
#include "common/filter.h"
#include "common/frames.h"
#include "common/safetensors.h"
#include "common/slices.h"

enum rule_param {
    RULE_STABILIZE,
    RULE_T0,
    RULE_T1,
    RULE_DENOISE,
    RULE_POLARITY,
    RULE_N_FILTERS, /* those before are filters */
    RULE_SLICE = RULE_N_FILTERS,
    RULE_TIMESTEP,
    RULE_BINS,
    RULE_BINNING,
    RULE_OVERLAP,
    RULE_STRIDE,
    RULE_INCOMPLETE,
    RULE_START,
    RULE_END,
    RULE_BIN_OVERLAP,
    RULE_EVENTS,
    RULE_N_PARAMS,
};

enum { RULE_TEXT = 24, RULE_QUERY_MAX = 640 };

/* One that was checked. */
struct rule {
    struct filter filter;
    bool is_voxel; /* a voxel grid of slice.bins, and no frames */
    struct slice_rule slice;
    enum frames_overlap overlap;
    /* The value of each parameter, written in one way; "" where it has no part in the result, and
     * of slice=timestep. Of equal rules all bytes here are equal. */
    char texts[RULE_N_PARAMS][RULE_TEXT];
};

/* One without filters or frames. */
extern const struct rule rule_none;

/* Check what was set. Errors: -EINVAL a parameter that the rule's slice has not, or has and was not
 * given; two that do not go together. */
int rule_check(const tnm_rule *rule, struct rule *ret, struct error *why);

/* The same for filters alone. */
int rule_check_filters(const tnm_rule *rule, struct rule *ret, struct error *why);

/* lava-dl's frames, as tnm_decoder_frames() has them. */
struct rule rule_of_timestep(uint32_t timestep_us, uint32_t bins, enum frames_binning binning,
                             enum frames_overlap overlap);

bool rule_equal(const struct rule *a, const struct rule *b);
bool rule_has_filters(const struct rule *rule);

/* `ret` with the filters of `from`. */
void rule_set_filters(struct rule *ret, const struct rule *from);

/* "&name=value" of each parameter; returns how long that is, at most RULE_QUERY_MAX - 1. */
size_t rule_query(const struct rule *rule, char ret[RULE_QUERY_MAX]);

/* What a batch by the rule says of each parameter: a row for each, whose value is NULL where it
 * says nothing. Borrowed from the rule. */
void rule_meta(const struct rule *rule, struct meta ret[RULE_N_PARAMS]);
