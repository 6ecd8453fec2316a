/* SPDX-License-Identifier: Apache-2.0
 * Which server a request asks next. */
#include "client/rank.h"
#include "client/request_state.h"

/* When the request may ask server s: UINT64_MAX while nobody knows. */
static uint64_t free_at(const struct request *request, size_t s, uint64_t now_ms)
{
    struct requests *all = request->all;
    struct server *server = &all->servers->list[s];
    if (server->is_silent && !server->is_probed && server->rest_until_ms <= now_ms &&
        servers_count(all->servers) > 1)
        server->is_probed = probe_start(all->probes, s, ++all->n_sent) == 0;
    uint64_t at = server_free_at(server), own = request->standings[s].rest_until_ms;
    return at > own ? at : own;
}

bool request_can_use(const struct request *request, size_t s)
{
    const struct standing *standing = &request->standings[s];
    return !request->all->servers->list[s].is_absent && !standing->refused &&
           standing->damaged <= request->all->options->retries;
}

bool request_is_asking(const struct request *request, size_t s)
{
    for (int i = 0; i < N_ATTEMPTS; i++) {
        const struct attempt *attempt = &request->attempts[i];
        if (attempt->transfer && attempt->server == s &&
            attempt->life == request->all->servers->list[s].life)
            return true;
    }
    return false;
}

/* Past the request's patience nobody that has failed it is tried again, however soon that could be:
 * where tries take longer than rests, there is always one to go on with. */
static bool is_past(const struct request *request, size_t s, uint64_t now_ms)
{
    return request->standings[s].has_failed && request->is_patient &&
           now_ms >= request_deadline(request);
}

/* What speaks for a server, in this order: that it can be asked soon; beside others that it is
 * known to be well; that it has not failed this request, is before others by its SRV record; then
 * its rank. */
struct choice {
    uint64_t until_ms;
    bool is_in_doubt;
    unsigned damaged, priority;
};

static int compare(const struct choice *a, const struct choice *b)
{
    if (a->until_ms != b->until_ms)
        return a->until_ms < b->until_ms ? -1 : 1;
    if (a->is_in_doubt != b->is_in_doubt)
        return b->is_in_doubt ? -1 : 1;
    if (a->damaged != b->damaged)
        return a->damaged < b->damaged ? -1 : 1;
    return (a->priority > b->priority) - (a->priority < b->priority);
}

bool request_choose(const struct request *request, uint64_t now_ms, size_t *ret,
                    uint64_t *ret_until_ms)
{
    const struct requests *all = request->all;
    const bool is_hedge = request_attempt((struct request *)request);
    struct choice best = {.until_ms = UINT64_MAX};
    size_t best_ones[SERVERS_MAX], n = 0;
    for (size_t s = 0; s < all->servers->n; s++) {
        if (!request_can_use(request, s) || request_is_asking(request, s) ||
            is_past(request, s, now_ms))
            continue;
        struct choice choice = {.until_ms = free_at(request, s, now_ms),
                                .is_in_doubt = is_hedge && all->servers->list[s].failures > 0,
                                .damaged = request->standings[s].damaged,
                                .priority = all->servers->list[s].priority};
        if (choice.until_ms < now_ms)
            choice.until_ms = now_ms;
        int order = n ? compare(&choice, &best) : -1;
        if (order > 0)
            continue;
        if (order < 0)
            n = 0;
        best = choice;
        best_ones[n++] = s;
    }
    *ret_until_ms = best.until_ms;
    if (n == 0)
        return false;

    const struct rank_of of = {
        .key = request->key, .seed = all->servers->seed, .now_ms = now_ms, .sent = all->n_sent};
    struct rank ranks[SERVERS_MAX];
    for (size_t i = 0; i < n; i++)
        ranks[i] = rank_server(all->servers, best_ones[i], &of);
    *ret = best_ones[rank_first(ranks, n)];
    return true;
}

struct attempt *request_attempt(struct request *request)
{
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (request->attempts[i].transfer)
            return &request->attempts[i];
    return NULL;
}
