/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/pool. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/pool.h"
#include "tests/scarce.h"

enum { ALIGN = 64, MB = 1 << 20 };

static struct pool *fresh(unsigned max_idle)
{
    struct pool *pool;
    assert_int_equal(pool_new(max_idle, max_idle, &pool), 0);
    return pool;
}

static struct pool_block take(struct pool *pool, size_t size)
{
    struct pool_block block;
    assert_int_equal(pool_take(pool, size, &block), 0);
    assert_true(block.room >= size);
    assert_int_equal((uintptr_t)block.bytes % ALIGN, 0);
    memset(block.bytes, 0x5a, block.room); /* all of it is there */
    return block;
}

static void blocks_have_room_and_are_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 2 * MB - 1, 2 * MB, 2 * MB + 1, 5 * MB};
    struct pool *pool = fresh(2);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct pool_block block = take(pool, sizes[i]);
        assert_non_null(block.bytes);
        free(block.bytes);
    }
    pool_unref(pool);
}

static void a_block_that_was_given_back_is_used_again(void **state)
{
    (void)state;
    struct pool *pool = fresh(2);
    struct pool_block first = take(pool, 1000);
    pool_give(pool, first);
    struct pool_block again = take(pool, 900);
    assert_ptr_equal(again.bytes, first.bytes);
    assert_int_equal(again.room, first.room);
    struct pool_block other = take(pool, 900);
    assert_ptr_not_equal(other.bytes, again.bytes);
    pool_give(pool, again);
    pool_give(pool, other);
    pool_unref(pool);
}

static void a_block_that_is_too_small_stays_for_others(void **state)
{
    (void)state;
    struct pool *pool = fresh(2);
    struct pool_block small = take(pool, 64);
    pool_give(pool, small);
    struct pool_block large = take(pool, 65);
    assert_ptr_not_equal(large.bytes, small.bytes);
    struct pool_block again = take(pool, 64);
    assert_ptr_equal(again.bytes, small.bytes);
    pool_give(pool, large);
    pool_give(pool, again);
    pool_unref(pool);
}

static void a_full_pool_keeps_the_larger_block(void **state)
{
    (void)state;
    struct pool *pool = fresh(1);
    struct pool_block small = take(pool, 64), large = take(pool, 6400), middle = take(pool, 640);
    pool_give(pool, small);
    pool_give(pool, large);  /* in its place */
    pool_give(pool, middle); /* freed */
    struct pool_block again = take(pool, 64);
    assert_ptr_equal(again.bytes, large.bytes);
    assert_int_equal(again.room, large.room);
    pool_give(pool, again);
    pool_unref(pool);
}

static void note_given(void *user)
{
    ++*(unsigned *)user;
}

static void few_large_blocks_are_out_at_once(void **state)
{
    (void)state;
    unsigned n_told = 0;
    struct pool *pool;
    struct pool_block one, two, three = {.room = 7};
    assert_int_equal(pool_new(2, 4, &pool), 0);
    pool_tell(pool, note_given, &n_told);
    assert_int_equal(pool_take_few(pool, POOL_LITTLE_BYTES, 2, &one), 0);
    assert_int_equal(pool_take_few(pool, MB, 2, &two), 0);
    assert_int_equal(pool_take_few(pool, MB, 2, &three), -EAGAIN);
    assert_int_equal(three.room, 7);
    assert_int_equal(pool_n_out(pool), 2);
    assert_int_equal(n_told, 0);
    pool_give(pool, two);
    assert_int_equal(n_told, 1); /* once for each that could not be had */
    assert_int_equal(pool_take_few(pool, MB, 2, &two), 0);
    assert_int_equal(pool_take(pool, MB, &three), 0); /* more, where it has to be */
    assert_int_equal(pool_n_out(pool), 3);
    pool_give(pool, one);
    assert_int_equal(n_told, 1); /* nobody waits for it */
    assert_int_equal(pool_take_few(pool, POOL_LITTLE_BYTES, 2, &one), -EAGAIN);
    pool_tell(pool, NULL, NULL);
    pool_give(pool, two);
    pool_give(pool, three);
    assert_int_equal(n_told, 1);
    pool_unref(pool);
}

