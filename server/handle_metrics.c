/* SPDX-License-Identifier: Apache-2.0
 * /metrics: what was counted, and how things stand. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/counted.h"
#include "server/exposition.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/process_usage.h"
#include "server/samples/budget.h"

enum { NS_IN_S = 1000000000, US_IN_S = 1000000, MS_IN_S = 1000 };

struct page {
    FILE *out;
    const struct catalog *catalog;
    const struct settings *settings;
    struct process_usage usage;
};

/* Where the values of a metric come from. */
struct origin {
    void (*print)(const struct page *page, enum metric metric); /* or: */
    void (*counted)(FILE *out, enum metric metric);             /* or: */
    const char *const *values; /* of its only label; n_values cells from `cell` on. Or: */
    unsigned n_values;
    uint64_t (*of_split)(const struct entry *entry); /* for each. Or: */
    uint64_t (*value)(const struct page *page);      /* or the cell. None of all: no value */
    unsigned cell;
    uint64_t parts; /* of a second, in which the value is; 0: it is no time */
};

static void print_value(const struct page *page, enum metric metric, uint64_t value, uint64_t parts)
{
    if (parts)
        exposition_seconds(page->out, metric, "", value, parts);
    else
        exposition_value(page->out, metric, "", value);
}

/* ---- requests ---- */

static uint64_t in_flight(const struct page *page)
{
    (void)page;
    return tally_level(METRICS_BEGUN, METRICS_ENDED);
}

static uint64_t connections(const struct page *page)
{
    (void)page;
    return tally_level(METRICS_ACCEPTED, METRICS_CLOSED);
}

static uint64_t connections_limit(const struct page *page)
{
    return page->settings->max_connections;
}

static uint64_t queue(const struct page *page)
{
    (void)page;
    return tally_level(METRICS_QUEUED, METRICS_TAKEN_UP);
}

static uint64_t queue_limit(const struct page *page)
{
    return page->settings->queue_length;
}

static uint64_t queue_cost_us(const struct page *page)
{
    (void)page;
    return tally_level(METRICS_QUEUED_US, METRICS_TAKEN_UP_US);
}

static uint64_t queue_cost_limit_ms(const struct page *page)
{
    return page->settings->queue_cost_ms;
}

static uint64_t pending(const struct page *page)
{
    (void)page;
    return budget_used();
}

static uint64_t pending_limit(const struct page *page)
{
    return page->settings->max_pending_bytes;
}

/* ---- splits ---- */

static void print_split_info(const struct page *page, enum metric metric)
{
    char labels[EXPOSITION_LABELS_SIZE];
    for (size_t i = 0; i < page->catalog->n_entries; i++) {
        const struct entry *entry = page->catalog->entries[i];
        const char *values[] = {entry->name, entry->revision,
                                entry->is_source ? SPLIT_KIND_SOURCE : SPLIT_KIND_2NMNIST};
        exposition_labels(metric, values, labels);
        exposition_value(page->out, metric, labels, 1);
    }
}

static void print_each_split(const struct page *page, enum metric metric,
                             uint64_t (*value)(const struct entry *entry))
{
    char labels[EXPOSITION_LABELS_SIZE];
    for (size_t i = 0; i < page->catalog->n_entries; i++) {
        const struct entry *entry = page->catalog->entries[i];
        exposition_labels(metric, (const char *const[]){entry->name}, labels);
        exposition_value(page->out, metric, labels, value(entry));
    }
}

static uint64_t n_samples_of(const struct entry *entry)
{
    return split_n_samples(entry->split);
}

static uint64_t n_events_of(const struct entry *entry)
{
    return split_n_events(entry->split);
}

static uint64_t damaged_of(const struct entry *entry)
{
    return entry_is_damaged(entry);
}

static uint64_t verified_of(const struct entry *entry)
{
    return atomic_load(&entry->holding->verified);
}

static uint64_t scrubbed_bytes_of(const struct entry *entry)
{
    return atomic_load(&entry->holding->scrubbed_bytes);
}

static uint64_t data_bytes_of(const struct entry *entry)
{
    return split_size(entry->split) - split_data_start(entry->split);
}

