/* SPDX-License-Identifier: Apache-2.0
 * The metrics: their table, and how requests are counted. */
#include "server/metrics.h"

#include <stdatomic.h>
#include <time.h>

const struct metric_row metric_rows[N_METRICS] = {
#define METRICS_ROW(metric, name_, type_, labels_, help_) \
    [METRIC_##metric] = {.name = name_, .type = METRIC_##type_, .labels = labels_, .help = help_},
    METRICS(METRICS_ROW)
#undef METRICS_ROW
};

const char *const metric_type_names[] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram",
};

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S  (1000 * MS)
static const uint64_t durations_ns[] = {100 * US, 500 * US, 1 * MS, 5 * MS, 10 * MS, 50 * MS,
                                        100 * MS, 500 * MS, 1 * S,  5 * S,  10 * S,  60 * S};
static const uint64_t waits_ns[] = {100 * US, 500 * US, 1 * MS, 5 * MS, 10 * MS, 50 * MS,
                                    100 * MS, 500 * MS, 1 * S,  5 * S,  10 * S,  60 * S};
static const uint64_t sizes[] = {UINT64_C(1) << 8,  UINT64_C(1) << 10, UINT64_C(1) << 12,
                                 UINT64_C(1) << 14, UINT64_C(1) << 16, UINT64_C(1) << 18,
                                 UINT64_C(1) << 20, UINT64_C(1) << 22, UINT64_C(1) << 24,
                                 UINT64_C(1) << 26, UINT64_C(1) << 28};
_Static_assert(sizeof durations_ns / sizeof *durations_ns == METRICS_N_DURATIONS, "cells for each");
_Static_assert(sizeof waits_ns / sizeof *waits_ns == METRICS_N_WAITS, "cells for each");
_Static_assert(sizeof sizes / sizeof *sizes == METRICS_N_SIZES, "cells for each");

const struct metrics_histogram metrics_durations = {durations_ns, METRICS_N_DURATIONS, true};
const struct metrics_histogram metrics_sizes = {sizes, METRICS_N_SIZES, false};
const struct metrics_histogram metrics_waits = {waits_ns, METRICS_N_WAITS, true};

const unsigned metrics_codes[METRICS_N_CODES] = {
#define METRICS_CODE(code) code,
    METRICS_CODES(METRICS_CODE)
#undef METRICS_CODE
};

static _Atomic uint64_t opened_s;

static void observe(const struct metrics_histogram *histogram, unsigned series, uint64_t value)
{
    unsigned bucket = 0;
    while (bucket < histogram->n_limits && value > histogram->limits[bucket])
        bucket++;
    tally_add(series + bucket, 1);
    tally_add(series + histogram->n_limits + 1, value);
}

static unsigned code_of(unsigned status)
{
    unsigned code = 0;
    while (code < METRICS_OTHER_CODE && metrics_codes[code] != status)
        code++;
    return code;
}

void metrics_count_request(const struct metrics_request *request)
{
    unsigned row = request->route * METRICS_N_FORMATS + request->format;
    tally_add(METRICS_REQUESTS + row * METRICS_N_CODES + code_of(request->status), 1);
    observe(&metrics_durations,
            METRICS_DURATIONS + request->route * METRICS_SERIES(METRICS_N_DURATIONS),
            request->duration_ns);
    observe(&metrics_sizes, METRICS_SIZES + request->format * METRICS_SERIES(METRICS_N_SIZES),
            request->n_bytes);
}

void metrics_count_task(uint64_t wait_ns, uint64_t work_ns)
{
    observe(&metrics_waits, METRICS_QUEUE_WAITS, wait_ns);
    tally_add(METRICS_WORKER_NS, work_ns);
}

void metrics_note_opened(void)
{
    atomic_store(&opened_s, (uint64_t)time(NULL));
}

uint64_t metrics_opened_s(void)
{
    return atomic_load(&opened_s);
}

uint64_t metrics_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
