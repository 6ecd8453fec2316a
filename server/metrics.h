/* SPDX-License-Identifier: Apache-2.0
 * The metrics: one table of what /metrics tells, and the cells in which threads count it
 * (server/samples/tally.h). Counting takes no lock and is for any thread.
 *
 * Names are those of Prometheus' conventions; what labels can say is bounded by tables of ours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/format.h"
#include "server/samples/tally.h"

/* clang-format off */
/*    metric              name                                           type       labels                    help */
#define METRICS(X) \
    X(BUILD_INFO,         "twonmnist_build_info",                        GAUGE,     "version",                "1; the version that runs") \
    X(REQUESTS,           "twonmnist_http_requests_total",               COUNTER,   "route, format, code",    "requests that were answered") \
    X(CALLERS,            "twonmnist_token_requests_total",              COUNTER,   "token",                  "of them those with a token that is good, by its name") \
    X(ABORTED,            "twonmnist_http_requests_aborted_total",       COUNTER,   "phase",                  "requests that ended before their answer was whole") \
    X(IN_FLIGHT,          "twonmnist_http_requests_in_flight",           GAUGE,     "",                       "requests that have begun to arrive and are not answered to the end") \
    X(DURATION,           "twonmnist_http_request_duration_seconds",     HISTOGRAM, "route",                  "time from the request line to the last byte of the answer") \
    X(SIZE,               "twonmnist_http_response_size_bytes",          HISTOGRAM, "format",                 "bodies of answers that were taken whole") \
    X(RECEIVED,           "twonmnist_http_received_bytes_total",         COUNTER,   "",                       "bodies of requests") \
    X(SENT,               "twonmnist_http_sent_bytes_total",             COUNTER,   "",                       "bodies of answers, as far as they were handed over") \
    X(REJECTED,           "twonmnist_rejected_total",                    COUNTER,   "reason",                 "requests and connections that were refused though nothing was wrong with them") \
    X(CONNECTIONS,        "twonmnist_connections",                       GAUGE,     "",                       "connections that are open") \
    X(CONNECTIONS_LIMIT,  "twonmnist_connections_limit",                 GAUGE,     "",                       "most that may be open: max_connections") \
    X(ACCEPTED,           "twonmnist_connections_accepted_total",        COUNTER,   "",                       "connections that were let in") \
    X(CUT,                "twonmnist_connections_cut_total",             COUNTER,   "phase",                  "connections that were cut off for being too slow") \
    X(PAUSES,             "twonmnist_accept_pauses_total",               COUNTER,   "reason",                 "times when clients had to wait for room for one more connection") \
    X(QUEUE,              "twonmnist_queue_requests",                    GAUGE,     "",                       "heavy requests that wait for a worker") \
    X(QUEUE_LIMIT,        "twonmnist_queue_requests_limit",              GAUGE,     "",                       "most that may wait: queue_length") \
    X(QUEUE_COST,         "twonmnist_queue_cost_seconds",                GAUGE,     "",                       "work that waits for the workers, as it is estimated") \
    X(QUEUE_COST_LIMIT,   "twonmnist_queue_cost_seconds_limit",          GAUGE,     "",                       "most that may wait: queue_cost_ms") \
    X(QUEUE_WAIT,         "twonmnist_queue_wait_seconds",                HISTOGRAM, "",                       "time that heavy requests waited for a worker") \
    X(WORKER_TIME,        "twonmnist_worker_seconds_total",              COUNTER,   "",                       "time that workers were busy") \
    X(PENDING,            "twonmnist_pending_bytes",                     GAUGE,     "",                       "memory for requests and answers under way") \
    X(PENDING_LIMIT,      "twonmnist_pending_bytes_limit",               GAUGE,     "",                       "most of it: max_pending_bytes") \
    X(MIXES,              "twonmnist_mixes_total",                       COUNTER,   "",                       "samples that were mixed for an answer") \
    X(MIXED_EVENTS,       "twonmnist_mixed_events_total",                COUNTER,   "",                       "their events") \
    X(FRAMES,             "twonmnist_framed_samples_total",              COUNTER,   "",                       "samples that were made into frames for an answer") \
    X(CHECKSUM_BYTES,     "twonmnist_checksummed_bytes_total",           COUNTER,   "",                       "bytes of answers whose CRC-32C was not known and had to be counted") \
    X(SPLIT_INFO,         "twonmnist_split_info",                        GAUGE,     "split, revision, kind",  "1; the splits that are served") \
    X(SPLIT_SAMPLES,      "twonmnist_split_samples",                     GAUGE,     "split",                  "samples of the split") \
    X(SPLIT_EVENTS,       "twonmnist_split_events",                      GAUGE,     "split",                  "events of the split") \
    X(SPLIT_DAMAGED,      "twonmnist_split_damaged",                     GAUGE,     "split",                  "1 where the split's file is known to be damaged, and is not served") \
    X(SPLIT_VERIFIED,     "twonmnist_split_verified",                    GAUGE,     "split",                  "1 once all of the split was what its checksums say, since it was opened") \
    X(SCRUB_BYTES,        "twonmnist_split_scrub_bytes",                 GAUGE,     "split",                  "how far the scrub of the split is, or was: bytes of its data") \
    X(SCRUB_BYTES_LIMIT,  "twonmnist_split_scrub_bytes_limit",           GAUGE,     "split",                  "bytes of its data") \
    X(SCRUB_TIME,         "twonmnist_split_scrub_timestamp_seconds",     GAUGE,     "split",                  "when its last scrub ended; 0: none has") \
    X(SCRUBBED,           "twonmnist_scrub_checks_total",                COUNTER,   "",                       "samples that were held against their CRC-32C, by scrubs and before something is made of them") \
    X(SCRUB_FAULTS,       "twonmnist_scrub_faults_total",                COUNTER,   "",                       "those that were not what it says") \
    X(PASSED_OVER,        "twonmnist_splits_passed_over",                GAUGE,     "",                       "files of the folder that cannot be served") \
    X(RELOADS,            "twonmnist_reloads_total",                     COUNTER,   "result",                 "times that the folder was opened anew") \
    X(RELOAD_TIME,        "twonmnist_reload_last_success_timestamp_seconds", GAUGE, "",                       "when it was opened with success last, the start included") \
    X(LOGGED,             "twonmnist_log_messages_total",                COUNTER,   "level",                  "lines of the daemon's own log") \
    X(ACCESS_LINES,       "twonmnist_access_log_lines_total",            COUNTER,   "",                       "lines of the access log that were written") \
    X(ACCESS_DROPPED,     "twonmnist_access_log_dropped_total",          COUNTER,   "",                       "lines of the access log that were dropped, because they could not be written in time") \
    X(CPU,                "process_cpu_seconds_total",                   COUNTER,   "",                       "processor time of the daemon, the kernel's for it included") \
    X(RESIDENT,           "process_resident_memory_bytes",               GAUGE,     "",                       "memory of the daemon that is present, mapped splits included") \
    X(VIRTUAL,            "process_virtual_memory_bytes",                GAUGE,     "",                       "addresses that the daemon has mapped") \
    X(OPEN_FDS,           "process_open_fds",                            GAUGE,     "",                       "descriptors that are open") \
    X(MAX_FDS,            "process_max_fds",                             GAUGE,     "",                       "most descriptors that may be open") \
    X(START_TIME,         "process_start_time_seconds",                  GAUGE,     "",                       "when the daemon started")

