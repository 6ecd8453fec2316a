/* SPDX-License-Identifier: Apache-2.0
 * Tests of the workers' queue: its order, its bounds, and the ways out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>

#include "server/workers.h"

enum { MOST_TASKS = 8, MOST_US = 1000, N_JOBS = 16 };

/* One thread that stands still in its first task until it is let go: what is submitted meanwhile
 * waits, and then ends in the queue's order. */
struct job {
    struct task task;
    bool unwanted, ran, ended;
    enum task_end end;
};

static struct workers *workers;
static struct job blocker, jobs[N_JOBS];
static unsigned n_jobs;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool standing, let_go;
static struct job *order[N_JOBS + 1]; /* in which they ended */
static unsigned n_ended;

static void run_blocker(struct task *task)
{
    (void)task;
    pthread_mutex_lock(&lock);
    standing = true;
    pthread_cond_broadcast(&changed);
    while (!let_go)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void run_job(struct task *task)
{
    ((struct job *)task)->ran = true;
}

static bool is_wanted(struct task *task)
{
    return !((struct job *)task)->unwanted;
}

static void done(struct task *task, enum task_end end)
{
    struct job *job = (struct job *)task;
    pthread_mutex_lock(&lock);
    job->ended = true;
    job->end = end;
    order[n_ended++] = job;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static struct job *submit(uint64_t address, uint64_t cost_us)
{
    struct job *job = &jobs[n_jobs++];
    *job = (struct job){.task = {.run = run_job,
                                 .is_wanted = is_wanted,
                                 .done = done,
                                 .address = address,
                                 .cost_us = cost_us}};
    return workers_submit(workers, &job->task) ? job : NULL;
}

static int start(void **state)
{
    (void)state;
    struct error why;
    standing = let_go = false;
    n_ended = n_jobs = 0;
    if (workers_start(1, MOST_TASKS, MOST_US, &workers, &why) < 0)
        return -1;
    blocker = (struct job){
        .task = {.run = run_blocker, .is_wanted = is_wanted, .done = done, .address = 99}};
    assert_true(workers_submit(workers, &blocker.task));
    pthread_mutex_lock(&lock);
    while (!standing)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Let the worker go on until `n` tasks have ended, the first and those of the queue. */
static void go_on_until(unsigned n)
{
    pthread_mutex_lock(&lock);
    let_go = true;
    pthread_cond_broadcast(&changed);
    while (n_ended < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static int stop(void **state)
{
    (void)state;
    go_on_until(0);
    workers_stop(workers);
    return 0;
}

static void tasks_of_one_address_run_in_their_order(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_non_null(submit(1, 10));
    go_on_until(5);
    for (unsigned i = 0; i < 4; i++) {
        assert_ptr_equal(order[1 + i], &jobs[i]);
        assert_int_equal(jobs[i].end, TASK_RAN);
    }
}

static void an_address_that_sends_one_task_does_not_wait_for_one_that_sent_many(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_non_null(submit(1, 10));
    struct job *other = submit(2, 10);
    assert_non_null(other);
    go_on_until(7);
    assert_ptr_equal(order[1], &jobs[0]);
    assert_ptr_equal(order[2], other);
}

static void addresses_get_the_same_time_not_the_same_number_of_tasks(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_non_null(submit(1, 100));
    for (int i = 0; i < 6; i++)
        assert_non_null(submit(2, 30));
    go_on_until(9);
    unsigned n_before = 0; /* of the second address, before the second task of the first */
    for (unsigned i = 1; order[i] != &jobs[1]; i++)
        n_before += order[i]->task.address == 2;
    assert_int_equal(n_before, 4); /* start at 0, 30, 60 and 90 of 100 */
}

static void a_queue_that_is_full_refuses_more_of_the_same_address(void **state)
{
    (void)state;
    for (int i = 0; i < MOST_TASKS; i++)
        assert_non_null(submit(1, 1));
    assert_null(submit(1, 1));
    go_on_until(MOST_TASKS + 1);
}

static void the_queue_is_bounded_by_cost_too(void **state)
{
    (void)state;
    assert_non_null(submit(1, MOST_US / 2));
    assert_non_null(submit(1, MOST_US / 2));
    assert_null(submit(1, 1));
    go_on_until(3);
}

static void a_task_of_any_cost_may_wait_alone(void **state)
{
    (void)state;
    assert_non_null(submit(1, 100 * MOST_US));
    assert_null(submit(1, 1));
    go_on_until(2);
    assert_int_equal(jobs[0].end, TASK_RAN);
}

static void a_newcomer_displaces_the_last_task_of_the_address_that_filled_the_queue(void **state)
{
    (void)state;
    for (int i = 0; i < MOST_TASKS; i++)
        assert_non_null(submit(1, 1));
    assert_non_null(submit(2, 1));
    assert_true(jobs[MOST_TASKS - 1].ended);
    assert_int_equal(jobs[MOST_TASKS - 1].end, TASK_DISPLACED);
    go_on_until(MOST_TASKS + 2);
    assert_int_equal(jobs[MOST_TASKS].end, TASK_RAN);
}

static void nothing_is_displaced_for_a_task_that_does_not_fit_all_the_same(void **state)
{
    (void)state;
    assert_non_null(submit(1, 10)); /* starts as early as the newcomer, so it stays */
    assert_non_null(submit(1, 900));
    assert_null(submit(2, 995));
    assert_false(jobs[1].ended);
    go_on_until(3);
}

static void a_task_that_nobody_wants_any_more_is_not_run(void **state)
{
    (void)state;
    struct job *job = submit(1, 10);
    job->unwanted = true;
    go_on_until(2);
    assert_int_equal(job->end, TASK_UNWANTED);
    assert_false(job->ran);
}

static void a_task_that_waits_can_be_withdrawn_and_its_room_is_free(void **state)
{
    (void)state;
    for (int i = 0; i < MOST_TASKS; i++)
        assert_non_null(submit(1, 1));
    assert_true(workers_withdraw(workers, &jobs[3].task));
    assert_false(workers_withdraw(workers, &jobs[3].task));
    assert_false(workers_withdraw(workers, &blocker.task));
    assert_non_null(submit(1, 1));
    go_on_until(MOST_TASKS + 1);
    assert_false(jobs[3].ended);
}

static void what_was_withdrawn_is_not_charged(void **state)
{
    (void)state;
    struct job *first = submit(1, 500);
    assert_true(workers_withdraw(workers, &first->task));
    assert_non_null(submit(2, 100));
    assert_non_null(submit(2, 100));
    struct job *again = submit(1, 10);
    go_on_until(4);
    assert_ptr_equal(order[2], again);
}

static void withdrawing_from_anywhere_keeps_the_order(void **state)
{
    (void)state;
    static const uint64_t addresses[MOST_TASKS] = {5, 1, 4, 1, 3, 2, 2, 1};
    for (unsigned out = 0; out < MOST_TASKS; out++) {
        for (unsigned i = 0; i < MOST_TASKS; i++)
            assert_non_null(submit(addresses[i], 10 + i));
        assert_true(workers_withdraw(workers, &jobs[out].task));
        go_on_until(MOST_TASKS);
        for (unsigned i = 2; i < MOST_TASKS; i++)
            assert_true(order[i - 1]->task.start_us <= order[i]->task.start_us);
        stop(state);
        start(state);
    }
}

static void stopping_waits_for_what_runs(void **state)
{
    (void)state;
    go_on_until(0);
    workers_stop(workers);
    assert_true(blocker.ended);
    start(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(tasks_of_one_address_run_in_their_order),
        TEST(an_address_that_sends_one_task_does_not_wait_for_one_that_sent_many),
        TEST(addresses_get_the_same_time_not_the_same_number_of_tasks),
        TEST(a_queue_that_is_full_refuses_more_of_the_same_address),
        TEST(the_queue_is_bounded_by_cost_too),
        TEST(a_task_of_any_cost_may_wait_alone),
        TEST(a_newcomer_displaces_the_last_task_of_the_address_that_filled_the_queue),
        TEST(nothing_is_displaced_for_a_task_that_does_not_fit_all_the_same),
        TEST(a_task_that_nobody_wants_any_more_is_not_run),
        TEST(a_task_that_waits_can_be_withdrawn_and_its_room_is_free),
        TEST(what_was_withdrawn_is_not_charged),
        TEST(withdrawing_from_anywhere_keeps_the_order),
        TEST(stopping_waits_for_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
