/* SPDX-License-Identifier: Apache-2.0
 * The route table, and the way of a request through it. */
#include "server/routes.h"

#include <string.h>

#include "server/arguments.h"
#include "server/cors.h"
#include "server/damage.h"
#include "server/digest.h"
#include "server/pictured.h"
#include "server/problem.h"
#include "server/route.h"
#include "server/samples/cost.h"
#include "server/validators.h"

/* From here on the hand-over to a worker costs less than it keeps others waiting. */
enum { HEAVY_US = 180 };

#define GET  METHOD_BIT(METHOD_GET)
#define POST METHOD_BIT(METHOD_POST)

#define JSON        FORMAT_BIT(FORMAT_JSON)
#define NPY         FORMAT_BIT(FORMAT_NPY)
#define SAFETENSORS FORMAT_BIT(FORMAT_SAFETENSORS)
#define PNG         FORMAT_BIT(FORMAT_PNG)
#define CSV         FORMAT_BIT(FORMAT_CSV)
#define JSONL       FORMAT_BIT(FORMAT_JSONL)
#define JSONLD      FORMAT_BIT(FORMAT_JSONLD)
#define TXT         FORMAT_BIT(FORMAT_TXT)
#define METRICS     FORMAT_BIT(FORMAT_METRICS)
#define TAR         FORMAT_BIT(FORMAT_TAR)
#define HTML        FORMAT_BIT(FORMAT_HTML)
#define PARTS       (FORMAT_BIT(FORMAT_CSS) | FORMAT_BIT(FORMAT_JS) | FORMAT_BIT(FORMAT_SVG))

/* All that stand before those of pages: what shapes a sample's bytes. */
#define FORM (PARAM_BIT(PARAM_OFFSET) - 1)
#define ROWS                                                                     \
    (PARAM_BIT(PARAM_OFFSET) | PARAM_BIT(PARAM_LENGTH) | PARAM_BIT(PARAM_SORT) | \
     PARAM_BIT(PARAM_SEED))
#define HUB   (PARAM_BIT(PARAM_DATASET) | PARAM_BIT(PARAM_CONFIG))
#define RANK  (PARAM_BIT(PARAM_SIZE) | PARAM_BIT(PARAM_RANK) | PARAM_BIT(PARAM_WORLD))
#define EPOCH (RANK | PARAM_BIT(PARAM_LAST))
#define VIEW  ARGUMENTS_VIEW
#define SHARD (FORM | VIEW | PARAM_BIT(PARAM_PER_SHARD) | PARAM_BIT(PARAM_MEMBER))

#define PICTURE ARGUMENTS_PICTURE
#define SHEET   (ARGUMENTS_FILTERS | PARAM_BIT(PARAM_ORDER) | PARAM_BIT(PARAM_SCALE))