/*    cell                value of the label */
#define METRICS_REJECTIONS(X) \
    X(QUEUE,              "queue_full") \
    X(DISPLACED,          "displaced") \
    X(STOPPING,           "stopping") \
    X(ADDRESS,            "connections_per_address") \
    X(RATE,               "rate") \
    X(TOKEN,              "token")

#define METRICS_ABORTS(X) \
    X(ARRIVING,           "arriving") \
    X(WAITING,            "waiting") \
    X(ANSWERING,          "answering")

#define METRICS_CUTS(X) \
    X(GREETING,           "greeting") \
    X(IDLE,               "idle") \
    X(ASKING,             "asking") \
    X(RECEIVING,          "receiving")

#define METRICS_PAUSES(X) \
    X(CONNECTIONS,        "max_connections") \
    X(SHORTAGE,           "shortage")

#define METRICS_RELOADS(X) \
    X(SUCCESS,            "success") \
    X(FAILURE,            "failure")

#define METRICS_LEVELS(X) \
    X(ERROR,              "error") \
    X(WARNING,            "warning") \
    X(INFO,               "info") \
    X(DEBUG,              "debug")

#define METRICS_CODES(X) \
    X(200) X(206) X(304) X(400) X(401) X(403) X(404) X(405) X(406) X(413) X(414) X(416) X(429) X(431) \
    X(500) X(501) X(503)
/* clang-format on */

enum metric {
#define METRICS_ENUM(metric, ...) METRIC_##metric,
    METRICS(METRICS_ENUM)
#undef METRICS_ENUM
        N_METRICS
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
    const char *name;
    enum metric_type type;
    const char *labels, *help;
};

extern const struct metric_row metric_rows[N_METRICS];
extern const char *const metric_type_names[];

