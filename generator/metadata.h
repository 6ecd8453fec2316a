/* SPDX-License-Identifier: Apache-2.0
 * The strings in a split's header: what it is, what it was made from, and how.
 *
 * The same input gives the same strings, on every machine and on every day. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "common/plan.h"
#include "common/safetensors.h"
#include "generator/listing.h"

/* Where recordings come from. */
#define ORIGIN_RECORDED  "recorded"
#define ORIGIN_SYNTHETIC "synthetic"
#define ORIGIN_PUBLISHED "published-archive"

struct metadata {
    enum part part;
    const char *kind;          /* SPLIT_KIND_… */
    const char *origin;        /* ORIGIN_… */
    const char *source_sha256; /* NULL: none */
    const char *plan, *order;  /* 2NMNIST only, otherwise NULL */
};

enum { METADATA_MAX = 16 };

/* The strings of the header; they borrow from `metadata`. Returns how many. */
size_t metadata_strings(const struct metadata *metadata, struct meta ret[METADATA_MAX]);

/* The generator's edition: another one makes other bytes. */
const char *metadata_generator(void);

/* "published" or the seed, and back. Errors: -EINVAL, why shows it. */
enum { METADATA_PLAN_SIZE = 16 };
void metadata_plan(uint32_t seed, char ret[METADATA_PLAN_SIZE]);
int metadata_parse_plan(const char *text, uint32_t *ret_seed, struct error *why);

/* "time" or "published", and back. */
const char *metadata_order(enum mix_order order);
int metadata_parse_order(const char *text, enum mix_order *ret, struct error *why);
