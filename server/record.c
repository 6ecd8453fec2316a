/* SPDX-License-Identifier: Apache-2.0
 * What is kept of a request until it has ended, and then counted. */
#include "server/record.h"

#include <string.h>

#include "server/access_log.h"
#include "server/callers.h"
#include "server/metrics.h"
#include "server/route.h"

void record_begin(struct record *ret)
{
    *ret = (struct record){.begun_ns = metrics_now_ns()};
    tally_add(METRICS_BEGUN, 1);
}

void record_method(struct record *record, const char *method)
{
    strncpy(record->method, method, sizeof record->method - 1);
}

static enum metrics_cell aborted_in(enum peer_phase phase)
{
    switch (phase) {
    case PEER_GREETING:
    case PEER_IDLE:
    case PEER_ASKING:
        return METRICS_ABORTED_ARRIVING;
    case PEER_WAITING:
        return METRICS_ABORTED_WAITING;
    case PEER_RECEIVING:
        return METRICS_ABORTED_ANSWERING;
    }
    return METRICS_ABORTED_ARRIVING;
}

static uint64_t n_sent(const struct record_end *end)
{
    if (!end->whole)
        return end->n_read;
    return end->reply->head_only || end->reply->status == 304 ? 0 : end->reply->n_bytes;
}

static void log_end(const struct record *record, const struct record_end *end,
                    const struct metrics_request *counted)
{
    struct access access = {
        .address = end->peer->name,
        .token = end->request->caller[0] ? end->request->caller : NULL,
        .method = record->method,
        .url = end->request->url,
        .status = counted->status,
        .n_bytes = counted->n_bytes,
        .duration_ns = counted->duration_ns,
        .aborted = !end->whole,
    };
    clock_gettime(CLOCK_REALTIME, &access.time);
    access_log_add(&access);
}

void record_end(const struct record *record, const struct record_end *end)
{
    const struct request *request = end->request;
    const struct metrics_request counted = {
        .route = request->route ? (unsigned)(request->route - routes) : METRICS_NO_ROUTE,
        .format = request->route && request->format < N_FORMATS ? request->format : N_FORMATS,
        .status = end->reply->status,
        .duration_ns = metrics_now_ns() - record->begun_ns,
        .n_bytes = n_sent(end),
    };
    tally_add(METRICS_ENDED, 1);
    tally_add(METRICS_RECEIVED_BYTES, end->n_received);
    tally_add(METRICS_SENT_BYTES, counted.n_bytes);
    if (end->whole)
        metrics_count_request(&counted);
    if (end->whole && request->caller[0] && counted.status != 401)
        tally_add(METRICS_CALLERS + callers_number(request->caller), 1);
    if (!end->whole)
        tally_add(aborted_in(end->peer->phase), 1);
    if (access_log_is_open())
        log_end(record, end, &counted);
}
