/* SPDX-License-Identifier: Apache-2.0
 * What a request says: what it waits for, and why it gave up. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client/request_state.h"

static int error_at(const struct request *request, size_t s)
{
    const struct standing *standing = &request->standings[s];
    return standing->error ? standing->error : request->all->servers->list[s].error;
}

static const char *reason_at(const struct request *request, size_t s)
{
    const struct standing *standing = &request->standings[s];
    return standing->error ? standing->reason : request->all->servers->list[s].reason;
}

int request_worst_error(const struct request *request)
{
    static const int ranks[] = {-EBADMSG, -ESTALE, -EACCES,    -EMSGSIZE,
                                -ENOENT,  -EPROTO, -ETIMEDOUT, -EHOSTUNREACH};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        for (size_t s = 0; s < request->all->servers->n; s++)
            if (!request->all->servers->list[s].is_absent && error_at(request, s) == ranks[i])
                return ranks[i];
    return -EHOSTUNREACH;
}

void request_sentence(const struct request *request, struct error *ret)
{
    const struct servers *servers = request->all->servers;
    size_t used = (size_t)snprintf(ret->text, sizeof ret->text, "%.256s", request->ask.what);
    if (request->ask.revision && request_worst_error(request) == -ESTALE)
        used += (size_t)snprintf(ret->text + used, sizeof ret->text - used, " at revision %.12s",
                                 request->ask.revision);
    const char *between = ": ";
    for (size_t s = 0; s < servers->n && used < sizeof ret->text; s++)
        if (!servers->list[s].is_absent) {
            used += (size_t)snprintf(ret->text + used, sizeof ret->text - used, "%s%.211s: %s",
                                     between, servers->list[s].label, reason_at(request, s));
            between = "; ";
        }
}

static const char *why_at(const struct request *request, size_t s)
{
    if (request_is_asking(request, s) && !request->all->servers->list[s].failures)
        return "no answer yet";
    return reason_at(request, s);
}

bool request_text(const struct request *request, struct error *ret)
{
    const struct requests *all = request->all;
    uint64_t now = loop_now_ms(all->loop), since = request->patient_since_ms;
    const struct attempt *attempt = request_attempt((struct request *)request);
    if (!request->is_patient && !attempt)
        return false;
    if (attempt && transfer_received(attempt->transfer) > 0)
        return false; /* it arrives */
    if (!request->is_patient)
        since = attempt->sent_ms;
    if (now < since + REQUEST_TEXT_AFTER_MS)
        return false;
    size_t used = (size_t)snprintf(ret->text, sizeof ret->text, "waiting for ");
    const char *between = "";
    for (size_t s = 0; s < all->servers->n && used < sizeof ret->text; s++)
        if (request_can_use(request, s) &&
            (all->servers->list[s].failures || request_is_asking(request, s))) {
            used += (size_t)snprintf(ret->text + used, sizeof ret->text - used, "%s%.211s (%.100s)",
                                     between, all->servers->list[s].label, why_at(request, s));
            between = ", ";
        }
    if (used < sizeof ret->text)
        snprintf(ret->text + used, sizeof ret->text - used, ", %" PRIu64 " s of %" PRIu64,
                 (now - since) / 1000, request->ask.patience_ms / 1000);
    return true;
}
