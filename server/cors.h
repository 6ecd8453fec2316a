/* SPDX-License-Identifier: Apache-2.0
 * Whether the pages of other sites may read an answer in a browser (Fetch, 3.2: CORS). */
#pragma once

#include <stdbool.h>

#include "server/request.h"
#include "server/samples/reply.h"

/* Whether the answer to this request does: it comes from such a page. */
bool cors_applies(const struct request *request);

/* Whether a browser asks what it may ask; `methods` are those of the path ("GET, HEAD"). */
bool cors_is_preflight(const struct request *request);
void cors_answer_preflight(const char *methods, struct reply *reply);