enum {
    METRICS_MAX_ROUTES = 48,
    METRICS_NO_ROUTE = METRICS_MAX_ROUTES, /* a request that no row of the route table takes */
    METRICS_N_ROUTES,
    METRICS_N_FORMATS = N_FORMATS + 1, /* the last is none */
#define METRICS_CODE(code) +1
    METRICS_OTHER_CODE = 0 METRICS_CODES(METRICS_CODE),
#undef METRICS_CODE
    METRICS_N_CODES,
    METRICS_N_DURATIONS = 12,
    METRICS_N_SIZES = 11,
    METRICS_N_WAITS = 12,
    CALLERS_MAX = 256, /* names of tokens that are told apart */
    CALLERS_OTHER = CALLERS_MAX,
};

/* One series of a histogram: its buckets, the last without a limit, and the sum. */
#define METRICS_SERIES(n_limits) ((n_limits) + 2)

/* The cells. An enumeration of labels stands in the order of its table. */
enum metrics_cell {
    METRICS_CELLS = TALLY_ABOVE - 1, /* the next is the first */
#define METRICS_CELL_REJECTED(cell, ...) METRICS_REJECTED_##cell,
#define METRICS_CELL_ABORTED(cell, ...)  METRICS_ABORTED_##cell,
#define METRICS_CELL_CUT(cell, ...)      METRICS_CUT_##cell,
#define METRICS_CELL_PAUSED(cell, ...)   METRICS_PAUSED_##cell,
#define METRICS_CELL_RELOADED(cell, ...) METRICS_RELOADED_##cell,
#define METRICS_CELL_LOGGED(cell, ...)   METRICS_LOGGED_##cell,
    METRICS_REJECTIONS(METRICS_CELL_REJECTED) METRICS_ABORTS(METRICS_CELL_ABORTED)
        METRICS_CUTS(METRICS_CELL_CUT) METRICS_PAUSES(METRICS_CELL_PAUSED)
            METRICS_RELOADS(METRICS_CELL_RELOADED) METRICS_LEVELS(METRICS_CELL_LOGGED)
#undef METRICS_CELL_REJECTED
#undef METRICS_CELL_ABORTED
#undef METRICS_CELL_CUT
#undef METRICS_CELL_PAUSED
#undef METRICS_CELL_RELOADED
#undef METRICS_CELL_LOGGED
                METRICS_BEGUN, /* requests */
    METRICS_ENDED,
    METRICS_RECEIVED_BYTES,
    METRICS_SENT_BYTES,
    METRICS_ACCEPTED, /* connections */
    METRICS_CLOSED,
    METRICS_QUEUED, /* tasks, and what they cost in us */
    METRICS_TAKEN_UP,
    METRICS_QUEUED_US,
    METRICS_TAKEN_UP_US,
    METRICS_WORKER_NS,
    METRICS_ACCESS_LINES,
    METRICS_ACCESS_DROPPED,
    METRICS_CALLERS,
    METRICS_QUEUE_WAITS = METRICS_CALLERS + CALLERS_MAX + 1,
    METRICS_SIZES = METRICS_QUEUE_WAITS + METRICS_SERIES(METRICS_N_WAITS),
    METRICS_DURATIONS = METRICS_SIZES + METRICS_N_FORMATS * METRICS_SERIES(METRICS_N_SIZES),
    METRICS_REQUESTS = METRICS_DURATIONS + METRICS_N_ROUTES * METRICS_SERIES(METRICS_N_DURATIONS),
    METRICS_CELLS_END = METRICS_REQUESTS + METRICS_N_ROUTES * METRICS_N_FORMATS * METRICS_N_CODES,
};
_Static_assert((int)METRICS_CELLS_END <= (int)TALLY_N_CELLS, "the cells have room");

/* The limits of a histogram's buckets, in its own unit: ns or bytes. */
struct metrics_histogram {
    const uint64_t *limits;
    unsigned n_limits;
    bool is_ns;
};
extern const struct metrics_histogram metrics_durations, metrics_sizes, metrics_waits;

/* METRICS_N_CODES values; 0 stands for all others. */
extern const unsigned metrics_codes[];

/* A request that was answered to its end. */
struct metrics_request {
    unsigned route;  /* row of the route table, or METRICS_NO_ROUTE */
    unsigned format; /* enum format, N_FORMATS for none */
    unsigned status;
    uint64_t duration_ns;
    uint64_t n_bytes; /* of the body that was sent */
};
void metrics_count_request(const struct metrics_request *request);

/* How long a task has waited, and how long it was worked on. */
void metrics_count_task(uint64_t wait_ns, uint64_t work_ns);

/* The folder has been opened; and when it was last, in seconds since 1970. */
void metrics_note_opened(void);
uint64_t metrics_opened_s(void);

/* CLOCK_MONOTONIC. */
uint64_t metrics_now_ns(void);
