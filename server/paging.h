/* SPDX-License-Identifier: Apache-2.0
 * Which samples a page has: those of a split or of a view, in the order that is asked for. */
#pragma once

#include "server/request.h"
#include "server/samples/rows.h"

/* The next n rows from the offset on, in the order of the split. */
struct rows paging_rows(const struct request *request, uint64_t n);

/* Put them into the order that is asked for, in memory of the reply. Errors: -ENOMEM, and those of
 * reply_alloc() and rows_sort(). */
int paging_find(const struct request *request, struct reply *reply, struct rows *rows,
                struct error *why);

/* What that costs; and what it costs to look at the last events of n samples. */
uint64_t paging_order_us(const struct request *request);
uint64_t paging_scan_us(const struct entry *entry, uint64_t n);
