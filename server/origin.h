/* SPDX-License-Identifier: Apache-2.0
 * Where a client sees this server: what stands before the paths that documents write. */
#pragma once

#include "server/base_path.h"
#include "server/request.h"

enum { ORIGIN_HOST_MAX = 255 };

struct origin {
    char base[BASE_PATH_MAX + 1]; /* before a path on the same host: "" or "/a/b" */
    char
        url[sizeof "https://" + ORIGIN_HOST_MAX + BASE_PATH_MAX]; /* before a path, from anywhere */
};

/* From the request, and from what a proxy says of it where trust_forwarded is set. What is not of
 * the form that it should be is not used; without a Host both are the same. */
void origin_of(const struct request *request, struct origin *ret);
