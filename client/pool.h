/* SPDX-License-Identifier: Apache-2.0
 * Large blocks of memory that are used again: fresh ones cost a page fault for every 4 KB, which is
 * several times what filling them costs. */
#pragma once

#include <stddef.h>

struct pool;

/* A block, and how much room it has. */
struct pool_block {
    void *bytes;
    size_t room;
};

/* At most `max_idle` blocks are kept. Errors: -ENOMEM. */
int pool_new(unsigned max_idle, struct pool **ret);

/* The pool lives until the last reference is dropped, and so its blocks may outlive their user. */
struct pool *pool_ref(struct pool *pool);
void pool_unref(struct pool *pool);

/* A block of at least `size` bytes, aligned to 64; what is in it is left over from before. Give it
 * back, in any thread; in a forked child it is freed. Errors: -ENOMEM. */
int pool_take(struct pool *pool, size_t size, struct pool_block *ret);
void pool_give(struct pool *pool, struct pool_block block);