static uint64_t scrubbed_s_of(const struct entry *entry)
{
    return (uint64_t)atomic_load(&entry->holding->scrubbed_s);
}

static uint64_t passed_over(const struct page *page)
{
    uint64_t n = 0;
    for (size_t i = 0; i < page->catalog->n_found; i++)
        n += page->catalog->found[i].fault.text[0] != '\0';
    return n;
}

static uint64_t opened_s(const struct page *page)
{
    (void)page;
    return metrics_opened_s();
}

/* ---- the process ---- */

static void print_build_info(const struct page *page, enum metric metric)
{
    char labels[EXPOSITION_LABELS_SIZE];
    exposition_labels(metric, (const char *const[]){PACKAGE_VERSION}, labels);
    exposition_value(page->out, metric, labels, 1);
}

static uint64_t cpu_us(const struct page *page)
{
    return page->usage.cpu_us;
}

static uint64_t resident_bytes(const struct page *page)
{
    return page->usage.resident_bytes;
}

static uint64_t virtual_bytes(const struct page *page)
{
    return page->usage.virtual_bytes;
}

static uint64_t n_fds(const struct page *page)
{
    return page->usage.n_fds;
}

static uint64_t most_fds(const struct page *page)
{
    return page->usage.most_fds;
}

static uint64_t started_s(const struct page *page)
{
    return page->usage.started_s;
}

/* ---- the page ---- */

#define VALUE_OF(cell, value) value,
static const char *const rejections[] = {"pending_bytes", METRICS_REJECTIONS(VALUE_OF)};
_Static_assert((int)TALLY_BUDGET_REFUSALS + 1 == (int)METRICS_REJECTED_QUEUE,
               "one behind the other");
static const char *const aborts[] = {METRICS_ABORTS(VALUE_OF)};
static const char *const cuts[] = {METRICS_CUTS(VALUE_OF)};
static const char *const pauses[] = {METRICS_PAUSES(VALUE_OF)};
static const char *const reloads[] = {METRICS_RELOADS(VALUE_OF)};
static const char *const levels[] = {METRICS_LEVELS(VALUE_OF)};
#undef VALUE_OF

#define LABELLED(values_, cell_)                                                              \
    {                                                                                         \
        .values = (values_), .n_values = sizeof(values_) / sizeof *(values_), .cell = (cell_) \
    }

