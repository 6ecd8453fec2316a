/* SPDX-License-Identifier: Apache-2.0
 * Large blocks of memory that are used again. */
#include "client/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGN = 64, HUGE_PAGE = 2 << 20 };

struct pool {
    pthread_mutex_t lock;
    pid_t pid;
    unsigned n_refs, n_idle, max_idle; /* the first two under the lock, as what is in idle[] */
    struct pool_block idle[];
};

int pool_new(unsigned max_idle, struct pool **ret)
{
    struct pool *pool = calloc(1, sizeof *pool + max_idle * sizeof pool->idle[0]);
    if (!pool)
        return -ENOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pool->pid = getpid();
    pool->n_refs = 1;
    pool->max_idle = max_idle;
    *ret = pool;
    return 0;
}

struct pool *pool_ref(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->n_refs++;
    pthread_mutex_unlock(&pool->lock);
    return pool;
}

/* In a forked child the lock may have been held by a thread that is not there. */
static bool is_ours(const struct pool *pool)
{
    return pool->pid == getpid();
}

void pool_unref(struct pool *pool)
{
    if (!pool || !is_ours(pool))
        return;
    pthread_mutex_lock(&pool->lock);
    bool last = --pool->n_refs == 0;
    pthread_mutex_unlock(&pool->lock);
    if (!last)
        return;
    for (unsigned i = 0; i < pool->n_idle; i++)
        free(pool->idle[i].bytes);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static int allocate(size_t size, struct pool_block *ret)
{
    size_t align = size < HUGE_PAGE ? ALIGN : HUGE_PAGE, room;
    if (__builtin_add_overflow(size ? size : 1, align - 1, &room))
        return -ENOMEM;
    room &= ~(align - 1);
    if (posix_memalign(&ret->bytes, align, room) != 0)
        return -ENOMEM;
    if (align == HUGE_PAGE)
        madvise(ret->bytes, room, MADV_HUGEPAGE); /* where the kernel has them */
    ret->room = room;
    return 0;
}

int pool_take(struct pool *pool, size_t size, struct pool_block *ret)
{
    struct pool_block found = {0};
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->n_idle; i++)
        if (pool->idle[i].room >= size) {
            found = pool->idle[i];
            pool->idle[i] = pool->idle[--pool->n_idle];
            break;
        }
    pthread_mutex_unlock(&pool->lock);
    if (!found.bytes)
        return allocate(size, ret);
    *ret = found;
    return 0;
}

void pool_give(struct pool *pool, struct pool_block block)
{
    void *unwanted = block.bytes;
    if (is_ours(pool)) {
        pthread_mutex_lock(&pool->lock);
        if (pool->n_idle == pool->max_idle && pool->n_idle > 0 &&
            pool->idle[0].room < block.room) { /* the larger one serves more batches */
            unwanted = pool->idle[0].bytes;
            pool->idle[0] = block;
        } else if (pool->n_idle < pool->max_idle) {
            pool->idle[pool->n_idle++] = block;
            unwanted = NULL;
        }
        pthread_mutex_unlock(&pool->lock);
    }
    free(unwanted);
}
