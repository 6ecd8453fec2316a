/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/loop: calls, timers, descriptors and work, in its one thread. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/loop.h"
#include "tests/scarce.h"

static struct loop *loop;
static pthread_t loop_thread;
static sem_t told; /* by the loop's thread, for the test to wait for */

static void note_thread(void *user)
{
    (void)user;
    loop_thread = pthread_self();
}

static int setup(void **state)
{
    (void)state;
    struct error why;
    sem_init(&told, 0, 0);
    if (loop_new(&loop, &why) < 0)
        return -1;
    loop_call(loop, note_thread, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    sem_destroy(&told);
    return 0;
}

static void wait_told(void)
{
    while (sem_wait(&told) < 0)
        assert_int_equal(errno, EINTR);
}

static void check_thread(void)
{
    if (!pthread_equal(pthread_self(), loop_thread))
        abort();
}

/* ---- Calls ---- */

static unsigned counted; /* without a lock: calls run in one thread, and are waited for */

static void count(void *user)
{
    check_thread();
    counted += *(unsigned *)user;
}

static void a_call_has_run_when_it_returns(void **state)
{
    (void)state;
    unsigned one = 1;
    assert_false(pthread_equal(pthread_self(), loop_thread));
    counted = 0;
    for (unsigned i = 1; i <= 1000; i++) {
        loop_call(loop, count, &one);
        assert_int_equal(counted, i);
    }
}

enum { N_THREADS = 4, N_CALLS = 500 };

static void *call_main(void *user)
{
    unsigned one = 1;
    (void)user;
    for (int i = 0; i < N_CALLS; i++)
        loop_call(loop, count, &one);
    return NULL;
}

static void calls_of_many_threads_run_one_at_a_time(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    counted = 0;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_main, NULL), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counted, N_THREADS * N_CALLS);
}

static void look_at_signals(void *user)
{
    sigset_t *ret = user;
    sigemptyset(ret);
    pthread_sigmask(SIG_BLOCK, NULL, ret);
}

static void its_thread_takes_no_signals(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGCHLD};
    sigset_t blocked, own;
    loop_call(loop, look_at_signals, &blocked);
    pthread_sigmask(SIG_BLOCK, NULL, &own);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_true(sigismember(&blocked, signals[i]));
        assert_false(sigismember(&own, signals[i])); /* the caller's are as before */
    }
}

/* ---- Alarms ---- */

static struct loop_alarm *alarm_;
static unsigned n_rung;

static void on_rung(void *user)
{
    check_thread();
    n_rung++;
    sem_post(user);
}

static void make_alarm(void *user)
{
    *(int *)user = loop_alarm_new(loop, on_rung, &told, &alarm_);
}

static void ring_and_free(void *user)
{
    (void)user;
    loop_alarm_ring(alarm_);
    loop_alarm_free(alarm_);
    loop_alarm_free(NULL);
}

static void an_alarm_runs_in_the_loop_s_thread_until_it_is_freed(void **state)
{
    (void)state;
    int r = -1;
    n_rung = 0;
    loop_call(loop, make_alarm, &r);
    assert_int_equal(r, 0);
    for (unsigned i = 1; i <= 10; i++) {
        loop_alarm_ring(alarm_);
        wait_told();
        assert_int_equal(n_rung, i);
    }
    loop_call(loop, ring_and_free, NULL);
    for (int i = 0; i < 2; i++)
        loop_call(loop, note_thread, NULL); /* a round of the loop each */
    assert_int_equal(n_rung, 10);
}

/* ---- Timers ---- */

enum { LATER_MS = 20, NEVER_MS = 3600000 };

struct timing {
    struct loop_timer *timer, *other;
    uint64_t started_ms, rang_ms;
    unsigned rings;
};

static void ring(void *user)
{
    struct timing *timing = user;
    check_thread();
    timing->rang_ms = loop_now_ms(loop);
    timing->rings++;
    sem_post(&told);
}

static void start_timer(void *user)
{
    struct timing *timing = user;
    if (loop_timer_new(loop, ring, timing, &timing->timer) < 0)
        abort();
    timing->started_ms = loop_now_ms(loop);
    loop_timer_start(timing->timer, LATER_MS);
}

static void free_timers(void *user)
{
    struct timing *timing = user;
    loop_timer_free(timing->timer);
    loop_timer_free(timing->other);
}

static void a_timer_rings_once_and_not_too_early(void **state)
{
    (void)state;
    struct timing timing = {0};
    loop_call(loop, start_timer, &timing);
    wait_told();
    loop_call(loop, free_timers, &timing);
    assert_int_equal(timing.rings, 1);
    assert_true(timing.rang_ms >= timing.started_ms + LATER_MS);
}

/* One that was put off, one that was stopped: neither rings before the one that is due. */
static void start_three(void *user)
{
    struct timing *timings = user;
    for (int i = 0; i < 3; i++)
        start_timer(&timings[i]);
    loop_timer_start(timings[0].timer, NEVER_MS);
    loop_timer_stop(timings[1].timer);
    loop_timer_stop(timings[1].timer);
}

static void free_three(void *user)
{
    struct timing *timings = user;
    for (int i = 0; i < 3; i++)
        free_timers(&timings[i]);
}

