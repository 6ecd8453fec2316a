/* SPDX-License-Identifier: Apache-2.0
 * How the events of a sample, in order of time, are cut into frames. */
#include "common/slices.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "common/event_order.h"
#include "common/timestep.h"

/* Tonic's arithmetic is NumPy's: every operation rounds to binary64 (and Makefile.am lets none be
 * contracted with another). */
_Static_assert(FLT_EVAL_METHOD != 2 && FLT_EVAL_METHOD >= 0,
               "operations of more than binary64: -msse2 -mfpmath=sse does without");

static uint32_t time_at(struct event_span events, size_t i)
{
    return event_unpack(events.bytes + i * EVENT_BYTES).t_us;
}

static uint32_t span_us(struct event_span events)
{
    return time_at(events, events.n_events - 1) - time_at(events, 0);
}

/* The first of events i, i + 1, … at t_us or later; those before i are earlier. */
static uint32_t first_from(struct event_span events, uint32_t i, uint64_t t_us)
{
    while (i < events.n_events && time_at(events, i) < t_us)
        i++;
    return i;
}

static uint32_t at_most(uint64_t n, uint64_t most)
{
    return (uint32_t)(n < most ? n : most);
}

static int need_events(struct event_span events, struct error *why)
{
    return events.n_events > 0 ? 0 : error_set(why, -EINVAL, "it has no events to be cut");
}

static int set_number(struct slices *ret, uint64_t n, struct error *why)
{
    if (n > FRAMES_BINS_MAX)
        return error_set(why, -E2BIG, "it would have %" PRIu64 " frames, and the limit is %d", n,
                         FRAMES_BINS_MAX);
    ret->n = (uint32_t)n;
    return 0;
}

/* How many follow the first, if each begins `stride` later and `rest` is what the first leaves. */
static uint64_t n_more(uint64_t rest, uint32_t stride, bool incomplete)
{
    return rest / stride + (incomplete && rest % stride != 0);
}

static uint64_t n_windows(const struct slice_rule *rule, uint32_t start_us, uint32_t end_us)
{
    uint64_t first_end = (uint64_t)start_us + rule->timestep_us;
    uint64_t rest = end_us > first_end ? end_us - first_end : 0;
    return 1 + n_more(rest, rule->stride_us, rule->incomplete);
}

static uint64_t n_counts(const struct slice_rule *rule, uint64_t n_events)
{
    uint64_t rest = n_events > rule->n_events ? n_events - rule->n_events : 0;
    return 1 + n_more(rest, rule->stride_events, rule->incomplete);
}

static int cut_timestep(const struct slice_rule *rule, struct event_span events, struct slices *ret,
                        struct error *why)
{
    (void)why;
    struct timestep step = timestep_of(rule->timestep_us);
    uint32_t i = 0;
    ret->n = rule->bins;
    for (uint32_t bin = 0; bin < rule->bins; bin++) {
        ret->at[bin].begin = i;
        while (i < events.n_events &&
               (rule->binning == FRAMES_ROUND ? timestep_round(step, time_at(events, i))
                                              : timestep_floor(step, time_at(events, i))) <= bin)
            i++;
        ret->at[bin].end = i;
    }
    return 0;
}

static int cut_window(const struct slice_rule *rule, struct event_span events, struct slices *ret,
                      struct error *why)
{
    int r = rule->has_range ? 0 : need_events(events, why);
    if (r < 0)
        return r;
    uint32_t start_us = rule->has_range ? rule->start_us : time_at(events, 0);
    uint32_t end_us = rule->has_range ? rule->end_us : time_at(events, events.n_events - 1);
    r = set_number(ret, n_windows(rule, start_us, end_us), why);
    if (r < 0)
        return r;
    uint32_t begin = 0, end = 0;
    for (uint32_t i = 0; i < ret->n; i++) {
        uint64_t begin_us = start_us + (uint64_t)i * rule->stride_us;
        begin = first_from(events, begin, begin_us);
        end = first_from(events, end, begin_us + rule->timestep_us);
        ret->at[i] = (struct slice_run){.begin = begin, .end = end};
    }
    return 0;
}

/* A whole number of µs is as late as a time when it is as late as the next whole one. */
static uint64_t whole_us(double t_us)
{
    return (uint64_t)ceil(t_us);
}

static int cut_time_bins(const struct slice_rule *rule, struct event_span events,
                         struct slices *ret, struct error *why)
{
    int r = need_events(events, why);
    if (r < 0)
        return r;
    const double overlap = rule->bin_overlap, first_us = time_at(events, 0);
    const double window_us = (double)(span_us(events) / rule->bins) * (1 + overlap);
    const double stride_us = window_us * (1 - overlap);
    uint32_t begin = 0, end = 0;
    ret->n = rule->bins;
    for (uint32_t i = 0; i < ret->n; i++) {
        double begin_us = i * stride_us + first_us;
        begin = first_from(events, begin, whole_us(begin_us));
        end = first_from(events, end, whole_us(begin_us + window_us));
        ret->at[i] = (struct slice_run){.begin = begin, .end = end};
    }
    return 0;
}

