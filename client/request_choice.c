/* SPDX-License-Identifier: Apache-2.0
 * Which server a request asks next. */
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
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (request->attempts[i].transfer && request->attempts[i].server == s)
            return true;
    return false;
}

/* What speaks for a server: that it can be asked soon, has not failed this request, is before
 * others by its SRV record, has little to do for us; in this order. */
struct choice {
    uint64_t until_ms;
    unsigned damaged, priority, under_way;
};

static bool is_better(const struct choice *a, const struct choice *b)
{
    if (a->until_ms != b->until_ms)
        return a->until_ms < b->until_ms;
    if (a->damaged != b->damaged)
        return a->damaged < b->damaged;
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->under_way < b->under_way;
}

bool request_choose(const struct request *request, uint64_t now_ms, size_t *ret,
                    uint64_t *ret_until_ms)
{
    size_t n = request->all->servers->n;
    struct choice best = {.until_ms = UINT64_MAX};
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        size_t s = (request->first_at + i) % n;
        if (!request_can_use(request, s) || request_is_asking(request, s))
            continue;
        struct choice choice = {.until_ms = free_at(request, s, now_ms),
                                .damaged = request->standings[s].damaged,
                                .priority = request->all->servers->list[s].priority,
                                .under_way = request->all->servers->list[s].n_under_way};
        if (choice.until_ms < now_ms)
            choice.until_ms = now_ms;
        if (!found || is_better(&choice, &best)) {
            found = true;
            best = choice;
            *ret = s;
        }
    }
    *ret_until_ms = best.until_ms;
    return found;
}

struct attempt *request_other_attempt(struct request *request, const struct attempt *but)
{
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (&request->attempts[i] != but && request->attempts[i].transfer)
            return &request->attempts[i];
    return NULL;
}
