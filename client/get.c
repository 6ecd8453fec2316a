/* SPDX-License-Identifier: Apache-2.0
 * Single batches: one request each, waited for. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "client/failure.h"
#include "client/wish.h"
#include "common/order.h"

/* Make the request, and clear the wish. `r` is how filling it in went. */
static int run(tnm_split *split, int r, struct wish *wish, tnm_batch **ret)
{
    if (r < 0)
        return failure_set(r, "no memory for a request");
    char *server = NULL;
    const struct request_ask ask = wish_ask(wish);
    r = client_request(split->client, &ask, &server);
    if (r == 0) {
        wish->batch->server = server;
        *ret = wish->batch;
        wish->batch = NULL;
    }
    wish_clear(wish);
    return r;
}

int tnm_samples(tnm_split *split, const uint64_t *indices, size_t n_indices, tnm_batch **ret)
{
    struct wish wish;
    int r = split_check(split);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n_indices; i++)
        if (indices[i] >= split->n_samples)
            return failure_set(-ENOENT, "there is no sample %" PRIu64 "; split %s has %" PRIu64,
                               indices[i], split->name, split->n_samples);
    return run(split, wish_samples(split, split_form(split), indices, n_indices, &wish), &wish,
               ret);
}

uint64_t tnm_epoch_n_batches(const tnm_split *split, uint64_t size, int last)
{
    return size ? order_n_batches(split->n_samples, size,
                                  last == TNM_LAST_DROP ? ORDER_DROP : ORDER_SHORT)
                : 0;
}

/* A batch of an epoch over the view, or (NULL) over the whole split, which can be used. */
static int epoch_batch(tnm_split *split, tnm_view *view, uint32_t seed, uint32_t epoch, uint64_t k,
                       const struct wish_share *share, tnm_batch **ret)
{
    int r = wish_check_share(share);
    if (r < 0)
        return r;
    uint64_t n = view ? view->n : split->n_samples;
    uint64_t n_batches = view ? tnm_view_n_batches(view, share->size, share->last)
                              : tnm_epoch_n_batches(split, share->size, share->last);
    if (k >= n_batches)
        return failure_set(-ENOENT, "there is no batch %" PRIu64 "; the epoch has %" PRIu64, k,
                           n_batches);
    uint32_t *order = calloc(n, sizeof *order);
    if (!order)
        return failure_set(-ENOMEM, "no memory for an order of %" PRIu64, n);
    order_epoch(seed, epoch, (uint32_t)n, order);
    for (uint64_t i = 0; view && i < n; i++)
        order[i] = view->places[order[i]];
    struct wish wish;
    r = wish_epoch(split, view, split_form(split), seed, epoch, order, share, k, &wish);
    free(order);
    return run(split, r, &wish, ret);
}

int tnm_epoch_batch(tnm_split *split, uint32_t seed, uint32_t epoch, uint64_t k, uint64_t size,
                    uint32_t rank, uint32_t world, int last, tnm_batch **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world, .last = last};
    int r = split_check(split);
    return r < 0 ? r : epoch_batch(split, NULL, seed, epoch, k, &share, ret);
}

int tnm_view_batch(tnm_view *view, uint32_t seed, uint32_t epoch, uint64_t k, uint64_t size,
                   uint32_t rank, uint32_t world, int last, tnm_batch **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world, .last = last};
    int r = view_usable(view);
    return r < 0 ? r : epoch_batch(view->split, view, seed, epoch, k, &share, ret);
}

static int check_source(const tnm_split *split)
{
    int r = split_check(split);
    if (r == 0 && !split->is_source)
        r = failure_set(-EINVAL, "%s is no source split", split->name);
    return r;
}

int tnm_pair_batch(tnm_split *source, uint64_t seed, uint64_t k, uint64_t size, uint32_t rank,
                   uint32_t world, tnm_batch **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world};
    struct wish wish;
    int r = check_source(source);
    if (r == 0)
        r = wish_check_share(&share);
    if (r < 0)
        return r;
    if (k > (UINT64_MAX - size) / size)
        return failure_set(-EINVAL, "batch %" PRIu64 " of %" PRIu64 " pairs is past 2^64", k, size);
    return run(source, wish_pairs(source, split_form(source), seed, &share, k, &wish), &wish, ret);
}

int tnm_pair(tnm_split *source, uint64_t seed, uint64_t index, tnm_batch **ret)
{
    return tnm_pair_batch(source, seed, index, 1, 0, 1, ret);
}

int tnm_mix(tnm_split *source, const uint64_t *parts, size_t n_parts, tnm_batch **ret)
{
    struct wish wish;
    int r = check_source(source);
    if (r < 0)
        return r;
    if (n_parts < 1 || n_parts > N_DIGITS)
        return failure_set(-EINVAL, "a mix of %zu recordings; 1 to %d are possible", n_parts,
                           N_DIGITS);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i] >= source->n_samples)
            return failure_set(-ENOENT, "there is no recording %" PRIu64 "; %s has %" PRIu64,
                               parts[i], source->name, source->n_samples);
    if (n_parts == 1)
        return tnm_samples(source, parts, 1, ret);
    return run(source, wish_mix(source, split_form(source), parts, n_parts, &wish), &wish, ret);
}
