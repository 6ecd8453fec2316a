/* SPDX-License-Identifier: Apache-2.0
 * Batches: by indices, of an epoch, of fresh pairs. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/order.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/samples/encode.h"

/* What one sample of a batch costs, roughly. */
enum { COPY_US = 3, MIX_US = 10, FRAMES_US = 15, JSON_US = 2000, SHUFFLED_PER_US = 60 };

static uint64_t sample_us(const struct request *request, bool mixed)
{
    if (request->format == FORMAT_JSON)
        return JSON_US;
    if (request->params[PARAM_AS] == AS_FRAMES)
        return FRAMES_US + (mixed ? MIX_US : 0);
    return mixed || request_gave(request, PARAM_ORDER) || request_gave(request, PARAM_TIMESTEP)
               ? MIX_US
               : COPY_US;
}

static uint64_t batch_us(const struct request *request, uint64_t n, bool mixed)
{
    uint64_t one = sample_us(request, mixed);
    return one == COPY_US && n <= ENCODE_MAX_PARTS ? 0 : n * one;
}

static struct order_share share_of(const struct request *request, uint64_t n, enum order_last last,
                                   uint64_t k)
{
    return order_share(n, request->params[PARAM_SIZE], last, k,
                       (uint32_t)request->params[PARAM_RANK],
                       (uint32_t)request->params[PARAM_WORLD]);
}

static bool check_share(const struct request *request, struct reply *reply)
{
    uint64_t rank = request->params[PARAM_RANK], world = request->params[PARAM_WORLD];
    uint64_t most = service_settings(request->service)->max_batch_size;
    uint64_t count = (request->params[PARAM_SIZE] + world - 1) / world;
    if (rank >= world)
        problem(reply, request, PROBLEM_BAD_PARAMETER,
                "rank is %" PRIu64 "; in a world of %" PRIu64 " it goes from 0 to %" PRIu64, rank,
                world, world - 1);
    else if (count > most)
        problem_number(reply, request, PROBLEM_TOO_LARGE, "limit", most,
                       "size is %" PRIu64 ", %" PRIu64 " samples for a rank; max_batch_size is "
                       "%" PRIu64,
                       request->params[PARAM_SIZE], count, most);
    return rank < world && count <= most;
}

static struct recipe *alloc_recipes(const struct request *request, struct reply *reply, uint64_t n)
{
    struct recipe *recipes = calloc(n ? n : 1, sizeof *recipes);
    if (!recipes)
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for %" PRIu64 " samples", n);
    return recipes;
}

void handle_batch(struct request *request, struct reply *reply)
{
    size_t n = request->numbers.n;
    if (!request_gave(request, PARAM_INDICES)) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "indices is missing");
        return;
    }
    struct recipe *recipes = alloc_recipes(request, reply, n);
    bool taken = recipes != NULL;
    for (size_t i = 0; taken && i < n; i++)
        taken = take_sample(request, reply, request->numbers.items[i], &recipes[i]);
    if (taken)
        encode_batch(request, reply, recipes, n);
    free(recipes);
}

static void answer_share(struct request *request, struct reply *reply, struct order_share share,
                         uint64_t n)
{
    struct order *order;
    struct recipe *recipes = alloc_recipes(request, reply, share.count);
    if (!recipes)
        return;
    if (orders_borrow(service_orders(request->service), (uint32_t)request->places[PLACE_ORDER_SEED],
                      (uint32_t)request->places[PLACE_EPOCH], (uint32_t)n, &order) < 0) {
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for an order of %" PRIu64, n);
        free(recipes);
        return;
    }
    bool taken = true;
    for (uint64_t i = 0; taken && i < share.count; i++) {
        uint64_t position = (share.first + i * share.step) % n;
        taken = take_sample(request, reply, order_positions(order)[position], &recipes[i]);
    }
    orders_return(order);
    if (taken)
        encode_batch(request, reply, recipes, share.count);
    free(recipes);
}

void handle_epoch_batch(struct request *request, struct reply *reply)
{
    if (!check_share(request, reply))
        return;
    uint64_t n = split_n_samples(request->entry->split), k = request->places[PLACE_K];
    enum order_last last = (enum order_last)request->params[PARAM_LAST];
    uint64_t n_batches = order_n_batches(n, request->params[PARAM_SIZE], last);
    if (k >= n_batches)
        problem_number(reply, request, PROBLEM_NO_SUCH_BATCH, "batches", n_batches,
                       "k is %" PRIu64 "; the epoch has %" PRIu64 " batches", k, n_batches);
    else
        answer_share(request, reply, share_of(request, n, last, k), n);
}

void handle_pair_batch(struct request *request, struct reply *reply)
{
    uint64_t size = request->params[PARAM_SIZE], k = request->places[PLACE_K];
    if (!check_share(request, reply))
        return;
    if (!request->entry->has_pairs || k > (UINT64_MAX - size) / size) {
        problem(
            reply, request, PROBLEM_BAD_PARAMETER, "%s has no such pairs: %s", request->entry->name,
            request->entry->has_pairs ? "k * size is past 2^64" : request->entry->no_pairs.text);
        return;
    }
    struct order_share share = share_of(request, UINT64_MAX, ORDER_PAD, k);
    struct recipe *recipes = alloc_recipes(request, reply, share.count);
    if (!recipes)
        return;
    for (uint64_t i = 0; i < share.count; i++)
        recipe_pair(request, request->places[PLACE_SEED], share.first + i * share.step,
                    &recipes[i]);
    encode_batch(request, reply, recipes, share.count);
    free(recipes);
}

uint64_t weigh_batch(const struct request *request)
{
    return batch_us(request, request->numbers.n, false);
}

uint64_t weigh_epoch_batch(const struct request *request)
{
    uint64_t n = split_n_samples(request->entry->split);
    uint64_t share = request->params[PARAM_SIZE] / request->params[PARAM_WORLD] + 1;
    bool cached =
        orders_has(service_orders(request->service), (uint32_t)request->places[PLACE_ORDER_SEED],
                   (uint32_t)request->places[PLACE_EPOCH], (uint32_t)n);
    return batch_us(request, share, false) + (cached ? 0 : n / SHUFFLED_PER_US);
}

uint64_t weigh_pair_batch(const struct request *request)
{
    return batch_us(request, request->params[PARAM_SIZE] / request->params[PARAM_WORLD] + 1, true);
}
