/* SPDX-License-Identifier: Apache-2.0
 * What was counted of requests, as series: those alone that there are. */
#include "server/counted.h"

#include "server/callers.h"
#include "server/exposition.h"
#include "server/route.h"

static const char *route_label(unsigned route)
{
    return route < n_routes ? routes[route].pattern : "none";
}

static const char *format_label(unsigned format)
{
    return format < N_FORMATS ? format_rows[format].extension : "none";
}

static void print_answers(FILE *out, enum metric metric, unsigned route, unsigned format,
                          unsigned code)
{
    unsigned row = route * METRICS_N_FORMATS + format;
    uint64_t n = tally_sum(METRICS_REQUESTS + row * METRICS_N_CODES + code);
    char digits[16] = "other", labels[EXPOSITION_LABELS_SIZE];
    if (n == 0)
        return;
    if (code < METRICS_OTHER_CODE)
        snprintf(digits, sizeof digits, "%u", metrics_codes[code]);
    const char *values[] = {route_label(route), format_label(format), digits};
    exposition_labels(metric, values, labels);
    exposition_value(out, metric, labels, n);
}

void counted_requests(FILE *out, enum metric metric)
{
    for (unsigned route = 0; route < METRICS_N_ROUTES; route++)
        for (unsigned format = 0; format < METRICS_N_FORMATS; format++)
            for (unsigned code = 0; code < METRICS_N_CODES; code++)
                print_answers(out, metric, route, format, code);
}

/* The series with that value of the metric's only label, if anything was counted in it. */
static void print_series(FILE *out, enum metric metric, const char *value,
                         const struct metrics_histogram *histogram, unsigned cell)
{
    char labels[EXPOSITION_LABELS_SIZE];
    bool used = false;
    for (unsigned i = 0; i <= histogram->n_limits; i++)
        used |= tally_sum(cell + i) > 0;
    exposition_labels(metric, &value, labels);
    if (used)
        exposition_histogram(out, metric, labels, histogram, cell);
}

void counted_durations(FILE *out, enum metric metric)
{
    for (unsigned i = 0; i < METRICS_N_ROUTES; i++)
        print_series(out, metric, route_label(i), &metrics_durations,
                     METRICS_DURATIONS + i * METRICS_SERIES(METRICS_N_DURATIONS));
}

void counted_sizes(FILE *out, enum metric metric)
{
    for (unsigned i = 0; i < METRICS_N_FORMATS; i++)
        print_series(out, metric, format_label(i), &metrics_sizes,
                     METRICS_SIZES + i * METRICS_SERIES(METRICS_N_SIZES));
}

void counted_waits(FILE *out, enum metric metric)
{
    exposition_histogram(out, metric, "", &metrics_waits, METRICS_QUEUE_WAITS);
}

void counted_callers(FILE *out, enum metric metric)
{
    char labels[EXPOSITION_LABELS_SIZE];
    for (unsigned i = 0; i <= CALLERS_OTHER; i++) {
        const char *name = i == CALLERS_OTHER ? "" : callers_name(i);
        uint64_t n = tally_sum(METRICS_CALLERS + i);
        if (!name || n == 0)
            continue;
        exposition_labels(metric, &name, labels);
        exposition_value(out, metric, labels, n);
    }
}
