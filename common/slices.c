/* SPDX-License-Identifier: Apache-2.0
 * How the events of a sample, in order of time, are cut into frames. */
#include "common/slices.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/cpu.h"
#include "common/event_codec.h"
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

static uint32_t at_most(uint64_t n, uint64_t most)
{
    return (uint32_t)(n < most ? n : most);
}

static int no_order(struct error *why)
{
    return error_set(why, -EINVAL, "its events are not in order of time");
}

static int need_events(struct event_span events, struct error *why)
{
    return events.n_events > 0 ? 0 : error_set(why, -EINVAL, "it has no events to be cut");
}

/* Into ret->n. */
static int set_number(struct slices *ret, uint64_t n, struct error *why)
{
    if (n > FRAMES_BINS_MAX)
        return error_set(why, -E2BIG, "it would have %" PRIu64 " frames, and the limit is %d", n,
                         FRAMES_BINS_MAX);
    ret->n = (uint32_t)n;
    return 0;
}

/* The first of events i, i + 1, … at t_us or later; those before i are earlier. */
static uint32_t first_from(struct event_span events, uint32_t i, uint64_t t_us)
{
    while (i < events.n_events && time_at(events, i) < t_us)
        i++;
    return i;
}

/* Frames of one length, each one stride behind the other. All numbers but Tonic's overlapping bins
 * are whole. */
struct spans {
    double first_us, stride_us, length_us;
    bool round; /* the numbers of frames, not only down */
};

enum { BLOCK = 512 }; /* events unpacked at a time: times stay in the L1 cache */

/* Times, then frames: between the one before and one that is nobody's. */
struct block {
    uint32_t at[1 + BLOCK + 1];
};

/* Of events base … base + n; the last one is repeated up to BLOCK. */
static void read_times(struct event_span events, uint32_t base, uint32_t n, struct block *ret)
{
    uint32_t *times = ret->at + 1;
    uint8_t x[BLOCK], y[BLOCK], p[BLOCK];
    event_columns((struct event_span){events.bytes + (size_t)base * EVENT_BYTES, n}, times, x, y,
                  p);
    for (uint32_t i = n; i < BLOCK; i++)
        times[i] = times[n - 1];
}

/* Make the times begin at first_us; whether one goes back. Whole blocks only, and nothing that
 * depends on the data: the compiler makes vector code of it. */
__attribute__((always_inline)) static inline bool begin_at(struct block *times, uint32_t first_us)
{
    uint32_t goes_back = 0;
    for (size_t i = 0; i < BLOCK; i++)
        goes_back |= times->at[i + 1] < times->at[i];
    for (size_t i = 0; i < BLOCK; i++)
        times->at[i + 1] -= first_us;
    return goes_back;
}

/* ends[frame] = what is behind its last event of these; ends[n_frames] of those that are in none.
 * Each event writes, and the last of a frame stays. */
static void note_ends(const struct block *frames, uint32_t base, uint32_t n, uint32_t n_frames,
                      uint32_t *ends)
{
    for (uint32_t i = 0; i < n; i++)
        ends[at_most(frames->at[i + 1], n_frames)] = base + i + 1;
}

struct kernels {
    bool (*begin_at)(struct block *times, uint32_t first_us);
    void (*note_ends)(const struct block *frames, uint32_t base, uint32_t n, uint32_t n_frames,
                      uint32_t *ends);
};

static bool begin_at_portable(struct block *times, uint32_t first_us)
{
    return begin_at(times, first_us);
}

static const struct kernels portable = {begin_at_portable, note_ends};

#if CPU_X86
#include <immintrin.h>

__attribute__((target("avx2"))) static bool begin_at_avx2(struct block *times, uint32_t first_us)
{
    return begin_at(times, first_us);
}

/* Only those write that differ from the one behind them. */
__attribute__((target("avx2"))) static void note_ends_avx2(const struct block *frames,
                                                           uint32_t base, uint32_t n,
                                                           uint32_t n_frames, uint32_t *ends)
{
    enum { LANES = 8, STEP = 32 };
    _Static_assert(BLOCK % STEP == 0, "steps fill a block");
    for (uint32_t i = 0; i < n; i += STEP) {
        uint32_t last = 0;
        for (uint32_t j = 0; j < STEP; j += LANES) {
            const uint32_t *at = frames->at + 1 + i + j;
            __m256i same = _mm256_cmpeq_epi32(_mm256_loadu_si256((const __m256i_u *)at),
                                              _mm256_loadu_si256((const __m256i_u *)(at + 1)));
            last |= (uint32_t)(_mm256_movemask_ps(_mm256_castsi256_ps(same)) ^ 0xff) << j;
        }
        for (; last; last &= last - 1) {
            uint32_t event = i + (uint32_t)__builtin_ctz(last);
            ends[at_most(frames->at[event + 1], n_frames)] = base + event + 1;
        }
    }
}

static const struct kernels avx2 = {begin_at_avx2, note_ends_avx2};
#else
static const struct kernels avx2 = {begin_at_portable, note_ends};
#endif

