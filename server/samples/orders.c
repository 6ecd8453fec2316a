/* SPDX-License-Identifier: Apache-2.0
 * A cache of epoch orders: all batches of an epoch ask for the same permutation. */
#include "server/samples/orders.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/order.h"

enum { N_CACHED = 32 };

struct order {
    atomic_uint n_users;
    uint32_t seed, epoch, n;
    uint32_t positions[];
};

struct orders {
    pthread_mutex_t lock;
    struct order *cached[N_CACHED]; /* last used first */
};

int orders_new(struct orders **ret)
{
    struct orders *orders = calloc(1, sizeof *orders);
    if (!orders)
        return -ENOMEM;
    pthread_mutex_init(&orders->lock, NULL);
    *ret = orders;
    return 0;
}

void orders_free(struct orders *orders)
{
    if (!orders)
        return;
    for (int i = 0; i < N_CACHED; i++)
        orders_return(orders->cached[i]);
    pthread_mutex_destroy(&orders->lock);
    free(orders);
}

/* Under the lock: bring an order to the front, pushing the others back by one up to `place`. */
static void to_front(struct orders *orders, struct order *order, int place)
{
    for (int i = place; i > 0; i--)
        orders->cached[i] = orders->cached[i - 1];
    orders->cached[0] = order;
}

static struct order *find(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    struct order *found = NULL;
    pthread_mutex_lock(&orders->lock);
    for (int i = 0; !found && i < N_CACHED && orders->cached[i]; i++) {
        struct order *order = orders->cached[i];
        if (order->seed == seed && order->epoch == epoch && order->n == n) {
            found = order;
            atomic_fetch_add(&found->n_users, 1);
            to_front(orders, found, i);
        }
    }
    pthread_mutex_unlock(&orders->lock);
    return found;
}

bool orders_has(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    struct order *order = find(orders, seed, epoch, n);
    orders_return(order);
    return order != NULL;
}

static void keep(struct orders *orders, struct order *order)
{
    atomic_fetch_add(&order->n_users, 1);
    pthread_mutex_lock(&orders->lock);
    struct order *last = orders->cached[N_CACHED - 1];
    to_front(orders, order, N_CACHED - 1);
    pthread_mutex_unlock(&orders->lock);
    orders_return(last);
}

int orders_borrow(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n,
                  struct order **ret)
{
    *ret = find(orders, seed, epoch, n);
    if (*ret)
        return 0;
    struct order *order = malloc(sizeof *order + (size_t)n * sizeof order->positions[0]);
    if (!order)
        return -ENOMEM;
    order->seed = seed;
    order->epoch = epoch;
    order->n = n;
    atomic_init(&order->n_users, 1);
    order_epoch(seed, epoch, n, order->positions);
    keep(orders, order);
    *ret = order;
    return 0;
}

void orders_return(struct order *order)
{
    if (order && atomic_fetch_sub(&order->n_users, 1) == 1)
        free(order);
}

const uint32_t *order_positions(const struct order *order)
{
    return order->positions;
}
