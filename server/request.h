/* SPDX-License-Identifier: Apache-2.0
 * One request: what came over the wire, and what the route table made of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/number.h"
#include "server/format.h"
#include "server/param.h"
#include "server/samples/catalog.h"
#include "server/samples/views.h"
#include "server/service.h"

enum request_method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OPTIONS, METHOD_OTHER };

enum { REQUEST_MAX_QUERY = 32 };

struct request {
    struct service *service;
    struct catalog *catalog; /* a reference for the request's time */

    bool is_admin; /* came in at admin_listen */
    bool is_tls;
    bool all_origins; /* pages of all sites may read its answer */

    /* as it came; header values are NULL where absent */
    enum request_method method;
    const char *url; /* raw, for messages */
    const char *path;
    struct {
        const char *name, *value;
    } query[REQUEST_MAX_QUERY];
    unsigned n_query; /* may count more than were kept */
    const char *accept, *if_none_match, *range, *if_range, *authorization;
    const char *accept_encoding;
    const char *host, *forwarded_host, *forwarded_proto, *forwarded_prefix;
    const char *origin, *asked_method; /* of CORS */
    const char *body;
    size_t body_size;

    /* checked */
    char caller[TOKENS_NAME_SIZE]; /* name of the token that was shown; "" without one */
    bool by_token;                 /* nobody gets this answer without one */
    const struct route *route;
    enum format format;
    bool negotiated; /* by Accept, not by extension */
    bool pinned;     /* the revision stands in the URL */
    struct entry *entry;
    uint64_t given;    /* PARAM_BIT of those in the URL */
    const char *split; /* the parameter; NULL where it is not given */
    uint64_t params[N_PARAMS];
    uint64_t variables[N_VARIABLES];
    struct numbers numbers; /* indices, or recordings */
    struct form form;
    struct view_rule rule; /* of the part of the split that is asked for */
    struct view *view;     /* a reference for the request's time; NULL: all of the split, or */
    bool awaits_view;      /* it has to be made first */
    const char *tag;       /* of an answer that is of no split, and may be kept; or NULL */
    uint64_t cost_us;      /* of making the answer */
    bool codable;          /* the answer is kept as gzip, too */
    bool coded;            /* and the client takes it so */
    const char *variant;   /* tells it from what the same revision gives elsewhere, or NULL */
};

static inline bool request_gave(const struct request *request, enum param param)
{
    return request->given & PARAM_BIT(param);
}

/* How many samples are asked about; and where the i-th of them is in the split. */
static inline uint64_t request_n_samples(const struct request *request)
{
    return request->view ? request->view->n : split_n_samples(request->entry->split);
}

static inline uint64_t request_position(const struct request *request, uint64_t i)
{
    return request->view ? request->view->positions[i] : i;
}

/* Those of the page that is asked for, as far as there are any. */
static inline uint64_t request_page_length(const struct request *request)
{
    uint64_t n = request_n_samples(request);
    uint64_t offset = request->params[PARAM_OFFSET], length = request->params[PARAM_LENGTH];
    if (offset >= n)
        return 0;
    return n - offset < length ? n - offset : length;
}
