/* SPDX-License-Identifier: Apache-2.0
 * A JSON object that a server sent. The library's one door to jansson. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* What a server says of itself and its splits is some KB. */
enum { DOCUMENT_MAX_BYTES = 4000000 };

struct document;

/* Errors: -EBADMSG no JSON object; -ENOMEM. */
int document_parse(const void *text, size_t size, struct document **ret, struct error *why);
void document_free(struct document *document);

/* The string at `key`, borrowed; NULL where there is none. */
const char *document_text(const struct document *document, const char *key);

/* How many members the array at `key` has; 0 where there is none. */
size_t document_length(const struct document *document, const char *key);

/* The whole number ≥ 0 at `key` of the object at `object`; false where there is none. */
bool document_number_in(const struct document *document, const char *object, const char *key,
                        uint64_t *ret);

/* The whole number ≥ 0 at `key`, and the array of exactly n such numbers; false where there is
 * none. */
bool document_number(const struct document *document, const char *key, uint64_t *ret);
bool document_numbers(const struct document *document, const char *key, size_t n, uint64_t *ret);
