/* SPDX-License-Identifier: Apache-2.0
 * Batches: by indices, of an epoch, of fresh pairs. */
#include <errno.h>
#include <inttypes.h>

#include "common/order.h"
#include "common/picture.h"
#include "server/about.h"
#include "server/body.h"
#include "server/handlers.h"
#include "server/pictured.h"
#include "server/problem.h"
#include "server/samples/cost.h"

enum { BODY_BYTES_PER_US = 20 };

static bool is_sheet(const struct request *request)
{
    return request->format == FORMAT_PNG;
}

static uint64_t weigh(const struct request *request, uint64_t n, bool mixed)
{
    const struct cost cost = {
        .n = n,
        .mixed = mixed,
        .text = format_rows[request->format].text,
        .head = request->method == METHOD_HEAD,
        .pixels = is_sheet(request) && n > 0 ? encode_png_sheet_pixels(&request->form, n) : 0,
    };
    uint64_t cold_us = entry_is_cold(request->entry) ? cost_cold_us(n) : 0;
    return cost_us(request->entry, &request->form, &cost) + cold_us;
}

static void answer(struct request *request, struct reply *reply, enum batch_kind kind,
                   const uint64_t *indices, size_t n)
{
    struct about about;
    if (is_sheet(request) && !pictured_check_sheet(request, reply, n))
        return;
    about_request(request, &about);
    const struct batch batch = {
        .entry = request->entry,
        .kind = kind,
        .seed = request->variables[VARIABLE_SEED],
        .indices = indices,
        .n = n,
        .about = about.rows,
        .n_about = about.n,
    };
    struct error why;
    int r = format_rows[request->format].batch(&batch, &request->form, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}

bool check_batch(struct request *request, struct reply *reply)
{
    uint64_t most = service_settings(request->service)->max_batch_size;
    uint64_t n_samples = split_n_samples(request->entry->split), n = request->numbers.n;
    if (request->method == METHOD_POST) {
        /* The body is read by who makes the answer; it can list an index in two bytes. */
        most = is_sheet(request) ? PICTURE_SHEET_MAX : most;
        n = request->body_size / 2 < most ? request->body_size / 2 : most;
        request->cost_us = weigh(request, n, false) + request->body_size / BODY_BYTES_PER_US;
        return true;
    }
    if (!request_gave(request, PARAM_INDICES)) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "indices is missing");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (request->numbers.items[i] >= n_samples) {
            problem(request, reply, PROBLEM_NO_SUCH_SAMPLE,
                    "there is no sample %" PRIu64 "; split %s has 0 to %" PRIu64,
                    request->numbers.items[i], request->entry->name, n_samples - 1);
            return false;
        }
    request->cost_us = weigh(request, n, false);
    return !is_sheet(request) || pictured_check_sheet(request, reply, n);
}

static bool read_body(struct request *request, struct reply *reply)
{
    struct error why;
    size_t most = service_settings(request->service)->max_batch_size;
    int r = body_indices(request->body, request->body_size, most, &request->numbers, &why);
    if (r == -E2BIG)
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most, "%s", why.text);
    else if (r == -ENOMEM)
        problem_error(request, reply, r, &why);
    else if (r < 0)
        problem(request, reply, PROBLEM_BAD_BODY, "%s", why.text);
    return r == 0;
}

void handle_batch(struct request *request, struct reply *reply)
{
    if (request->method != METHOD_POST || read_body(request, reply))
        answer(request, reply, BATCH_STORED, request->numbers.items, request->numbers.n);
}

/* Samples of a global batch that are this rank's, at most. */
static uint64_t most_of_rank(const struct request *request)
{
    uint64_t world = request->params[PARAM_WORLD];
    return (request->params[PARAM_SIZE] + world - 1) / world;
}

static bool check_rank(struct request *request, struct reply *reply)
{
    uint64_t rank = request->params[PARAM_RANK], world = request->params[PARAM_WORLD];
    uint64_t most = service_settings(request->service)->max_batch_size;
    uint64_t n = most_of_rank(request);
    if (rank >= world)
        problem(request, reply, PROBLEM_BAD_PARAMETER,
                "rank is %" PRIu64 "; in a world of %" PRIu64 " it goes from 0 to %" PRIu64, rank,
                world, world - 1);
    else if (n > most)
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most,
                       "size is %" PRIu64 ", %" PRIu64 " samples for a rank; max_batch_size is "
                       "%" PRIu64,
                       request->params[PARAM_SIZE], n, most);
    return rank < world && n <= most &&
           (!is_sheet(request) || pictured_check_sheet(request, reply, n));
}

