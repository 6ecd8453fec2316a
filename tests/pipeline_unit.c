/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/pipeline: order, failures, and every thread's memory given back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generator/pipeline.h"

struct job {
    uint64_t n_taken;
    uint64_t bad_make, bad_take; /* items that fail; UINT64_MAX: none */
    bool bad_worker;
    atomic_int n_workers;
};

static int worker_new(void *user, void **ret)
{
    struct job *job = user;
    if (job->bad_worker)
        return -ENOMEM;
    atomic_fetch_add(&job->n_workers, 1);
    *ret = malloc(1);
    return *ret ? 0 : -ENOMEM;
}

static void worker_free(void *user, void *worker)
{
    struct job *job = user;
    atomic_fetch_sub(&job->n_workers, 1);
    free(worker);
}

static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct job *job = user;
    if (!worker)
        return error_set(why, -EFAULT, "no memory of its own");
    if (i >= job->bad_make)
        return error_set(why, -EBADMSG, "item %d", (int)i);
    return buffer_assign(&item->events, &i, sizeof i);
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    struct job *job = user;
    uint64_t made;
    memcpy(&made, item->events.bytes, sizeof made);
    if (made != i || i != job->n_taken)
        return error_set(why, -EFAULT, "item %d came as %d", (int)i, (int)made);
    if (i == job->bad_take)
        return error_set(why, -ENOSPC, "no room for item %d", (int)i);
    job->n_taken++;
    return 0;
}

static int run(struct job *job, uint64_t n_items, unsigned n_threads, struct error *why)
{
    const struct pipeline pipeline = {
        .label = "test",
        .n_items = n_items,
        .n_threads = n_threads,
        .user = job,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .make = make,
        .take = take,
    };
    int r = pipeline_run(&pipeline, why);
    assert_int_equal(atomic_load(&job->n_workers), 0);
    return r;
}

static void pipeline_takes_in_order_with_any_number_of_threads(void **state)
{
    (void)state;
    static const unsigned threads[] = {1, 2, 7, 64};
    static const uint64_t items[] = {0, 1, 31, 32, 33, 5000};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
        for (size_t n = 0; n < sizeof items / sizeof *items; n++) {
            struct job job = {.bad_make = UINT64_MAX, .bad_take = UINT64_MAX};
            struct error why = {""};
            assert_int_equal(run(&job, items[n], threads[t], &why), 0);
            assert_int_equal(job.n_taken, items[n]);
        }
}

static void pipeline_returns_the_first_failure_in_order(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0, 1, 77, 999};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct job job = {.bad_make = bad[i], .bad_take = UINT64_MAX};
        struct error why = {""};
        char wanted[32];
        snprintf(wanted, sizeof wanted, "item %d", (int)bad[i]);
        assert_int_equal(run(&job, 1000, 4, &why), -EBADMSG);
        assert_string_equal(why.text, wanted);
        assert_int_equal(job.n_taken, bad[i]);
    }
}

static void pipeline_ends_when_an_item_cannot_be_taken(void **state)
{
    (void)state;
    struct job job = {.bad_make = UINT64_MAX, .bad_take = 500};
    struct error why = {""};
    assert_int_equal(run(&job, 100000, 3, &why), -ENOSPC);
    assert_string_equal(why.text, "no room for item 500");
}

static void pipeline_fails_when_a_thread_has_no_memory(void **state)
{
    (void)state;
    struct job job = {.bad_make = UINT64_MAX, .bad_take = UINT64_MAX, .bad_worker = true};
    struct error why = {""};
    assert_int_equal(run(&job, 100, 3, &why), -ENOMEM);
    assert_int_equal(job.n_taken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipeline_takes_in_order_with_any_number_of_threads),
        cmocka_unit_test(pipeline_returns_the_first_failure_in_order),
        cmocka_unit_test(pipeline_ends_when_an_item_cannot_be_taken),
        cmocka_unit_test(pipeline_fails_when_a_thread_has_no_memory),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
