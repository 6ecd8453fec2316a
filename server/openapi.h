/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, for programs: paths, parameters with their ranges, formats and problems as
 * OpenAPI 3.1. */
#pragma once

#include "server/samples/catalog.h"
#include "server/settings.h"

struct openapi {
    const struct catalog *catalog;
    const struct settings *settings;
    const char *base; /* before each path */
};

/* The document (kept_maker) of such a struct. Errors: -ENOMEM. */
int openapi_write(const void *openapi, char **ret, size_t *ret_size, struct error *why);
