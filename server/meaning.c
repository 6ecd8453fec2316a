/* SPDX-License-Identifier: Apache-2.0
 * Which parameters have a meaning beside which others. */
#include "server/meaning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/slices.h"
#include "server/samples/form.h"

#define AS(name)    (1u << FORM_##name)
#define SLICE(name) (1u << SLICE_##name)
#define VOXEL       (1u << FORM_SLICE_VOXEL)

#define CUT    (AS(FRAMES) | AS(SPARSE) | AS(BITS))
#define SLICES ((VOXEL << 1) - 1)

/* By the values of `as` and, unless that is events, of `slice`. Others go with all. */
static const struct meaning {
    enum param param;
    unsigned as, slices;
} meanings[] = {
    {PARAM_TIMESTEP, AS(EVENTS) | CUT, SLICE(TIMESTEP) | SLICE(WINDOW) | SLICE(DURATION)},
    {PARAM_BINS, CUT,
     SLICE(TIMESTEP) | SLICE(TIME_BINS) | SLICE(EVENT_BINS) | SLICE(NUMBER) | SLICE(TIME) | VOXEL},
    {PARAM_BINNING, CUT, SLICE(TIMESTEP)},
    {PARAM_OVERLAP, AS(FRAMES) | AS(SPARSE), SLICE(TIMESTEP)},
    {PARAM_AXES, AS(FRAMES), SLICES & ~VOXEL},
    {PARAM_SLICE, CUT, SLICES},
    {PARAM_STRIDE, CUT, SLICE(WINDOW) | SLICE(EVENT_COUNT)},
    {PARAM_INCOMPLETE, CUT, SLICE(WINDOW) | SLICE(EVENT_COUNT)},
    {PARAM_START, CUT, SLICE(WINDOW)},
    {PARAM_END, CUT, SLICE(WINDOW)},
    {PARAM_BIN_OVERLAP, CUT, SLICE(TIME_BINS)},
    {PARAM_EVENTS, CUT, SLICE(EVENT_COUNT)},
    {PARAM_VALUES, AS(FRAMES), SLICES & ~VOXEL},
};

static const struct meaning *meaning_of(enum param param)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].param == param)
            return &meanings[i];
    return NULL;
}

static bool fits_as(const struct meaning *meaning, const uint64_t *params)
{
    return meaning->as & 1u << params[PARAM_AS];
}

static bool fits_slice(const struct meaning *meaning, const uint64_t *params)
{
    return params[PARAM_AS] == FORM_EVENTS || meaning->slices & 1u << params[PARAM_SLICE];
}

bool meaning_has(const uint64_t params[N_PARAMS], enum param param)
{
    const struct meaning *meaning = meaning_of(param);
    return !meaning || (fits_as(meaning, params) && fits_slice(meaning, params));
}

/* "stride goes with slice=window or event-count, not with slice=time" */
static int refuse(const char *name, enum param by, unsigned with, uint64_t value, struct error *why)
{
    const struct param_row *row = &param_rows[by];
    char list[128] = "";
    size_t used = 0;
    for (unsigned i = 0, left = with; left && used < sizeof list; left &= ~(1u << i++)) {
        if (!(left & 1u << i))
            continue;
        const char *between = left == 1u << i ? " or " : ", ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? between : "",
                                 row->choices[i]);
    }
    return error_set(why, -EINVAL, "%s goes with %s=%s, not with %s=%s", name, row->name, list,
                     row->name, row->choices[value]);
}

static int check_meanings(const uint64_t *params, uint64_t given, struct error *why)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        const struct meaning *meaning = &meanings[i];
        const char *name = param_rows[meaning->param].name;
        if (!(given & PARAM_BIT(meaning->param)))
            continue;
        if (!fits_as(meaning, params))
            return refuse(name, PARAM_AS, meaning->as, params[PARAM_AS], why);
        if (!fits_slice(meaning, params))
            return refuse(name, PARAM_SLICE, meaning->slices, params[PARAM_SLICE], why);
    }
    if (params[PARAM_SLICE] == FORM_SLICE_VOXEL && params[PARAM_AS] != FORM_FRAMES)
        return refuse("slice=voxel", PARAM_AS, AS(FRAMES), params[PARAM_AS], why);
    return 0;
}

static int check_below(const uint64_t *params, enum param low, enum param high, struct error *why)
{
    if (params[low] < params[high])
        return 0;
    return error_set(why, -EINVAL, "%s is %" PRIu64 " and %s %" PRIu64 "; it has to be less",
                     param_rows[low].name, params[low], param_rows[high].name, params[high]);
}

int meaning_check(const uint64_t params[N_PARAMS], uint64_t given, struct error *why)
{
    const uint64_t range = PARAM_BIT(PARAM_START) | PARAM_BIT(PARAM_END);
    const uint64_t orders = PARAM_BIT(PARAM_SORT) | PARAM_BIT(PARAM_SEED);
    int r = check_meanings(params, given, why);
    if (r == 0)
        r = check_below(params, PARAM_T0, PARAM_T1, why);
    if (r < 0)
        return r;
    if ((given & orders) == orders)
        return error_set(why, -EINVAL, "sort and seed do not go together");
    if ((given & range) && (given & range) != range)
        return error_set(why, -EINVAL, "start and end go together; %s is missing",
                         given & PARAM_BIT(PARAM_START) ? "end" : "start");
    if (given & range)
        return check_below(params, PARAM_START, PARAM_END, why);
    if (params[PARAM_SLICE] == SLICE_EVENT_COUNT && !(given & PARAM_BIT(PARAM_EVENTS)))
        return error_set(why, -EINVAL, "slice=event-count needs events: how many a frame has");
    return 0;
}
