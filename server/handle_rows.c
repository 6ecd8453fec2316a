/* SPDX-License-Identifier: Apache-2.0
 * Rows about samples, without events: a page of a split or of a view, in the order that is asked
 * for; or all of them as a table. */
#include <inttypes.h>

#include "server/document.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/samples/cost.h"
#include "server/samples/rows.h"

enum {
    ROWS_PER_US = 2,
    SORTED_PER_US = 8,
    EVENTS_SCANNED_PER_US = 500,
};

#define ORDERED (PARAM_BIT(PARAM_SORT) | PARAM_BIT(PARAM_SEED))

static bool is_table(const struct request *request)
{
    return request->format != FORMAT_JSON;
}

/* Rows that are asked for, as far as there are any. */
static uint64_t n_rows(const struct request *request)
{
    uint64_t n = request_n_samples(request);
    uint64_t offset = request->params[PARAM_OFFSET], length = request->params[PARAM_LENGTH];
    if (offset >= n)
        return 0;
    if (is_table(request) && !request_gave(request, PARAM_LENGTH))
        return n - offset;
    return n - offset < length ? n - offset : length;
}

static enum rows_style style_of(const struct request *request)
{
    return request->format == FORMAT_CSV     ? ROWS_CSV
           : request->format == FORMAT_JSONL ? ROWS_LINES
                                             : ROWS_PAGE;
}

/* What is asked for without any parameter is made once. */
static bool is_kept(const struct request *request)
{
    return request->given == 0;
}

static enum entry_text kept_text(const struct request *request)
{
    static const enum entry_text texts[] = {
        [ROWS_PAGE] = ENTRY_FIRST_PAGE, [ROWS_CSV] = ENTRY_CSV, [ROWS_LINES] = ENTRY_LINES};
    return texts[style_of(request)];
}

/* Of that many samples, whose last events are looked at. */
static uint64_t scan_us(const struct entry *entry, uint64_t n)
{
    if (entry->order == MIX_TIME && entry->holding->verified)
        return 0;
    return n * split_n_events(entry->split) / split_n_samples(entry->split) / EVENTS_SCANNED_PER_US;
}

static uint64_t order_us(const struct request *request)
{
    uint64_t n = request_n_samples(request), us = 0;
    if (request_gave(request, PARAM_SORT))
        us += n / SORTED_PER_US;
    if (request_gave(request, PARAM_SORT) && request->params[PARAM_SORT] / 2 == ROWS_DURATION / 2)
        us += scan_us(request->entry, n);
    if (request_gave(request, PARAM_SEED) &&
        !orders_has(service_orders(request->service), (uint32_t)request->params[PARAM_SEED], 0,
                    (uint32_t)n))
        us += cost_order_us(n);
    return us;
}

bool check_rows(struct request *request, struct reply *reply)
{
    uint64_t length = request->params[PARAM_LENGTH];
    uint64_t most = service_settings(request->service)->max_batch_size;
    if (request_gave(request, PARAM_LENGTH) && !is_table(request) && length > most) {
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most,
                       "length is %" PRIu64 "; max_batch_size is %" PRIu64, length, most);
        return false;
    }
    const struct entry *entry = request->entry;
    request->variant = rows_are_complete(entry) ? NULL : "+alone";
    if (is_kept(request))
        document_offer_gzip(request);
    uint64_t rows = n_rows(request);
    request->cost_us = rows / ROWS_PER_US + scan_us(entry, rows) + order_us(request);
    if (is_kept(request) ? document_is_made(request, kept_text(request))
                         : request->method == METHOD_HEAD)
        request->cost_us = 0;
    return true;
}

/* The rows' positions, sorted, in memory of the reply. */
static int sort_rows(const struct request *request, struct reply *reply, struct rows *rows,
                     struct error *why)
{
    uint64_t n = request_n_samples(request);
    void *places_at, *positions_at;
    int r = reply_alloc(reply, n * sizeof(struct rows_place), &places_at, why);
    if (r == 0)
        r = reply_alloc(reply, rows->n * sizeof(uint32_t), &positions_at, why);
    if (r == 0)
        r = rows_sort(request->entry, rows->positions, n,
                      (enum rows_sort)request->params[PARAM_SORT], places_at, why);
    if (r < 0)
        return r;
    const struct rows_place *places = places_at;
    uint32_t *positions = positions_at;
    for (uint64_t i = 0; i < rows->n; i++)
        positions[i] = places[rows->first + i].position;
    rows->positions = positions;
    rows->first = 0;
    return 0;
}

/* The same in the order of the seed's epoch 0. */
static int shuffle_rows(const struct request *request, struct reply *reply, struct rows *rows,
                        struct error *why)
{
    uint32_t n = (uint32_t)request_n_samples(request);
    struct order *order;
    void *at;
    int r = reply_alloc(reply, rows->n * sizeof(uint32_t), &at, why);
    if (r < 0)
        return r;
    r = orders_borrow(service_orders(request->service), (uint32_t)request->params[PARAM_SEED], 0, n,
                      &order);
    if (r < 0)
        return error_set(why, r, "no memory for an order of %" PRIu32 " samples", n);
    uint32_t *positions = at;
    for (uint64_t i = 0; i < rows->n; i++)
        positions[i] = (uint32_t)request_position(request, order_positions(order)[rows->first + i]);
    orders_return(order);
    rows->positions = positions;
    rows->first = 0;
    return 0;
}

static int find_rows(const struct request *request, struct reply *reply, struct rows *rows,
                     struct error *why)
{
    if (rows->n == 0 || !(request->given & ORDERED))
        return 0;
    return request_gave(request, PARAM_SORT) ? sort_rows(request, reply, rows, why)
                                             : shuffle_rows(request, reply, rows, why);
}

static int add_rows(struct request *request, struct reply *reply, struct error *why)
{
    struct rows rows = {
        .entry = request->entry,
        .positions = request->view ? request->view->positions : NULL,
        .first = request->params[PARAM_OFFSET],
        .n = n_rows(request),
        .offset = request->params[PARAM_OFFSET],
        .total = request_n_samples(request),
    };
    struct text text;
    uint64_t size = rows_size(&rows, style_of(request));
    if (reply_skips(reply, false))
        return reply_check(reply, size, why);
    int r = find_rows(request, reply, &rows, why);
    if (r == 0)
        r = text_open(&text, reply, size, why);
    if (r == 0)
        r = rows_write(&rows, style_of(request), &text, why);
    return r < 0 ? r : text_close(&text, reply, why);
}

void handle_rows(struct request *request, struct reply *reply)
{
    struct error why;
    if (is_kept(request)) {
        document_answer(request, reply, kept_text(request));
        return;
    }
    int r = add_rows(request, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
