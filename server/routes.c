/* SPDX-License-Identifier: Apache-2.0
 * The route table, and the way of a request through it. */
#include "server/routes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/body.h"
#include "server/handlers.h"
#include "server/problem.h"

/* From here on the hand-over to a worker costs less than it keeps others waiting. */
enum { HEAVY_US = 180 };

enum { MAX_CAPTURES = 4, ETAG_SIZE = 48, ETAG_REVISION = 16 };

#define GET  METHOD_BIT(METHOD_GET)
#define POST METHOD_BIT(METHOD_POST)

#define JSON        FORMAT_BIT(FORMAT_JSON)
#define SAFETENSORS FORMAT_BIT(FORMAT_SAFETENSORS)
#define SAMPLE      (JSON | FORMAT_BIT(FORMAT_BIN) | FORMAT_BIT(FORMAT_NPY))
#define BATCH       (JSON | SAFETENSORS)

#define FRAMES                                                                     \
    (PARAM_BIT(PARAM_BINS) | PARAM_BIT(PARAM_BINNING) | PARAM_BIT(PARAM_OVERLAP) | \
     PARAM_BIT(PARAM_AXES))
#define EVENTS (PARAM_BIT(PARAM_ORDER) | PARAM_BIT(PARAM_TIMESTEP) | PARAM_BIT(PARAM_AS) | FRAMES)
#define PAGE   (PARAM_BIT(PARAM_OFFSET) | PARAM_BIT(PARAM_LENGTH))
#define SHARE  (PARAM_BIT(PARAM_SIZE) | PARAM_BIT(PARAM_RANK) | PARAM_BIT(PARAM_WORLD))

#define EPOCH "/v1/splits/{split}/epochs/{order_seed}/{epoch}/batches/{k}"

/* clang-format off */
const struct route routes[] = {
    {"/healthz",  GET, JSON, 0, handle_healthz, NULL, "whether the daemon lives"},
    {"/readyz",   GET, JSON, 0, handle_readyz,  NULL, "whether the splits can be served"},
    {"/v1/splits", GET, JSON, 0, handle_splits, NULL, "the splits and the limits"},
    {"/v1/splits/{split}", GET, JSON | SAFETENSORS, 0, handle_split, weigh_split, "one split, described; or its whole file"},
    {"/v1/splits/{split}/labels", GET, JSON | FORMAT_BIT(FORMAT_NPY), 0, handle_labels, weigh_split, "all labels, multi-hot"},
    {"/v1/splits/{split}/samples", GET, JSON, PAGE, handle_rows, weigh_rows, "a page of rows, without events"},
    {"/v1/splits/{split}/samples/{i}", GET, SAMPLE, EVENTS, handle_sample, weigh_sample, "one sample"},
    {"/v1/splits/{split}/batch", GET | POST, BATCH, EVENTS | PARAM_BIT(PARAM_INDICES), handle_batch, weigh_batch, "these samples"},
    {EPOCH, GET, BATCH, EVENTS | SHARE | PARAM_BIT(PARAM_LAST), handle_epoch_batch, weigh_epoch_batch, "a training batch of an epoch"},
    {"/v1/sources/{source}/samples", GET, JSON, PAGE, handle_rows, weigh_rows, "a page of recordings, without events"},
    {"/v1/sources/{source}/samples/{i}", GET, SAMPLE, EVENTS, handle_sample, weigh_sample, "one recording"},
    {"/v1/mix/{source}/{recordings}", GET, SAMPLE, EVENTS, handle_mix, weigh_sample, "these recordings, mixed now"},
    {"/v1/pairs/{source}/{seed}/{index}", GET, SAMPLE, EVENTS, handle_pair, weigh_sample, "a fresh pair"},
    {"/v1/pairs/{source}/{seed}/batches/{k}", GET, BATCH, EVENTS | SHARE, handle_pair_batch, weigh_pair_batch, "a batch of fresh pairs"},
};
/* clang-format on */

const unsigned n_routes = sizeof routes / sizeof *routes;

/* The variable parts of a path that matched. */
struct match {
    unsigned n;
    struct {
        enum place place;
        const char *at;
        size_t n;
    } captures[MAX_CAPTURES];
};

static enum place place_find(const char *name, size_t n)
{
    enum place place = 0;
    while (place < N_PLACES &&
           (strlen(place_rows[place].name) != n || memcmp(place_rows[place].name, name, n) != 0))
        place++;
    return place;
}

/* Whether [path, end) is of the pattern's form. */
static bool pattern_matches(const char *pattern, const char *path, const char *end,
                            struct match *ret)
{
    ret->n = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (path == end || *path++ != *pattern++)
                return false;
            continue;
        }
        const char *close = strchr(pattern, '}'), *stop = path;
        while (stop < end && *stop != '/')
            stop++;
        if (stop == path)
            return false;
        ret->captures[ret->n].place = place_find(pattern + 1, (size_t)(close - pattern - 1));
        ret->captures[ret->n].at = path;
        ret->captures[ret->n++].n = (size_t)(stop - path);
        path = stop;
        pattern = close + 1;
    }
    return path == end;
}