/* clang-format off */
const struct route routes[] = {
    {"/", GET, HTML | JSON, SERVES_PAGE, 0, check_root, handle_root, "the web page; or where the paths are"},
    {"/viewer/{file}", GET, PARTS, SERVES_PAGE, 0, check_viewer, handle_viewer, "what the web page is made of"},
    {"/healthz",  GET, JSON, SERVES_HEALTH, 0, NULL, handle_healthz, "whether the daemon lives"},
    {"/readyz",   GET, JSON, SERVES_HEALTH, 0, NULL, handle_readyz,  "whether the splits can be served"},
    {"/metrics",  GET, METRICS, SERVES_METRICS, 0, NULL, handle_metrics, "what was counted, for Prometheus; at admin_listen, or for a token"},
    {"/openapi",  GET, JSON, SERVES_DOCUMENT, 0, check_openapi, handle_openapi, "all paths and parameters, as OpenAPI 3.1"},
    {"/croissant", GET, JSON | JSONLD, SERVES_DOCUMENT, 0, check_croissant, handle_croissant, "the dataset, as Croissant 1.1"},
    {"/llms",     GET, TXT, SERVES_DOCUMENT, 0, check_llms, handle_llms, "what this is and where to begin, as Markdown"},
    {"/splits",   GET, JSON, SERVES_DOCUMENT, PARAM_BIT(PARAM_DATASET), NULL, handle_names, "the splits' names, as Hugging Face's server of datasets has them"},
    {"/rows",     GET, JSON, SERVES_DOCUMENT, HUB | PARAM_BIT(PARAM_SPLIT) | PARAM_BIT(PARAM_OFFSET) | PARAM_BIT(PARAM_LENGTH), check_rows, handle_rows, "a page of rows about samples, as that has them"},
    {"/v1/splits", GET, JSON, SERVES_DOCUMENT, 0, check_splits, handle_splits, "the splits and the limits"},
    {"/v1/splits/{split}", GET, JSON | SAFETENSORS, SERVES_DOCUMENT, 0, check_split, handle_split, "one split, described; or its whole file"},
    {"/v1/splits/{split}/labels", GET, JSON | NPY, SERVES_DOCUMENT, VIEW, check_labels, handle_labels, "all labels, multi-hot"},
    {"/v1/splits/{split}/statistics", GET, JSON, SERVES_DOCUMENT, VIEW, check_statistics, handle_statistics, "what can be counted of the samples: labels, labels together, events"},
    {"/v1/splits/{split}/indices", GET, JSON | NPY, SERVES_DOCUMENT, VIEW, check_indices, handle_indices, "where the samples of a view are in the split, ascending"},
    {"/v1/splits/{split}/samples", GET, JSON | CSV | JSONL | PNG, SERVES_DOCUMENT, ROWS | VIEW | SHEET, check_rows, handle_rows, "rows about samples, without events: a page in JSON, as a table all of them; or a contact sheet of the page"},
    {"/v1/splits/{split}/samples/{i}", GET, 0, SERVES_SAMPLE, FORM | PICTURE, check_sample, handle_sample, "one sample"},
    {"/v1/splits/{split}/batch", GET | POST, 0, SERVES_BATCH, FORM | PARAM_BIT(PARAM_INDICES) | PARAM_BIT(PARAM_SCALE), check_batch, handle_batch, "these samples"},
    {"/v1/splits/{split}/epochs/{order_seed}/{epoch}/batches/{k}", GET, 0, SERVES_BATCH, FORM | EPOCH | VIEW | PARAM_BIT(PARAM_SCALE), check_epoch_batch, handle_epoch_batch, "a training batch of an epoch"},
    {"/v1/splits/{split}/shards", GET, JSON, SERVES_SHARDS, SHARD, check_shards, handle_shards, "the split, or a view, as WebDataset shards: their names, sizes and digests"},
    {"/v1/splits/{split}/shards/{shard}", GET, TAR, SERVES_SHARDS, SHARD, check_shard, handle_shard, "one shard: a tar archive of samples in any form that a file can have, and what is known of each"},
    {"/v1/sources/{source}/samples", GET, JSON | CSV | JSONL | PNG, SERVES_DOCUMENT, ROWS | VIEW | SHEET, check_rows, handle_rows, "rows about recordings, as those about samples"},
    {"/v1/sources/{source}/samples/{i}", GET, 0, SERVES_SAMPLE, FORM | PICTURE, check_sample, handle_sample, "one recording"},
    {"/v1/mix/{source}/{recordings}", GET, 0, SERVES_SAMPLE, FORM | PICTURE, check_mix, handle_mix, "these recordings, mixed now"},
    {"/v1/pairs/{source}/{seed}/{index}", GET, 0, SERVES_SAMPLE, FORM | PICTURE, check_pair, handle_pair, "a fresh pair"},
    {"/v1/pairs/{source}/{seed}/batches/{k}", GET, 0, SERVES_BATCH, FORM | RANK | PARAM_BIT(PARAM_SCALE), check_pair_batch, handle_pair_batch, "a batch of fresh pairs"},
};
/* clang-format on */

const unsigned n_routes = sizeof routes / sizeof *routes;

unsigned route_formats(const struct route *route)
{
    switch (route->serves) {
    case SERVES_PAGE:
    case SERVES_DOCUMENT:
    case SERVES_SHARDS:
    case SERVES_HEALTH:
    case SERVES_METRICS:
        return route->formats;
    case SERVES_SAMPLE:
        return format_of_samples();
    case SERVES_BATCH:
        return format_of_batches();
    }
    return 0;
}

