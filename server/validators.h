/* SPDX-License-Identifier: Apache-2.0
 * What lets caches and clients ask whether an answer has changed (RFC 9110, 8.8 and 13). The answer
 * to a GET is a function of its URL and the split's revision alone. */
#pragma once

#include <stdbool.h>

#include "server/request.h"
#include "server/samples/reply.h"

/* ETag, Cache-Control and Vary of an answer that is no error. */
void validators_set(const struct request *request, struct reply *reply);

/* Whether If-None-Match says that the client has this answer. */
bool validators_match(const struct request *request);

/* Whether If-Range lets a part of this answer be taken. */
bool validators_allow_range(const struct request *request);