static bool find_route(struct request *request, const char *end, struct match *ret)
{
    for (unsigned i = 0; i < n_routes; i++)
        if (pattern_matches(routes[i].pattern, request->path, end, ret)) {
            request->route = &routes[i];
            return true;
        }
    return false;
}

static bool check_method(struct request *request, struct reply *reply)
{
    enum request_method method = request->method == METHOD_HEAD ? METHOD_GET : request->method;
    if (request->route->methods & METHOD_BIT(method))
        return true;
    const char *allow = request->route->methods & POST ? "GET, HEAD, POST" : "GET, HEAD";
    problem(reply, request, PROBLEM_METHOD, "this path takes %s", allow);
    reply_set_header(reply, "Allow", "%s", allow);
    return false;
}

static bool check_format(struct request *request, struct reply *reply, const char *extension)
{
    unsigned formats = request->route->formats;
    request->negotiated = !extension;
    request->format = extension ? format_by_extension(extension, strlen(extension))
                                : format_negotiate(formats, request->accept);
    if (request->format < N_FORMATS && (formats & FORMAT_BIT(request->format)))
        return true;
    char list[FORMAT_LIST_SIZE];
    format_list(formats, list);
    problem(reply, request, PROBLEM_NOT_ACCEPTABLE, "this path has the formats %s", list);
    return false;
}

/* -E2BIG is about a limit, all else about the parameter. */
static void parameter_problem(struct request *request, struct reply *reply, int r,
                              const struct error *why)
{
    problem(reply, request, r == -E2BIG ? PROBLEM_TOO_LARGE : PROBLEM_BAD_PARAMETER, "%s",
            why->text);
}

static bool read_numbers(struct request *request, struct reply *reply, const char *name,
                         const char *text, size_t n)
{
    struct error why;
    size_t most = service_settings(request->service)->max_batch_size;
    int r = param_numbers(name, text, n, most, INT32_MAX, &request->numbers, &why);
    if (r < 0)
        parameter_problem(request, reply, r, &why);
    return r == 0;
}

static bool read_param(struct request *request, struct reply *reply, const char *name,
                       const char *value)
{
    enum param param = param_find(name);
    struct error why;
    if (param == N_PARAMS || !(request->route->params & PARAM_BIT(param))) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "this path takes no parameter \"%.40s\"",
                name);
        return false;
    }
    if (request->given & PARAM_BIT(param)) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "%s is given twice", name);
        return false;
    }
    request->given |= PARAM_BIT(param);
    if (param_rows[param].kind == PARAM_NUMBERS)
        return read_numbers(request, reply, name, value, strlen(value));
    int r = param_value(param, value, &request->params[param], &why);
    if (r < 0)
        parameter_problem(request, reply, r, &why);
    return r == 0;
}

static bool read_params(struct request *request, struct reply *reply)
{
    for (enum param param = 0; param < N_PARAMS; param++)
        request->params[param] = param_rows[param].standard;
    if (request->n_query > REQUEST_MAX_QUERY) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "more than %d parameters",
                REQUEST_MAX_QUERY);
        return false;
    }
    for (unsigned i = 0; i < request->n_query; i++)
        if (!read_param(request, reply, request->query[i].name, request->query[i].value))
            return false;
    if (request->params[PARAM_AS] != AS_FRAMES && (request->given & FRAMES)) {
        problem(reply, request, PROBLEM_BAD_PARAMETER,
                "bins, binning, overlap and axes go with as=frames");
        return false;
    }
    return true;
}

static bool is_revision(const char *text, size_t n)
{
    return n >= CATALOG_REVISION_MIN && n <= SHA256_HEX && strspn(text, "0123456789abcdef") >= n;
}

static bool find_entry(struct request *request, struct reply *reply, const char *text, size_t n,
                       bool must_be_source)
{
    const char *at = memchr(text, '@', n);
    size_t n_name = at ? (size_t)(at - text) : n, n_revision = at ? n - n_name - 1 : 0;
    int shown = (int)(n_name < CATALOG_NAME_MAX ? n_name : CATALOG_NAME_MAX);
    struct entry *entry = catalog_find(request->catalog, text, n_name);
    if (!entry)
        problem(reply, request, PROBLEM_NO_SUCH_SPLIT, "there is no split \"%.*s\"", shown, text);
    else if (must_be_source && !entry->is_source)
        problem(reply, request, PROBLEM_NO_SUCH_SPLIT, "%s is not a source split", entry->name);
    else if (at && !is_revision(at + 1, n_revision))
        problem(reply, request, PROBLEM_BAD_PARAMETER,
                "a revision is %d to %d lower-case hexadecimal digits", CATALOG_REVISION_MIN,
                SHA256_HEX);
    else if (at && memcmp(at + 1, entry->revision, n_revision) != 0)
        problem(reply, request, PROBLEM_NO_SUCH_REVISION, "split %s is loaded at revision %s",
                entry->name, entry->revision);
    else if (entry->damaged)
        problem(reply, request, PROBLEM_SPLIT_DAMAGED, "split %s is damaged", entry->name);
    else {
        request->entry = entry;
        request->pinned = at != NULL;
        return true;
    }
    return false;
}

