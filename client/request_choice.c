/* SPDX-License-Identifier: Apache-2.0
 * Which server a request asks next. */
#include "client/request_state.h"

/* When the request may ask server s: UINT64_MAX while nobody knows. */
static uint64_t free_at(const struct request *request, size_t s, uint64_t now_ms)
{
    struct requests *all = request->all;
    struct server *server = &all->servers->list[s];
    if (server->is_silent && !server->is_probed && server->rest_until_ms <= now_ms &&
        all->servers->n > 1)
        server->is_probed = probe_start(all->probes, s, ++all->n_sent) == 0;
    uint64_t at = server_free_at(server), own = request->standings[s].rest_until_ms;
    return at > own ? at : own;
}

bool request_can_use(const struct request *request, size_t s)
{
    const struct standing *standing = &request->standings[s];
    return !standing->refused && standing->damaged <= request->all->options->retries;
}

bool request_is_asking(const struct request *request, size_t s)
{
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (request->attempts[i].transfer && request->attempts[i].server == s)
            return true;
    return false;
}

bool request_choose(const struct request *request, uint64_t now_ms, size_t *ret,
                    uint64_t *ret_until_ms)
{
    size_t n = request->all->servers->n;
    uint64_t until = UINT64_MAX;
    unsigned fewest = UINT32_MAX;
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        size_t s = (request->first_at + i) % n;
        if (!request_can_use(request, s) || request_is_asking(request, s))
            continue;
        unsigned damaged = request->standings[s].damaged;
        uint64_t at = free_at(request, s, now_ms);
        at = at > now_ms ? at : now_ms;
        if (!found || at < until || (at == until && damaged < fewest)) {
            found = true;
            until = at;
            fewest = damaged;
            *ret = s;
        }
    }
    *ret_until_ms = until;
    return found;
}

struct attempt *request_other_attempt(struct request *request, const struct attempt *but)
{
    for (int i = 0; i < N_ATTEMPTS; i++)
        if (&request->attempts[i] != but && request->attempts[i].transfer)
            return &request->attempts[i];
    return NULL;
}