/* Side by side: a division says which frame an event is in. */
static int cut_side_by_side(struct event_span events, const struct spans *spans, struct slices *ret,
                            struct error *why)
{
    const struct kernels *kernels = cpu_level() >= CPU_AVX2 ? &avx2 : &portable;
    const uint32_t first_us = (uint32_t)spans->first_us;
    const struct timestep step = timestep_of((uint32_t)spans->length_us);
    const uint32_t begin = first_from(events, 0, first_us);
    bool goes_back = !event_is_ordered((struct event_span){events.bytes, begin});
    uint32_t ends[FRAMES_BINS_MAX + 1], last_us = first_us;
    memset(ends, 0, ret->n * sizeof *ends);
    for (uint32_t base = begin, n; base < events.n_events; base += n) {
        struct block block;
        n = at_most(events.n_events - base, BLOCK);
        read_times(events, base, n, &block);
        block.at[0] = last_us;
        last_us = block.at[BLOCK];
        goes_back |= kernels->begin_at(&block, first_us);
        timestep_count(step, block.at + 1, n, spans->round);
        for (uint32_t i = n; i <= BLOCK; i++)
            block.at[i + 1] = UINT32_MAX;
        kernels->note_ends(&block, base, n, ret->n, ends);
    }
    for (uint32_t i = 0, end = begin; i < ret->n; i++) {
        ret->at[i].begin = end;
        ret->at[i].end = end = ends[i] > end ? ends[i] : end;
    }
    return goes_back ? no_order(why) : 0;
}

/* A time is as late as t_us when it is as late as the next whole µs. */
static uint64_t whole_us(double t_us)
{
    return (uint64_t)ceil(t_us);
}

/* ret->n frames. */
static int cut_spans(struct event_span events, const struct spans *spans, struct slices *ret,
                     struct error *why)
{
    if (spans->stride_us == spans->length_us && spans->length_us >= 1 &&
        spans->length_us <= TIMESTEP_MAX_US)
        return cut_side_by_side(events, spans, ret, why);
    if (!event_is_ordered(events))
        return no_order(why);
    uint32_t begin = 0, end = 0;
    for (uint32_t i = 0; i < ret->n; i++) {
        double begin_us = i * spans->stride_us + spans->first_us;
        begin = first_from(events, begin, whole_us(begin_us));
        end = first_from(events, end, whole_us(begin_us + spans->length_us));
        ret->at[i] = (struct slice_run){.begin = begin, .end = end};
    }
    return 0;
}

/* Each `stride` events behind the other. */
static int cut_counts(struct event_span events, uint32_t length, uint32_t stride,
                      struct slices *ret, struct error *why)
{
    if (!event_is_ordered(events))
        return no_order(why);
    for (uint32_t i = 0; i < ret->n; i++) {
        uint64_t begin = (uint64_t)i * stride;
        ret->at[i] = (struct slice_run){
            .begin = at_most(begin, events.n_events),
            .end = at_most(begin + length, events.n_events),
        };
    }
    return 0;
}

static void take_the_rest(struct event_span events, struct slices *ret)
{
    ret->at[ret->n - 1].end = (uint32_t)events.n_events;
}

/* How many follow the first, if each begins `stride` later and `rest` is what the first leaves. */
static uint64_t n_more(uint64_t rest, uint32_t stride, bool incomplete)
{
    return rest / stride + (incomplete && rest % stride != 0);
}

static uint64_t n_windows(const struct slice_rule *rule, uint32_t start_us, uint32_t end_us)
{
    uint64_t first_end_us = (uint64_t)start_us + rule->timestep_us;
    uint64_t rest_us = end_us > first_end_us ? end_us - first_end_us : 0;
    return 1 + n_more(rest_us, rule->stride_us, rule->incomplete);
}

static uint64_t n_counts(const struct slice_rule *rule, uint64_t n_events)
{
    uint64_t rest = n_events > rule->n_events ? n_events - rule->n_events : 0;
    return 1 + n_more(rest, rule->stride_events, rule->incomplete);
}

static uint64_t n_durations(const struct slice_rule *rule, uint32_t span_us)
{
    return n_more(span_us, rule->timestep_us, true);
}

/* The sample to be cut; times are 0 where it has no events. */
struct sample {
    struct event_span events;
    uint32_t first_us, last_us;
};

static int cut_timestep(const struct slice_rule *rule, const struct sample *sample,
                        struct slices *ret, struct error *why)
{
    const struct spans spans = {.first_us = 0,
                                .stride_us = rule->timestep_us,
                                .length_us = rule->timestep_us,
                                .round = rule->binning == FRAMES_ROUND};
    ret->n = rule->bins;
    return cut_spans(sample->events, &spans, ret, why);
}

static int cut_window(const struct slice_rule *rule, const struct sample *sample,
                      struct slices *ret, struct error *why)
{
    uint32_t start_us = rule->has_range ? rule->start_us : sample->first_us;
    uint32_t end_us = rule->has_range ? rule->end_us : sample->last_us;
    const struct spans spans = {
        .first_us = start_us, .stride_us = rule->stride_us, .length_us = rule->timestep_us};
    int r = rule->has_range ? 0 : need_events(sample->events, why);
    if (r == 0)
        r = set_number(ret, n_windows(rule, start_us, end_us), why);
    return r < 0 ? r : cut_spans(sample->events, &spans, ret, why);
}

