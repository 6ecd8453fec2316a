/* SPDX-License-Identifier: Apache-2.0
 * The splits as a Croissant dataset: what they are, whose, the tables of their samples and their
 * own files with their digests. */
#pragma once

#include "server/samples/catalog.h"

struct croissant {
    struct catalog *catalog;
    const char *url;         /* before each path */
    const bool *is_verified; /* of each entry: the digest of its file is known */
};

/* The document (kept_maker) of such a struct: JSON-LD. A split that is damaged is left out. Errors:
 * -ENOMEM.
 * Source: Croissant Format Specification 1.1 (MLCommons). */
int croissant_write(const void *croissant, char **ret, size_t *ret_size, struct error *why);