static bool check_url(struct request *request, struct reply *reply)
{
    size_t longest = service_settings(request->service)->max_url_bytes, n = strlen(request->url);
    if (n > longest)
        problem_number(request, reply, PROBLEM_URL_TOO_LONG, "limit", longest,
                       "the URL has %zu bytes; max_url_bytes is %zu", n, longest);
    return n <= longest;
}

/* The extension, from its dot on; NULL: there is none. */
static const char *extension_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strrchr(slash, '.') : NULL;
}

/* Health is told everywhere; where metrics are, nothing else is. */
static bool is_there(const struct route *route, const struct request *request)
{
    if (route->serves == SERVES_HEALTH)
        return true;
    return request->is_admin ? route->serves == SERVES_METRICS
                             : route->serves != SERVES_METRICS || request->caller[0];
}

static bool find_route(struct request *request, struct reply *reply, const char *end,
                       struct match *ret)
{
    for (unsigned i = 0; i < n_routes; i++)
        if (is_there(&routes[i], request) &&
            pattern_matches(routes[i].pattern, request->path, end, ret)) {
            request->route = &routes[i];
            return true;
        }
    problem(request, reply, PROBLEM_NO_SUCH_PATH, "%s",
            request->is_admin ? "this address has /healthz, /readyz and /metrics"
                              : "the paths start at /v1/splits");
    return false;
}

/* Whether the path is one of the routes that serve that. */
static bool is_among(const char *path, int serves)
{
    struct match match;
    const char *dot = extension_of(path), *end = dot ? dot : path + strlen(path);
    for (unsigned i = 0; i < n_routes; i++)
        if ((int)routes[i].serves == serves &&
            pattern_matches(routes[i].pattern, path, end, &match))
            return true;
    return false;
}

bool routes_is_open(const char *path)
{
    return is_among(path, SERVES_HEALTH);
}

bool routes_is_page(const char *path)
{
    return is_among(path, SERVES_PAGE);
}

static const char *methods_of(const struct route *route)
{
    return route->methods & POST ? "GET, HEAD, POST" : "GET, HEAD";
}

static bool check_method(struct request *request, struct reply *reply)
{
    if (cors_is_preflight(request)) {
        cors_answer_preflight(methods_of(request->route), reply);
        return false;
    }
    enum request_method method = request->method == METHOD_HEAD ? METHOD_GET : request->method;
    if (request->route->methods & METHOD_BIT(method))
        return true;
    const char *allow = methods_of(request->route);
    problem(request, reply, PROBLEM_METHOD, "this path takes %s", allow);
    reply_set_header(reply, "Allow", "%s", allow);
    return false;
}

static bool check_format(struct request *request, struct reply *reply, const char *extension)
{
    unsigned formats = route_formats(request->route);
    request->negotiated = !extension;
    request->format = extension ? format_by_extension(extension, strlen(extension))
                                : format_negotiate(formats, request->accept);
    if (request->format < N_FORMATS && (formats & FORMAT_BIT(request->format)))
        return true;
    char list[FORMAT_LIST_SIZE];
    format_list(formats, list);
    problem(request, reply, PROBLEM_NOT_ACCEPTABLE, "this path has the formats %s", list);
    return false;
}

/* What the path has, but not in this form. */
static bool check_form_format(struct request *request, struct reply *reply)
{
    const struct route *route = request->route;
    if (route->serves != SERVES_SAMPLE && route->serves != SERVES_BATCH)
        return true;
    unsigned formats = route_formats(route) & format_of_form(&request->form);
    if (request->negotiated && !(formats & FORMAT_BIT(request->format)))
        request->format = format_negotiate(formats, request->accept);
    if (request->format < N_FORMATS && (formats & FORMAT_BIT(request->format)))
        return true;
    char list[FORMAT_LIST_SIZE];
    format_list(formats, list);
    problem(request, reply, PROBLEM_NOT_ACCEPTABLE, "in this form samples come here as %s", list);
    return false;
}

/* The answer to a client that has it already. It may say no other length than the whole answer's,
 * and where it says none the connection ends with it: what a HEAD would tell is asked for. */
static void answer_unchanged(struct request *request, struct reply *reply)
{
    bool head_only = reply->head_only;
    reply->head_only = true;
    request->range = NULL;
    request->route->handle(request, reply);
    uint64_t n_bytes = reply->status >= 400 || reply->unknown_length ? 0 : reply->n_bytes;
    reply_reset(reply);
    reply->head_only = head_only;
    reply->n_bytes = n_bytes;
    reply->status = 304;
    validators_set(request, reply);
}