static int cut_event_count(const struct slice_rule *rule, struct event_span events,
                           struct slices *ret, struct error *why)
{
    int r = set_number(ret, n_counts(rule, events.n_events), why);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < ret->n; i++) {
        uint64_t begin = (uint64_t)i * rule->stride_events;
        ret->at[i] = (struct slice_run){
            .begin = at_most(begin, events.n_events),
            .end = at_most(begin + rule->n_events, events.n_events),
        };
    }
    return 0;
}

static int cut_event_bins(const struct slice_rule *rule, struct event_span events,
                          struct slices *ret, struct error *why)
{
    (void)why;
    uint32_t each = (uint32_t)events.n_events / rule->bins;
    ret->n = rule->bins;
    for (uint32_t i = 0; i < ret->n; i++)
        ret->at[i] = (struct slice_run){.begin = i * each, .end = (i + 1) * each};
    return 0;
}

static void take_the_rest(struct event_span events, struct slices *ret)
{
    ret->at[ret->n - 1].end = (uint32_t)events.n_events;
}

static int cut_number(const struct slice_rule *rule, struct event_span events, struct slices *ret,
                      struct error *why)
{
    cut_event_bins(rule, events, ret, why);
    take_the_rest(events, ret);
    return 0;
}

/* ret->n of `each_us`, one behind the other from the first event on. */
static void cut_evenly(struct event_span events, uint32_t each_us, struct slices *ret)
{
    uint64_t end_us = time_at(events, 0);
    uint32_t begin = 0;
    for (uint32_t i = 0; i < ret->n; i++) {
        end_us += each_us;
        uint32_t end = first_from(events, begin, end_us);
        ret->at[i] = (struct slice_run){.begin = begin, .end = end};
        begin = end;
    }
}

/* SpikingJelly fails where a frame, before the last takes the rest, has no event. */
static int cut_time(const struct slice_rule *rule, struct event_span events, struct slices *ret,
                    struct error *why)
{
    int r = need_events(events, why);
    if (r < 0)
        return r;
    ret->n = rule->bins;
    cut_evenly(events, span_us(events) / rule->bins, ret);
    for (uint32_t i = 0; i < ret->n; i++)
        if (ret->at[i].begin == ret->at[i].end)
            return error_set(why, -EINVAL,
                             "frame %" PRIu32 " of %" PRIu32 " of equal length has no event", i,
                             ret->n);
    take_the_rest(events, ret);
    return 0;
}

static int cut_duration(const struct slice_rule *rule, struct event_span events, struct slices *ret,
                        struct error *why)
{
    int r = need_events(events, why);
    if (r < 0)
        return r;
    uint32_t span = span_us(events);
    if (span == 0)
        return error_set(why, -EINVAL, "all its events are at %" PRIu32 " us: it has no duration",
                         time_at(events, 0));
    r = set_number(ret, n_more(span, rule->timestep_us, true), why);
    if (r < 0)
        return r;
    cut_evenly(events, rule->timestep_us, ret);
    take_the_rest(events, ret);
    return 0;
}

static int (*const cutters[])(const struct slice_rule *rule, struct event_span events,
                              struct slices *ret, struct error *why) = {
    [SLICE_TIMESTEP] = cut_timestep,
    [SLICE_WINDOW] = cut_window,
    [SLICE_TIME_BINS] = cut_time_bins,
    [SLICE_EVENT_COUNT] = cut_event_count,
    [SLICE_EVENT_BINS] = cut_event_bins,
    [SLICE_NUMBER] = cut_number,
    [SLICE_TIME] = cut_time,
    [SLICE_DURATION] = cut_duration,
};

int slices_cut(const struct slice_rule *rule, struct event_span events, struct slices *ret,
               struct error *why)
{
    if (events.n_events > UINT32_MAX)
        return error_set(why, -EINVAL, "%zu events are too many to be cut", events.n_events);
    if (!event_is_ordered(events))
        return error_set(why, -EINVAL, "its events are not in order of time");
    return cutters[rule->slice](rule, events, ret, why);
}

bool slices_are_fixed(const struct slice_rule *rule, uint32_t *ret_n)
{
    switch (rule->slice) {
    case SLICE_WINDOW:
        if (!rule->has_range)
            return false;
        *ret_n = at_most(n_windows(rule, rule->start_us, rule->end_us), UINT32_MAX);
        return true;
    case SLICE_EVENT_COUNT:
    case SLICE_DURATION:
        return false;
    default:
        *ret_n = rule->bins;
        return true;
    }
}

uint64_t slices_most(const struct slice_rule *rule, uint64_t n_events, uint32_t span_us)
{
    uint32_t n;
    if (slices_are_fixed(rule, &n))
        return n;
    switch (rule->slice) {
    case SLICE_WINDOW:
        return n_windows(rule, 0, span_us);
    case SLICE_EVENT_COUNT:
        return n_counts(rule, n_events);
    default:
        return n_more(span_us, rule->timestep_us, true);
    }
}
