/* SPDX-License-Identifier: Apache-2.0
 * A cache of epoch orders: all batches of an epoch ask for the same permutation. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the cache holds at the most, beside the one that came last. */
enum { ORDERS_MAX_BYTES = 64 << 20 };

struct orders;
int orders_new(struct orders **ret); /* Errors: -ENOMEM */
void orders_free(struct orders *orders);

/* Whether orders_borrow() would find it ready. */
bool orders_has(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n);

/* order_epoch(seed, epoch, n), to be given back with orders_return(). Errors: -ENOMEM. */
struct order;
int orders_borrow(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n,
                  struct order **ret);
void orders_return(struct order *order);

const uint32_t *order_positions(const struct order *order); /* [n] */