static const struct origin origins[N_METRICS] = {
    [METRIC_BUILD_INFO] = {.print = print_build_info},
    [METRIC_REQUESTS] = {.counted = counted_requests},
    [METRIC_CALLERS] = {.counted = counted_callers},
    [METRIC_ABORTED] = LABELLED(aborts, METRICS_ABORTED_ARRIVING),
    [METRIC_IN_FLIGHT] = {.value = in_flight},
    [METRIC_DURATION] = {.counted = counted_durations},
    [METRIC_SIZE] = {.counted = counted_sizes},
    [METRIC_RECEIVED] = {.cell = METRICS_RECEIVED_BYTES},
    [METRIC_SENT] = {.cell = METRICS_SENT_BYTES},
    [METRIC_REJECTED] = LABELLED(rejections, TALLY_BUDGET_REFUSALS),
    [METRIC_CONNECTIONS] = {.value = connections},
    [METRIC_CONNECTIONS_LIMIT] = {.value = connections_limit},
    [METRIC_ACCEPTED] = {.cell = METRICS_ACCEPTED},
    [METRIC_CUT] = LABELLED(cuts, METRICS_CUT_GREETING),
    [METRIC_PAUSES] = LABELLED(pauses, METRICS_PAUSED_CONNECTIONS),
    [METRIC_QUEUE] = {.value = queue},
    [METRIC_QUEUE_LIMIT] = {.value = queue_limit},
    [METRIC_QUEUE_COST] = {.value = queue_cost_us, .parts = US_IN_S},
    [METRIC_QUEUE_COST_LIMIT] = {.value = queue_cost_limit_ms, .parts = MS_IN_S},
    [METRIC_QUEUE_WAIT] = {.counted = counted_waits},
    [METRIC_WORKER_TIME] = {.cell = METRICS_WORKER_NS, .parts = NS_IN_S},
    [METRIC_PENDING] = {.value = pending},
    [METRIC_PENDING_LIMIT] = {.value = pending_limit},
    [METRIC_MIXES] = {.cell = TALLY_MIXES},
    [METRIC_MIXED_EVENTS] = {.cell = TALLY_MIXED_EVENTS},
    [METRIC_FRAMES] = {.cell = TALLY_FRAMES},
    [METRIC_CHECKSUM_BYTES] = {.cell = TALLY_CHECKSUM_BYTES},
    [METRIC_SPLIT_INFO] = {.print = print_split_info},
    [METRIC_SPLIT_SAMPLES] = {.of_split = n_samples_of},
    [METRIC_SPLIT_EVENTS] = {.of_split = n_events_of},
    [METRIC_SPLIT_DAMAGED] = {.of_split = damaged_of},
    [METRIC_SPLIT_VERIFIED] = {.of_split = verified_of},
    [METRIC_SCRUB_BYTES] = {.of_split = scrubbed_bytes_of},
    [METRIC_SCRUB_BYTES_LIMIT] = {.of_split = data_bytes_of},
    [METRIC_SCRUB_TIME] = {.of_split = scrubbed_s_of},
    [METRIC_SCRUBBED] = {.cell = TALLY_CHECKS},
    [METRIC_SCRUB_FAULTS] = {.cell = TALLY_FAULTS},
    [METRIC_PASSED_OVER] = {.value = passed_over},
    [METRIC_RELOADS] = LABELLED(reloads, METRICS_RELOADED_SUCCESS),
    [METRIC_RELOAD_TIME] = {.value = opened_s},
    [METRIC_LOGGED] = LABELLED(levels, METRICS_LOGGED_ERROR),
    [METRIC_ACCESS_LINES] = {.cell = METRICS_ACCESS_LINES},
    [METRIC_ACCESS_DROPPED] = {.cell = METRICS_ACCESS_DROPPED},
    [METRIC_CPU] = {.value = cpu_us, .parts = US_IN_S},
    [METRIC_RESIDENT] = {.value = resident_bytes},
    [METRIC_VIRTUAL] = {.value = virtual_bytes},
    [METRIC_OPEN_FDS] = {.value = n_fds},
    [METRIC_MAX_FDS] = {.value = most_fds},
    [METRIC_START_TIME] = {.value = started_s},
};

static void print_labelled(const struct page *page, enum metric metric, const struct origin *origin)
{
    char labels[EXPOSITION_LABELS_SIZE];
    for (unsigned i = 0; i < origin->n_values; i++) {
        exposition_labels(metric, &origin->values[i], labels);
        exposition_value(page->out, metric, labels, tally_sum(origin->cell + i));
    }
}

static void print_metric(const struct page *page, enum metric metric)
{
    const struct origin *origin = &origins[metric];
    exposition_begin(page->out, metric);
    if (origin->print)
        origin->print(page, metric);
    else if (origin->counted)
        origin->counted(page->out, metric);
    else if (origin->of_split)
        print_each_split(page, metric, origin->of_split);
    else if (origin->n_values)
        print_labelled(page, metric, origin);
    else if (origin->value)
        print_value(page, metric, origin->value(page), origin->parts);
    else if (origin->cell)
        print_value(page, metric, tally_sum(origin->cell), origin->parts);
}

static char *print_page(const struct request *request, size_t *ret_size)
{
    char *text = NULL;
    struct page page = {.out = open_memstream(&text, ret_size),
                        .catalog = request->catalog,
                        .settings = service_settings(request->service)};
    if (!page.out)
        return NULL;
    process_usage_read(&page.usage);
    for (enum metric metric = 0; metric < N_METRICS; metric++)
        print_metric(&page, metric);
    if (fclose(page.out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Not claimed from the budget: it tells how much of that is left, also when nothing is. */
void handle_metrics(struct request *request, struct reply *reply)
{
    size_t size;
    if (reply_skips(reply, false))
        return;
    char *text = print_page(request, &size);
    struct error why;
    int r = text ? reply_own(reply, text, size, &why)
                 : error_set(&why, -ENOMEM, "no memory for the page");
    if (r < 0)
        problem_error(request, reply, r, &why);
}
