/* SPDX-License-Identifier: Apache-2.0
 * A cache of epoch orders: all batches of an epoch ask for the same permutation. */
#include "server/samples/orders.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/order.h"

enum { N_CACHED = 256 };

struct order {
    atomic_uint n_users;
    uint32_t seed, epoch, n;
    uint32_t positions[];
};

struct orders {
    pthread_mutex_t lock;
    size_t n_cached, n_bytes;
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
    for (size_t i = 0; i < orders->n_cached; i++)
        orders_return(orders->cached[i]);
    pthread_mutex_destroy(&orders->lock);
    free(orders);
}

static size_t bytes_of(const struct order *order)
{
    return order->n * sizeof order->positions[0];
}

/* Under the lock: put an order first, pushing the others back by one up to `place`. */
static void to_front(struct orders *orders, struct order *order, size_t place)
{
    memmove(orders->cached + 1, orders->cached, place * sizeof *orders->cached);
    orders->cached[0] = order;
}

/* Under the lock: the order with a reference for the caller, or NULL. */
static struct order *find(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    for (size_t i = 0; i < orders->n_cached; i++) {
        struct order *order = orders->cached[i];
        if (order->seed == seed && order->epoch == epoch && order->n == n) {
            atomic_fetch_add(&order->n_users, 1);
            to_front(orders, order, i);
            return order;
        }
    }
    return NULL;
}

static struct order *find_locking(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    pthread_mutex_lock(&orders->lock);
    struct order *order = find(orders, seed, epoch, n);
    pthread_mutex_unlock(&orders->lock);
    return order;
}

bool orders_has(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n)
{
    struct order *order = find_locking(orders, seed, epoch, n);
    orders_return(order);
    return order != NULL;
}

/* Under the lock: drop what was not used for longest, until `more` bytes fit. */
static void make_room(struct orders *orders, size_t more)
{
    while (orders->n_cached == N_CACHED ||
           (orders->n_cached > 0 && orders->n_bytes + more > ORDERS_MAX_BYTES)) {
        struct order *last = orders->cached[--orders->n_cached];
        orders->n_bytes -= bytes_of(last);
        orders_return(last);
    }
}

/* Keep the order, unless another thread came first: then the caller gets that one. */
static struct order *keep(struct orders *orders, struct order *order)
{
    pthread_mutex_lock(&orders->lock);
    struct order *first = find(orders, order->seed, order->epoch, order->n);
    if (!first) {
        make_room(orders, bytes_of(order));
        atomic_fetch_add(&order->n_users, 1);
        orders->n_bytes += bytes_of(order);
        to_front(orders, order, orders->n_cached++);
    }
    pthread_mutex_unlock(&orders->lock);
    if (!first)
        return order;
    orders_return(order);
    return first;
}

int orders_borrow(struct orders *orders, uint32_t seed, uint32_t epoch, uint32_t n,
                  struct order **ret)
{
    struct order *order = find_locking(orders, seed, epoch, n);
    if (!order) {
        order = malloc(sizeof *order + (size_t)n * sizeof order->positions[0]);
        if (!order)
            return -ENOMEM;
        order->seed = seed;
        order->epoch = epoch;
        order->n = n;
        atomic_init(&order->n_users, 1);
        order_epoch(seed, epoch, n, order->positions);
        order = keep(orders, order);
    }
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
