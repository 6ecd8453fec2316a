/* SPDX-License-Identifier: Apache-2.0
 * Large blocks of memory that are used again: fresh ones cost a page fault for every 4 KB, which is
 * several times what filling them costs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* A block, and how much room it has. */
struct pool_block {
    void *bytes;
    size_t room;
};

/* So much memory is little: what a rule of few blocks allows beyond their number. */
enum { POOL_LITTLE_BYTES = 64 << 20 };

/* Of the blocks that are given back `n_kept` are kept, and up to `max_idle` of them where all
 * together are little. Errors: -ENOMEM. */
int pool_new(unsigned n_kept, unsigned max_idle, struct pool **ret);

/* The pool lives until the last reference is dropped, and so its blocks may outlive their user. */
struct pool *pool_ref(struct pool *pool);
void pool_unref(struct pool *pool);

/* A block of at least `size` bytes, aligned to 64; what is in it is left over from before. Give it
 * back, in any thread; in a forked child it is freed. Errors: -ENOMEM. */
int pool_take(struct pool *pool, size_t size, struct pool_block *ret);
void pool_give(struct pool *pool, struct pool_block block);

/* As pool_take(), where thereafter at most `n_out` blocks are out, or all that are are little. Else
 * -EAGAIN, and the next pool_give() tells. */
int pool_take_few(struct pool *pool, size_t size, unsigned n_out, struct pool_block *ret);

/* Blocks that were taken and not given back. */
unsigned pool_n_out(struct pool *pool);

/* Whom to tell of a block that pool_take_few() can take, under the pool's lock, in any thread;
 * NULL: nobody, any more. */
void pool_tell(struct pool *pool, void (*given)(void *user), void *user);
