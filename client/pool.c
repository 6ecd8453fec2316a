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
    unsigned n_kept, max_idle;
    unsigned n_refs; /* under the lock, like all that follows */
    unsigned n_out, n_idle;
    size_t out_bytes, idle_bytes;
    void (*given)(void *user);
    void *user;
    bool is_wanted; /* a block, by who is told */
    struct pool_block idle[];
};

int pool_new(unsigned n_kept, unsigned max_idle, struct pool **ret)
{
    struct pool *pool = calloc(1, sizeof *pool + max_idle * sizeof pool->idle[0]);
    if (!pool)
        return -ENOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pool->pid = getpid();
    pool->n_refs = 1;
    pool->n_kept = n_kept;
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

/* Whether `size` bytes more are allowed beside n blocks of `bytes` in all, where n_most are. */
static bool is_few(unsigned n, unsigned n_most, size_t bytes, size_t size)
{
    return n < n_most || (size <= POOL_LITTLE_BYTES && bytes <= POOL_LITTLE_BYTES - size);
}

static struct pool_block take_idle(struct pool *pool, size_t size)
{
    struct pool_block found = {0};
    for (unsigned i = 0; i < pool->n_idle; i++)
        if (pool->idle[i].room >= size) {
            found = pool->idle[i];
            pool->idle[i] = pool->idle[--pool->n_idle];
            pool->idle_bytes -= found.room;
            break;
        }
    return found;
}

static int take(struct pool *pool, size_t size, struct pool_block *ret)
{
    struct pool_block block = take_idle(pool, size);
    if (!block.bytes) {
        int r = allocate(size, &block);
        if (r < 0)
            return r;
    }
    pool->n_out++;
    pool->out_bytes += block.room;
    *ret = block;
    return 0;
}

int pool_take(struct pool *pool, size_t size, struct pool_block *ret)
{
    pthread_mutex_lock(&pool->lock);
    int r = take(pool, size, ret);
    pthread_mutex_unlock(&pool->lock);
    return r;
}

int pool_take_few(struct pool *pool, size_t size, unsigned n_out, struct pool_block *ret)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_wanted = !is_few(pool->n_out, n_out, pool->out_bytes, size);
    int r = pool->is_wanted ? -EAGAIN : take(pool, size, ret);
    pthread_mutex_unlock(&pool->lock);
    return r;
}

unsigned pool_n_out(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    unsigned n_out = pool->n_out;
    pthread_mutex_unlock(&pool->lock);
    return n_out;
}

void pool_tell(struct pool *pool, void (*given)(void *user), void *user)
{
    pthread_mutex_lock(&pool->lock);
    pool->given = given;
    pool->user = user;
    pthread_mutex_unlock(&pool->lock);
}

/* Keep the block; returns what is to be freed instead, or NULL. */
static void *keep(struct pool *pool, struct pool_block block)
{
    if (pool->n_idle < pool->max_idle &&
        is_few(pool->n_idle, pool->n_kept, pool->idle_bytes, block.room)) {
        pool->idle[pool->n_idle++] = block;
        pool->idle_bytes += block.room;
        return NULL;
    }
    if (pool->n_idle == 0 || pool->idle[0].room >= block.room)
        return block.bytes;
    void *unwanted = pool->idle[0].bytes; /* the larger one serves more batches */
    pool->idle_bytes += block.room - pool->idle[0].room;
    pool->idle[0] = block;
    return unwanted;
}

void pool_give(struct pool *pool, struct pool_block block)
{
    void *unwanted = block.bytes;
    if (is_ours(pool)) {
        pthread_mutex_lock(&pool->lock);
        pool->n_out--;
        pool->out_bytes -= block.room;
        unwanted = keep(pool, block);
        if (pool->is_wanted && pool->given)
            pool->given(pool->user);
        pool->is_wanted = false;
        pthread_mutex_unlock(&pool->lock);
    }
    free(unwanted);
}
