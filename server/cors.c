/* SPDX-License-Identifier: Apache-2.0
 * Whether the pages of other sites may read an answer in a browser. */
#include "server/cors.h"

enum { PREFLIGHT_AGE_S = 86400 };

bool cors_applies(const struct request *request)
{
    return request->origin && request->all_origins;
}

bool cors_is_preflight(const struct request *request)
{
    return request->method == METHOD_OPTIONS && request->asked_method && cors_applies(request);
}

void cors_answer_preflight(const char *methods, struct reply *reply)
{
    reply->status = 204;
    reply_add_header(reply, "Access-Control-Allow-Methods", methods);
    reply_add_header(reply, "Access-Control-Allow-Headers",
                     "Authorization, Content-Type, If-None-Match, If-Range, Range");
    reply_set_header(reply, "Access-Control-Max-Age", "%d", PREFLIGHT_AGE_S);
}
