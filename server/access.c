/* SPDX-License-Identifier: Apache-2.0
 * Whether a request is served at all: how much its address has asked for, and whose token it has.
 */
#include "server/access.h"

#include <inttypes.h>
#include <time.h>

#include "server/cors.h"
#include "server/metrics.h"
#include "server/peer.h"
#include "server/problem.h"
#include "server/routes.h"

static const struct {
    const char *setting, *policy, *unit;
} rates[N_RATES] = {
    [RATE_REQUESTS] = {"requests_per_second_per_address", "requests", ""},
    [RATE_BYTES] = {"bytes_per_second_per_address", "bytes", ";qu=\"content-bytes\""},
};

/* RateLimit and RateLimit-Policy are those of draft-ietf-httpapi-ratelimit-headers-10. */
static void refuse_rate(const struct request *request, struct reply *reply,
                        const struct rates_refusal *refusal)
{
    const char *policy = rates[refusal->rate].policy;
    tally_add(METRICS_REJECTED_RATE, 1);
    problem(request, reply, PROBLEM_RATE,
            "this address has asked for more than %s allows; it may again in %u s",
            rates[refusal->rate].setting, refusal->wait_s);
    reply_set_header(reply, "Retry-After", "%u", refusal->wait_s);
    reply_set_header(reply, "RateLimit-Policy", "\"%s\";q=%" PRIu64 "%s;w=%d", policy,
                     refusal->quota, rates[refusal->rate].unit, RATES_WINDOW_S);
    reply_set_header(reply, "RateLimit", "\"%s\";r=0;t=%u", policy, refusal->wait_s);
}

static bool check_rate(const struct request *request, struct reply *reply)
{
    struct rates_refusal refusal;
    if (rates_admit(service_rates(request->service), reply->address, peer_now_ms(), &refusal))
        return true;
    refuse_rate(request, reply, &refusal);
    return false;
}

/* The challenges are those of RFC 6750, 3. */
static const struct {
    enum problem_kind kind;
    const char *detail, *challenge;
} refusals[] = {
    [TOKEN_MISSING] = {PROBLEM_TOKEN_MISSING, "a bearer token is wanted, and there is none",
                       "Bearer realm=\"twonmnist\""},
    [TOKEN_MALFORMED] = {PROBLEM_TOKEN_WRONG, "what the Authorization header holds is no token",
                         "Bearer realm=\"twonmnist\", error=\"invalid_token\""},
    [TOKEN_UNKNOWN] = {PROBLEM_TOKEN_WRONG, "the bearer token is not known here",
                       "Bearer realm=\"twonmnist\", error=\"invalid_token\""},
    [TOKEN_EXPIRED] = {PROBLEM_TOKEN_EXPIRED, "the bearer token has expired",
                       "Bearer realm=\"twonmnist\", error=\"invalid_token\", "
                       "error_description=\"expired\""},
};

static bool check_token(struct request *request, struct reply *reply)
{
    struct tokens *tokens = service_tokens(request->service);
    if (!tokens || routes_is_page(request->path) || cors_is_preflight(request))
        return true;
    enum token_verdict verdict =
        tokens_judge(tokens, request->authorization, time(NULL), request->caller);
    request->by_token = true;
    if (verdict == TOKEN_GOOD)
        return true;
    tally_add(METRICS_REJECTED_TOKEN, 1);
    problem(request, reply, refusals[verdict].kind, "%s", refusals[verdict].detail);
    reply_set_header(reply, "WWW-Authenticate", "%s", refusals[verdict].challenge);
    return false;
}

bool access_check(struct request *request, struct reply *reply)
{
    return request->is_admin || routes_is_open(request->path) ||
           (check_rate(request, reply) && check_token(request, reply));
}

void access_charge(const struct request *request, const struct reply *reply)
{
    if (!reply->head_only && reply->status != 304)
        rates_charge(service_rates(request->service), reply->address, reply->n_bytes,
                     peer_now_ms());
}