static struct order_share rank_share(const struct request *request, uint64_t n,
                                     enum order_last last)
{
    return order_share(n, request->params[PARAM_SIZE], last, request->variables[VARIABLE_K],
                       (uint32_t)request->params[PARAM_RANK],
                       (uint32_t)request->params[PARAM_WORLD]);
}

bool check_epoch_batch(struct request *request, struct reply *reply)
{
    uint64_t n = request_n_samples(request), k = request->variables[VARIABLE_K];
    enum order_last last = (enum order_last)request->params[PARAM_LAST];
    uint64_t n_batches = order_n_batches(n, request->params[PARAM_SIZE], last);
    if (!check_rank(request, reply))
        return false;
    if (k >= n_batches) {
        problem_number(request, reply, PROBLEM_NO_SUCH_BATCH, "batches", n_batches,
                       "k is %" PRIu64 "; the epoch has %" PRIu64 " batches", k, n_batches);
        return false;
    }
    bool cached = orders_has(service_orders(request->service),
                             (uint32_t)request->variables[VARIABLE_ORDER_SEED],
                             (uint32_t)request->variables[VARIABLE_EPOCH], (uint32_t)n);
    request->cost_us =
        weigh(request, most_of_rank(request), false) + (cached ? 0 : cost_order_us(n));
    return true;
}

/* Memory of the reply for the batch's indices; NULL after a problem. */
static uint64_t *alloc_indices(struct request *request, struct reply *reply, uint64_t n)
{
    struct error why;
    void *indices;
    int r = reply_alloc(reply, n * sizeof(uint64_t), &indices, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
    return r < 0 ? NULL : indices;
}

/* What this rank will ask for next, unless all is in memory. */
static void fetch_next(const struct request *request, const struct order *order, uint64_t n,
                       struct order_share share)
{
    uint64_t size = request->params[PARAM_SIZE];
    if (request->method == METHOD_HEAD || !entry_is_cold(request->entry))
        return;
    for (uint64_t i = 0; i < share.count; i++) {
        uint64_t at = share.first + size + i * share.step;
        struct recipe recipe;
        struct error why;
        if (at < n && recipe_sample(request->entry, &request->form,
                                    request_position(request, order_positions(order)[at]), &recipe,
                                    &why) == 0)
            recipe_fetch(&recipe);
    }
}

void handle_epoch_batch(struct request *request, struct reply *reply)
{
    uint64_t n = request_n_samples(request);
    struct order_share share = rank_share(request, n, (enum order_last)request->params[PARAM_LAST]);
    uint64_t *indices = alloc_indices(request, reply, share.count);
    struct order *order;
    if (!indices)
        return;
    if (orders_borrow(service_orders(request->service),
                      (uint32_t)request->variables[VARIABLE_ORDER_SEED],
                      (uint32_t)request->variables[VARIABLE_EPOCH], (uint32_t)n, &order) < 0) {
        problem(request, reply, PROBLEM_NO_MEMORY, "no memory for an order of %" PRIu64, n);
        return;
    }
    for (uint64_t i = 0; i < share.count; i++)
        indices[i] =
            request_position(request, order_positions(order)[(share.first + i * share.step) % n]);
    answer(request, reply, BATCH_STORED, indices, share.count);
    fetch_next(request, order, n, share);
    orders_return(order);
}

bool check_pair_batch(struct request *request, struct reply *reply)
{
    uint64_t size = request->params[PARAM_SIZE];
    const struct entry *entry = request->entry;
    bool possible = request->variables[VARIABLE_K] <= (UINT64_MAX - size) / size;
    if (!check_rank(request, reply))
        return false;
    if (!entry->has_pairs || !possible) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s has no such pairs: %s", entry->name,
                entry->has_pairs ? "k * size is past 2^64" : entry->no_pairs.text);
        return false;
    }
    request->cost_us = weigh(request, most_of_rank(request), true);
    return true;
}

void handle_pair_batch(struct request *request, struct reply *reply)
{
    struct order_share share = rank_share(request, UINT64_MAX, ORDER_PAD);
    uint64_t *indices = alloc_indices(request, reply, share.count);
    if (!indices)
        return;
    for (uint64_t i = 0; i < share.count; i++)
        indices[i] = share.first + i * share.step;
    answer(request, reply, BATCH_PAIRS, indices, share.count);
}