static bool is_changed(struct request *request, struct reply *reply)
{
    if (!validators_match(request))
        return true;
    answer_unchanged(request, reply);
    return false;
}

static bool check_there(struct request *request, struct reply *reply)
{
    return !request->route->check || request->route->check(request, reply);
}

/* Take the view that is asked for, if it is ready. Making it may be too long for a loop. */
static void find_view(struct request *request)
{
    if (!request->rule.given)
        return;
    request->view = views_find(service_views(request->service), request->entry, &request->rule);
    request->awaits_view = !request->view;
}

/* Without its view the request is about the whole split for now: what that costs is the most that
 * it can, and what is wrong with it is told when the view is there. */
static bool check_without_view(struct request *request, struct reply *reply)
{
    if (!check_there(request, reply))
        reply_reset(reply);
    request->cost_us += cost_view_us(split_n_samples(request->entry->split));
    return true;
}

/* Make the view, and check what had to wait for it. */
static bool await_view(struct request *request, struct reply *reply)
{
    struct error why;
    int r = views_borrow(service_views(request->service), request->entry, &request->rule,
                         &request->view, &why);
    if (r < 0) {
        problem_error(request, reply, r, &why);
        return false;
    }
    request->awaits_view = false;
    return check_there(request, reply) && is_changed(request, reply);
}

static bool check_view(struct request *request, struct reply *reply)
{
    find_view(request);
    return request->awaits_view ? check_without_view(request, reply)
                                : check_there(request, reply) && is_changed(request, reply);
}

bool routes_prepare(struct request *request, struct reply *reply)
{
    const char *dot = extension_of(request->path);
    const char *end = dot ? dot : request->path + strlen(request->path);
    struct match match;
    return check_url(request, reply) && find_route(request, reply, end, &match) &&
           check_method(request, reply) && check_format(request, reply, dot ? dot + 1 : NULL) &&
           arguments_read(request, reply, request->route->params, &match) &&
           check_form_format(request, reply) && pictured_check(request, reply) &&
           check_view(request, reply);
}

uint64_t routes_cost_us(const struct request *request)
{
    return request->cost_us;
}

bool routes_is_heavy(const struct request *request)
{
    return routes_cost_us(request) >= HEAVY_US;
}

/* From here on the answer is only true while the files behind it stay what they are. */
static void watch(const struct entry *entry, struct reply *reply)
{
    if (!entry)
        return;
    reply_watch(reply, &entry->holding->damaged, entry->split);
    if (entry->source)
        reply_watch(reply, &entry->source->holding->damaged, entry->source->split);
}

/* Bytes that leave as they lie in the file have the digest that was kept of them, which tells when
 * they have changed. Those that were made of them have one of their own, right whatever they are,
 * so it is certain for each such answer that the file is what it was. */
static void check_files(const struct entry *entry, const struct reply *reply)
{
    if (reply->n_owned > 0)
        entry_check(entry);
    else
        entry_glance(entry);
}

void routes_run(struct request *request, struct reply *reply)
{
    watch(request->entry, reply);
    if (request->awaits_view && !await_view(request, reply))
        return;
    request->route->handle(request, reply);
    watch(request->entry, reply); /* a problem has let go of it */
    if (request->entry)
        check_files(request->entry, reply);
    if (reply_is_damaged(reply)) {
        damage_tell(request->entry, NULL);
        if (reply->status < 500) /* else it was said already, perhaps in what */
            problem(request, reply, PROBLEM_SPLIT_DAMAGED, "split %s is damaged",
                    request->entry->name);
    }
    if (reply->status >= 400)
        return;
    if (reply->status == 0)
        reply->status = 200;
    digest_set_crc32c(reply);
    reply_add_header(reply, "Content-Type", format_rows[request->format].media_type);
    validators_set(request, reply);
}

bool routes_is_cold(const struct request *request)
{
    return request->entry && entry_is_cold(request->entry);
}

void routes_await(const struct request *request, const struct reply *reply)
{
    if (!reply->head_only && routes_is_cold(request))
        reply_await(reply);
}