static void many_small_blocks_are_out_at_once_and_kept(void **state)
{
    (void)state;
    enum { N = 4 };
    struct pool *pool;
    struct pool_block blocks[N];
    const void *kept[N];
    assert_int_equal(pool_new(1, N, &pool), 0);
    for (int i = 0; i < N; i++)
        assert_int_equal(pool_take_few(pool, MB, 1, &blocks[i]), 0);
    for (int i = 0; i < N; i++) {
        kept[i] = blocks[i].bytes;
        pool_give(pool, blocks[i]);
    }
    for (int i = 0; i < N; i++) {
        struct pool_block again = take(pool, MB);
        bool is_known = false;
        for (int j = 0; j < N; j++)
            is_known |= again.bytes == kept[j];
        assert_true(is_known);
        blocks[i] = again;
    }
    for (int i = 0; i < N; i++)
        pool_give(pool, blocks[i]);
    assert_int_equal(pool_n_out(pool), 0);
    pool_unref(pool);
}

static void a_pool_that_keeps_nothing_frees_all(void **state)
{
    (void)state;
    struct pool *pool = fresh(0);
    pool_give(pool, take(pool, 100));
    struct pool_block block = take(pool, 100);
    pool_give(pool, block);
    pool_unref(pool);
    pool_unref(NULL);
}

static void a_pool_lives_until_its_last_reference_is_dropped(void **state)
{
    (void)state;
    struct pool *pool = fresh(1);
    struct pool_block block = take(pool, 100);
    assert_ptr_equal(pool_ref(pool), pool);
    pool_unref(pool);
    pool_give(pool, block);
    struct pool_block again = take(pool, 100);
    assert_ptr_equal(again.bytes, block.bytes);
    pool_give(pool, again);
    pool_unref(pool);
}

static void sizes_that_no_memory_has_are_refused(void **state)
{
    (void)state;
    struct pool *pool = fresh(1);
    struct pool_block block = {.room = 7};
    assert_int_equal(pool_take(pool, SIZE_MAX, &block), -ENOMEM);
    assert_int_equal(pool_take(pool, SIZE_MAX - ALIGN, &block), -ENOMEM);
    assert_int_equal(block.room, 7);
    assert_null(block.bytes);
    pool_unref(pool);
}

static void *use_main(void *user)
{
    struct pool *pool = user;
    for (size_t i = 0; i < 500; i++) {
        struct pool_block block;
        if (pool_take(pool, 100 + i % 7 * 100, &block) < 0)
            abort();
        memset(block.bytes, (int)i, block.room);
        pool_give(pool, block);
    }
    pool_unref(pool);
    return NULL;
}

static void threads_share_a_pool(void **state)
{
    (void)state;
    enum { N = 4 };
    pthread_t threads[N];
    struct pool *pool = fresh(2);
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_main, pool_ref(pool)), 0);
    pool_unref(pool);
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void a_forked_child_can_free_what_it_inherited(void **state)
{
    (void)state;
    int status;
    struct pool *pool = fresh(1);
    struct pool_block block = take(pool, 100);
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        pool_give(pool, block);
        pool_unref(pool);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    pool_give(pool, block);
    pool_unref(pool);
}

static int make_and_take(void *user, struct error *why)
{
    struct pool *pool = NULL;
    struct pool_block block = {0};
    (void)user;
    int r = pool_new(2, 2, &pool);
    if (r == 0)
        r = pool_take(pool, 100, &block);
    if (block.bytes)
        pool_give(pool, block);
    pool_unref(pool);
    return error_set(why, r, "no memory");
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(make_and_take, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_have_room_and_are_aligned),
        cmocka_unit_test(a_block_that_was_given_back_is_used_again),
        cmocka_unit_test(a_block_that_is_too_small_stays_for_others),
        cmocka_unit_test(a_full_pool_keeps_the_larger_block),
        cmocka_unit_test(few_large_blocks_are_out_at_once),
        cmocka_unit_test(many_small_blocks_are_out_at_once_and_kept),
        cmocka_unit_test(a_pool_that_keeps_nothing_frees_all),
        cmocka_unit_test(a_pool_lives_until_its_last_reference_is_dropped),
        cmocka_unit_test(sizes_that_no_memory_has_are_refused),
        cmocka_unit_test(threads_share_a_pool),
        cmocka_unit_test(a_forked_child_can_free_what_it_inherited),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
