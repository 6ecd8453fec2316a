/* SPDX-License-Identifier: Apache-2.0
 * Rows about samples, without their events: a page of them as JSON, or any number as CSV (RFC 4180)
 * or as lines of JSON. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "server/samples/catalog.h"
#include "server/samples/text.h"

enum rows_style {
    ROWS_PAGE,
    ROWS_CSV,
    ROWS_LINES,
    ROWS_HUB, /* a page as that of Hugging Face's server of datasets, at /rows */
};

struct rows {
    const struct entry *entry;
    const uint32_t *positions; /* where each is in the split; NULL: one behind the other */
    uint64_t first, n;         /* of those positions */
    uint64_t offset, total;    /* what a page says of itself */
};

/* Where row i < n is in the split. */
static inline uint64_t rows_position(const struct rows *rows, uint64_t i)
{
    return rows->positions ? rows->positions[rows->first + i] : rows->first + i;
}

/* Bytes that they take at most. */
uint64_t rows_size(const struct rows *rows, enum rows_style style);

/* Into a text of that size. Errors: entry_vouch(). */
int rows_write(const struct rows *rows, enum rows_style style, struct text *text,
               struct error *why);

/* The same into memory from malloc(). Errors: rows_write(); -ENOMEM. */
int rows_make(const struct rows *rows, enum rows_style style, char **ret, size_t *ret_size,
              struct error *why);

/* Whether all is said of them that there is to say: they name no recordings that are not served. */
bool rows_are_complete(const struct entry *entry);

/* The names of the columns, and what each holds; NULL behind the last. */
const char *rows_column(unsigned column);
const char *rows_column_help(unsigned column);
bool rows_column_is_number(unsigned column); /* else it is text */
bool rows_column_is_list(unsigned column);   /* of numbers, between blanks in CSV */

/* What they can be sorted by; ties go by the place in the split. */
enum rows_sort {
    ROWS_EVENTS,
    ROWS_EVENTS_DOWN,
    ROWS_DURATION,
    ROWS_DURATION_DOWN,
    ROWS_LABEL, /* by the digits that are shown, the least first */
    ROWS_LABEL_DOWN,
};

struct rows_place {
    uint64_t key;
    uint32_t position;
};

/* Sort the samples at positions[0..n), or the first n where that is NULL, into places[n]. Errors:
 * entry_vouch(). */
int rows_sort(const struct entry *entry, const uint32_t *positions, uint64_t n, enum rows_sort sort,
              struct rows_place *places, struct error *why);

/* The largest time among the events of sample i, 0 where it has none. Errors: entry_vouch(). */
int rows_duration_us(const struct entry *entry, uint64_t i, uint32_t *ret, struct error *why);