static bool read_places(struct request *request, struct reply *reply, const struct match *match)
{
    for (unsigned i = 0; i < match->n; i++) {
        enum place place = match->captures[i].place;
        const struct place_row *row = &place_rows[place];
        const char *at = match->captures[i].at;
        size_t n = match->captures[i].n;
        if (row->kind == PLACE_NAME) {
            if (!find_entry(request, reply, at, n, place == PLACE_SOURCE))
                return false;
        } else if (row->kind == PLACE_NUMBERS) {
            if (!read_numbers(request, reply, row->name, at, n))
                return false;
        } else {
            struct error why;
            int r = param_number(row->name, at, n, 0, row->max, &request->places[place], &why);
            if (r < 0) {
                parameter_problem(request, reply, r, &why);
                return false;
            }
        }
    }
    return true;
}

static bool read_body(struct request *request, struct reply *reply)
{
    if (request->method != METHOD_POST)
        return true;
    if (request_gave(request, PARAM_INDICES)) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "indices stand in the URL and in the body");
        return false;
    }
    struct error why;
    int r =
        body_indices(request->body, request->body_size,
                     service_settings(request->service)->max_batch_size, &request->numbers, &why);
    if (r < 0)
        problem(reply, request, r == -E2BIG ? PROBLEM_TOO_LARGE : PROBLEM_BAD_BODY, "%s", why.text);
    else
        request->given |= PARAM_BIT(PARAM_INDICES);
    return r == 0;
}

static void etag_of(const struct request *request, char ret[ETAG_SIZE])
{
    snprintf(ret, ETAG_SIZE, "\"%.*s.%s\"", ETAG_REVISION, request->entry->revision,
             format_rows[request->format].extension);
}

static void set_validators(const struct request *request, struct reply *reply)
{
    char etag[ETAG_SIZE];
    if (request->entry) {
        etag_of(request, etag);
        reply_set_header(reply, "ETag", "%s", etag);
    }
    reply_set_header(reply, "Cache-Control",
                     request->pinned ? "public, max-age=31536000, immutable" : "no-cache");
    if (request->negotiated)
        reply_set_header(reply, "Vary", "Accept");
}

static bool is_unchanged(const struct request *request, struct reply *reply)
{
    if (!request->entry || !request->if_none_match || request->method == METHOD_POST)
        return false;
    char etag[ETAG_SIZE];
    etag_of(request, etag);
    if (strcmp(request->if_none_match, "*") != 0 && !strstr(request->if_none_match, etag))
        return false;
    reply->status = 304;
    set_validators(request, reply);
    return true;
}

bool routes_prepare(struct request *request, struct reply *reply)
{
    const char *slash = strrchr(request->path, '/');
    const char *dot = slash ? strrchr(slash, '.') : NULL;
    const char *end = dot ? dot : request->path + strlen(request->path);
    size_t longest = service_settings(request->service)->max_url_bytes;
    struct match match;
    if (strlen(request->url) > longest) {
        problem_number(reply, request, PROBLEM_URL_TOO_LONG, "limit", longest,
                       "the URL has %zu bytes; max_url_bytes is %zu", strlen(request->url),
                       longest);
        return false;
    }
    if (!find_route(request, end, &match)) {
        problem(reply, request, PROBLEM_NO_SUCH_PATH, "the paths start at /v1/splits");
        return false;
    }
    return check_method(request, reply) && check_format(request, reply, dot ? dot + 1 : NULL) &&
           read_params(request, reply) && read_places(request, reply, &match) &&
           read_body(request, reply) && !is_unchanged(request, reply);
}

bool routes_is_heavy(const struct request *request)
{
    return request->route->weight_us && request->route->weight_us(request) >= HEAVY_US;
}

void routes_run(struct request *request, struct reply *reply)
{
    request->route->handle(request, reply);
    const struct entry *entry = request->entry;
    if (entry && (entry->damaged || (entry->source && entry->source->damaged)) &&
        reply->status != 500)
        problem(reply, request, PROBLEM_SPLIT_DAMAGED, "split %s is damaged", entry->name);
    if (reply->status >= 400)
        return;
    if (reply->status == 0)
        reply->status = 200;
    reply_set_header(reply, "Content-Type", "%s", format_rows[request->format].media_type);
    set_validators(request, reply);
}
