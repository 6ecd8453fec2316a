/* SPDX-License-Identifier: Apache-2.0
 * What is said of a split: in a few words for the list, and all that can be counted of it. */
#pragma once

#include <jansson.h>

#include "server/samples/catalog.h"

/* An object, owned by the caller; NULL without memory. */
json_t *description_summary(const struct entry *entry);

/* An integer of JSON; NULL without memory. */
json_t *description_integer(uint64_t value);

/* A document, made from json_memory_begin() on, as text from malloc(); `root` is given away, and
 * NULL where there was no memory for it. Errors: -ENOMEM. */
int description_write(json_t *root, char **ret, size_t *ret_size, struct error *why);

/* What can be counted of its samples at positions[0..n), or of all where that is NULL, as a
 * document from malloc(); `words` are those of their view. Errors: -ENOMEM. */
int description_count(const struct entry *entry, const uint32_t *positions, uint64_t n,
                      const char *words, char **ret, size_t *ret_size, struct error *why);

/* The labels of the same as a document, from malloc(). Errors: -ENOMEM. */
int description_labels(const struct entry *entry, const uint32_t *positions, uint64_t n, char **ret,
                       size_t *ret_size, struct error *why);

/* One of the entry's kept texts, made where it was not yet. Errors: -ENOMEM; of rows also
 * entry_vouch(). */
int description_keep(struct entry *entry, enum entry_text text, struct error *why);

/* Make those of all entries that cost little, before they are asked for; where memory lacks, the
 * first who asks is told. */
void description_keep_all(struct catalog *catalog);