static void a_new_time_replaces_and_stopping_stops(void **state)
{
    (void)state;
    struct timing timings[3] = {{0}};
    loop_call(loop, start_three, timings);
    wait_told();
    loop_call(loop, free_three, timings);
    assert_int_equal(timings[0].rings, 0);
    assert_int_equal(timings[1].rings, 0);
    assert_int_equal(timings[2].rings, 1);
}

static void free_oneself(void *user)
{
    struct timing *timing = user;
    loop_timer_free(timing->timer);
    timing->timer = NULL;
    sem_post(&told);
}

static void start_one_that_frees_itself(void *user)
{
    struct timing *timing = user;
    if (loop_timer_new(loop, free_oneself, timing, &timing->timer) < 0)
        abort();
    loop_timer_start(timing->timer, 0);
}

static void a_timer_may_be_freed_as_it_rings(void **state)
{
    (void)state;
    struct timing timing = {0};
    loop_call(loop, start_one_that_frees_itself, &timing);
    wait_told();
    loop_call(loop, free_timers, &timing); /* accepts NULL */
}

/* ---- Descriptors ---- */

struct watching {
    struct loop_watch *watch;
    int fds[2], r, events;
    char got;
};

static void on_ready(void *user, int fd, int events)
{
    struct watching *watching = user;
    check_thread();
    if (fd != watching->fds[0] || read(fd, &watching->got, 1) != 1)
        abort();
    watching->events = events;
    sem_post(&told);
}

static void watch_it(void *user)
{
    struct watching *watching = user;
    watching->r = loop_watch_new(loop, watching->fds[0], on_ready, watching, &watching->watch);
    if (watching->r == 0)
        watching->r = loop_watch_set(watching->watch, LOOP_READABLE);
}

static void unwatch_it(void *user)
{
    struct watching *watching = user;
    loop_watch_free(watching->watch);
    loop_watch_free(NULL);
}

static void a_descriptor_tells_when_it_can_be_read(void **state)
{
    (void)state;
    struct watching watching = {.r = 1};
    assert_return_code(pipe2(watching.fds, O_CLOEXEC), errno);
    loop_call(loop, watch_it, &watching);
    assert_int_equal(watching.r, 0);
    for (char c = 'a'; c < 'd'; c++) {
        assert_int_equal(write(watching.fds[1], &c, 1), 1);
        wait_told();
        assert_int_equal(watching.got, c);
        assert_int_equal(watching.events, LOOP_READABLE);
    }
    loop_call(loop, unwatch_it, &watching);
    close(watching.fds[0]);
    close(watching.fds[1]);
}

static void what_is_no_descriptor_is_refused(void **state)
{
    (void)state;
    struct watching watching = {.fds = {-1, -1}};
    loop_call(loop, watch_it, &watching);
    assert_int_equal(watching.r, -EBADF);
    assert_null(watching.watch);
}

/* ---- Work ---- */

struct piece {
    struct loop_work work; /* first */
    bool ran_elsewhere;
    int r;
};

static void run_piece(struct loop_work *work)
{
    ((struct piece *)work)->ran_elsewhere = !pthread_equal(pthread_self(), loop_thread);
}

static void done_piece(struct loop_work *work)
{
    check_thread();
    counted += ((struct piece *)work)->ran_elsewhere;
    sem_post(&told);
}

static void start_piece(void *user)
{
    struct piece *piece = user;
    piece->work = (struct loop_work){.run = run_piece, .done = done_piece};
    piece->r = loop_work(loop, &piece->work);
}

static void work_runs_elsewhere_and_ends_in_the_thread(void **state)
{
    (void)state;
    enum { N_PIECES = 20 };
    struct piece pieces[N_PIECES] = {{.r = 1}};
    counted = 0;
    for (int i = 0; i < N_PIECES; i++) {
        loop_call(loop, start_piece, &pieces[i]);
        assert_int_equal(pieces[i].r, 0);
    }
    for (int i = 0; i < N_PIECES; i++)
        wait_told();
    assert_int_equal(counted, N_PIECES);
}

/* ---- The end ---- */

static void the_end_waits_for_work(void **state)
{
    (void)state;
    struct loop *kept = loop;
    struct piece piece = {.r = 1};
    struct error why;
    counted = 0;
    assert_int_equal(loop_new(&loop, &why), 0);
    loop_call(loop, note_thread, NULL);
    loop_call(loop, start_piece, &piece);
    loop_free(loop);
    assert_int_equal(counted, 1);
    loop_free(NULL);
    loop = kept;
}

static int make(void *user, struct error *why)
{
    struct loop *made = NULL;
    (void)user;
    int r = loop_new(&made, why);
    assert_true(r == 0 || !made);
    loop_free(made);
    return r;
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    assert_int_equal(scarce_try(make, NULL), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_alarm_runs_in_the_loop_s_thread_until_it_is_freed),
        TEST(a_call_has_run_when_it_returns),
        TEST(calls_of_many_threads_run_one_at_a_time),
        TEST(its_thread_takes_no_signals),
        TEST(a_timer_rings_once_and_not_too_early),
        TEST(a_new_time_replaces_and_stopping_stops),
        TEST(a_timer_may_be_freed_as_it_rings),
        TEST(a_descriptor_tells_when_it_can_be_read),
        TEST(what_is_no_descriptor_is_refused),
        TEST(work_runs_elsewhere_and_ends_in_the_thread),
        TEST(the_end_waits_for_work),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
#undef TEST
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
