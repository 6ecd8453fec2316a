/* SPDX-License-Identifier: Apache-2.0
 * What this server is and where to begin, in one short page of Markdown (llms.txt). */
#pragma once

#include "server/samples/catalog.h"

struct llms {
    const struct catalog *catalog;
    const char *url; /* before each path */
};

/* The document (kept_maker) of such a struct. Errors: -ENOMEM. */
int llms_write(const void *llms, char **ret, size_t *ret_size, struct error *why);