static int cut_time_bins(const struct slice_rule *rule, const struct sample *sample,
                         struct slices *ret, struct error *why)
{
    const double overlap = rule->bin_overlap;
    const double length_us =
        (double)((sample->last_us - sample->first_us) / rule->bins) * (1 + overlap);
    const struct spans spans = {.first_us = sample->first_us,
                                .stride_us = length_us * (1 - overlap),
                                .length_us = length_us};
    ret->n = rule->bins;
    int r = need_events(sample->events, why);
    return r < 0 ? r : cut_spans(sample->events, &spans, ret, why);
}

static int cut_event_count(const struct slice_rule *rule, const struct sample *sample,
                           struct slices *ret, struct error *why)
{
    int r = set_number(ret, n_counts(rule, sample->events.n_events), why);
    return r < 0 ? r : cut_counts(sample->events, rule->n_events, rule->stride_events, ret, why);
}

static int cut_event_bins(const struct slice_rule *rule, const struct sample *sample,
                          struct slices *ret, struct error *why)
{
    uint32_t each = (uint32_t)(sample->events.n_events / rule->bins);
    ret->n = rule->bins;
    return cut_counts(sample->events, each, each, ret, why);
}

static int cut_number(const struct slice_rule *rule, const struct sample *sample,
                      struct slices *ret, struct error *why)
{
    int r = cut_event_bins(rule, sample, ret, why);
    if (r == 0)
        take_the_rest(sample->events, ret);
    return r;
}

/* Side by side from the first event on, and the last takes the rest. */
static int cut_all(const struct sample *sample, uint32_t each_us, struct slices *ret,
                   struct error *why)
{
    const struct spans spans = {
        .first_us = sample->first_us, .stride_us = each_us, .length_us = each_us};
    return cut_spans(sample->events, &spans, ret, why);
}

/* SpikingJelly fails where a frame, before the last takes the rest, has no event. */
static int cut_time(const struct slice_rule *rule, const struct sample *sample, struct slices *ret,
                    struct error *why)
{
    ret->n = rule->bins;
    int r = need_events(sample->events, why);
    if (r == 0)
        r = cut_all(sample, (sample->last_us - sample->first_us) / rule->bins, ret, why);
    for (uint32_t i = 0; r == 0 && i < ret->n; i++)
        if (ret->at[i].begin == ret->at[i].end)
            r = error_set(why, -EINVAL,
                          "frame %" PRIu32 " of %" PRIu32 " of equal length has no event", i,
                          ret->n);
    if (r == 0)
        take_the_rest(sample->events, ret);
    return r;
}

static int cut_duration(const struct slice_rule *rule, const struct sample *sample,
                        struct slices *ret, struct error *why)
{
    uint32_t span_us = sample->last_us - sample->first_us;
    int r = need_events(sample->events, why);
    if (r == 0 && span_us == 0)
        r = error_set(why, -EINVAL, "all its events are at %" PRIu32 " us: it has no duration",
                      sample->first_us);
    if (r == 0)
        r = set_number(ret, n_durations(rule, span_us), why);
    if (r == 0)
        r = cut_all(sample, rule->timestep_us, ret, why);
    if (r == 0)
        take_the_rest(sample->events, ret);
    return r;
}

static int (*const cutters[])(const struct slice_rule *rule, const struct sample *sample,
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
    struct sample sample = {.events = events, .first_us = 0, .last_us = 0};
    if (events.n_events > UINT32_MAX)
        return error_set(why, -EINVAL, "%zu events are too many to be cut", events.n_events);
    if (events.n_events > 0) {
        sample.first_us = time_at(events, 0);
        sample.last_us = time_at(events, events.n_events - 1);
    }
    if (sample.last_us < sample.first_us)
        return no_order(why);
    return cutters[rule->slice](rule, &sample, ret, why);
}

bool slices_are_fixed(const struct slice_rule *rule, uint32_t *ret_n)
{
    bool fixed = rule->slice != SLICE_EVENT_COUNT && rule->slice != SLICE_DURATION &&
                 (rule->slice != SLICE_WINDOW || rule->has_range);
    if (fixed)
        *ret_n = rule->slice == SLICE_WINDOW
                     ? at_most(n_windows(rule, rule->start_us, rule->end_us), UINT32_MAX)
                     : rule->bins;
    return fixed;
}

uint64_t slices_most(const struct slice_rule *rule, uint64_t n_events, uint32_t span_us)
{
    uint32_t n;
    if (slices_are_fixed(rule, &n))
        return n;
    if (rule->slice == SLICE_EVENT_COUNT)
        return n_counts(rule, n_events);
    return rule->slice == SLICE_WINDOW ? n_windows(rule, 0, span_us) : n_durations(rule, span_us);
}
