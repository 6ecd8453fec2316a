/* SPDX-License-Identifier: Apache-2.0
 * Which samples a page has: those of a split or of a view, in the order that is asked for. */
#include "server/paging.h"

#include <inttypes.h>

#include "server/samples/cost.h"

enum {
    SORTED_PER_US = 8,
    EVENTS_SCANNED_PER_US = 500,
};

#define ORDERED (PARAM_BIT(PARAM_SORT) | PARAM_BIT(PARAM_SEED))

uint64_t paging_scan_us(const struct entry *entry, uint64_t n)
{
    if (entry->order == MIX_TIME && entry->holding->verified)
        return 0;
    return n * split_n_events(entry->split) / split_n_samples(entry->split) / EVENTS_SCANNED_PER_US;
}

uint64_t paging_order_us(const struct request *request)
{
    uint64_t n = request_n_samples(request), us = 0;
    if (request_gave(request, PARAM_SORT))
        us += n / SORTED_PER_US;
    if (request_gave(request, PARAM_SORT) && request->params[PARAM_SORT] / 2 == ROWS_DURATION / 2)
        us += paging_scan_us(request->entry, n);
    if (request_gave(request, PARAM_SEED) &&
        !orders_has(service_orders(request->service), (uint32_t)request->params[PARAM_SEED], 0,
                    (uint32_t)n))
        us += cost_order_us(n);
    return us;
}

struct rows paging_rows(const struct request *request, uint64_t n)
{
    return (struct rows){
        .entry = request->entry,
        .positions = request->view ? request->view->positions : NULL,
        .first = request->params[PARAM_OFFSET],
        .n = n,
        .offset = request->params[PARAM_OFFSET],
        .total = request_n_samples(request),
    };
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

int paging_find(const struct request *request, struct reply *reply, struct rows *rows,
                struct error *why)
{
    if (rows->n == 0 || !(request->given & ORDERED))
        return 0;
    return request_gave(request, PARAM_SORT) ? sort_rows(request, reply, rows, why)
                                             : shuffle_rows(request, reply, rows, why);
}
