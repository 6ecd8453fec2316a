/* SPDX-License-Identifier: Apache-2.0
 * Threads for the heavy requests of all loops, behind one queue.
 *
 * The order is start-time fair queueing: each address has a clock of its own, which its tasks move
 * on by their cost, and the task that starts at the earliest time is next. An address that was
 * quiet starts at the present time, which is that of the task begun last, so it comes before all
 * but the first task of an address that sent many. */
#include "server/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/metrics.h"

/* Addresses share clocks, picked by a hash: two that fall together count as one. */
enum { CLOCK_BITS = 12 };

static const size_t not_queued = SIZE_MAX;

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    unsigned n_threads;
    pthread_t *threads;

    size_t most_tasks, n;
    uint64_t most_cost_us, cost_us;
    uint64_t now_us; /* start of the task begun last */
    uint64_t n_submitted;
    uint64_t clocks_us[1 << CLOCK_BITS];
    struct task *heap[]; /* the earliest on top */
};

static uint64_t *clock_of(struct workers *workers, uint64_t address)
{
    return &workers->clocks_us[address * UINT64_C(0x9E3779B97F4A7C15) >> (64 - CLOCK_BITS)];
}

static bool is_before(const struct task *a, const struct task *b)
{
    return a->start_us != b->start_us ? a->start_us < b->start_us : a->number < b->number;
}

static void put(struct workers *workers, size_t place, struct task *task)
{
    workers->heap[place] = task;
    task->place = place;
}

static void move_up(struct workers *workers, struct task *task)
{
    size_t place = task->place;
    for (; place > 0 && is_before(task, workers->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(workers, place, workers->heap[(place - 1) / 2]);
    put(workers, place, task);
}

static void move_down(struct workers *workers, struct task *task)
{
    size_t place = task->place;
    for (size_t child; (child = 2 * place + 1) < workers->n; place = child) {
        if (child + 1 < workers->n && is_before(workers->heap[child + 1], workers->heap[child]))
            child++;
        if (!is_before(workers->heap[child], task))
            break;
        put(workers, place, workers->heap[child]);
    }
    put(workers, place, task);
}

static void take_out(struct workers *workers, struct task *task)
{
    size_t place = task->place;
    struct task *last = workers->heap[--workers->n];
    workers->cost_us -= task->cost_us;
    task->place = not_queued;
    tally_add(METRICS_TAKEN_UP, 1);
    tally_add(METRICS_TAKEN_UP_US, task->cost_us);
    if (last == task)
        return;
    put(workers, place, last);
    move_up(workers, last);
    move_down(workers, last);
}

/* What was not done is not charged. */
static void take_back(struct workers *workers, struct task *task)
{
    take_out(workers, task);
    *clock_of(workers, task->address) -= task->cost_us;
}

static bool has_room(const struct workers *workers, size_t n, uint64_t waiting_us, uint64_t cost_us)
{
    return n == 0 || (n < workers->most_tasks && cost_us <= workers->most_cost_us &&
                      waiting_us <= workers->most_cost_us - cost_us);
}

/* Whether there is room for `task` once all that start later are gone. */
static bool can_make_room(const struct workers *workers, const struct task *task)
{
    size_t n = workers->n;
    uint64_t waiting_us = workers->cost_us;
    for (size_t i = 0; i < workers->n; i++)
        if (is_before(task, workers->heap[i])) {
            n--;
            waiting_us -= workers->heap[i]->cost_us;
        }
    return has_room(workers, n, waiting_us, task->cost_us);
}

static struct task *latest(const struct workers *workers)
{
    struct task *latest = workers->heap[0];
    for (size_t i = 1; i < workers->n; i++)
        if (is_before(latest, workers->heap[i]))
            latest = workers->heap[i];
    return latest;
}

static void insert(struct workers *workers, struct task *task)
{
    *clock_of(workers, task->address) = task->start_us + task->cost_us;
    workers->cost_us += task->cost_us;
    task->place = workers->n++;
    tally_add(METRICS_QUEUED, 1);
    tally_add(METRICS_QUEUED_US, task->cost_us);
    move_up(workers, task);
    pthread_cond_signal(&workers->wake);
}

bool workers_submit(struct workers *workers, struct task *task)
{
    pthread_mutex_lock(&workers->lock);
    uint64_t clock_us = *clock_of(workers, task->address);
    task->start_us = clock_us > workers->now_us ? clock_us : workers->now_us;
    task->number = workers->n_submitted++;
    task->place = not_queued;
    bool taken = has_room(workers, workers->n, workers->cost_us, task->cost_us) ||
                 can_make_room(workers, task);
    while (taken && !has_room(workers, workers->n, workers->cost_us, task->cost_us)) {
        struct task *displaced = latest(workers);
        take_back(workers, displaced);
        pthread_mutex_unlock(&workers->lock);
        displaced->done(displaced, TASK_DISPLACED);
        pthread_mutex_lock(&workers->lock);
        taken = can_make_room(workers, task);
    }
    if (taken)
        insert(workers, task);
    pthread_mutex_unlock(&workers->lock);
    return taken;
}

bool workers_withdraw(struct workers *workers, struct task *task)
{
    pthread_mutex_lock(&workers->lock);
    bool queued = task->place != not_queued;
    if (queued)
        take_back(workers, task);
    pthread_mutex_unlock(&workers->lock);
    return queued;
}

static struct task *next(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    while (workers->n == 0 && !workers->stopping)
        pthread_cond_wait(&workers->wake, &workers->lock);
    struct task *task = workers->n ? workers->heap[0] : NULL;
    if (task) {
        take_out(workers, task);
        workers->now_us = task->start_us;
    }
    pthread_mutex_unlock(&workers->lock);
    return task;
}

static void *work(void *user)
{
    struct workers *workers = user;
    for (struct task *task; (task = next(workers));) {
        bool wanted = task->is_wanted(task);
        if (wanted)
            task->run(task);
        task->done(task, wanted ? TASK_RAN : TASK_UNWANTED);
    }
    return NULL;
}

int workers_start(unsigned n, size_t most_tasks, uint64_t most_cost_us, struct workers **ret,
                  struct error *why)
{
    struct workers *workers =
        calloc(1, sizeof *workers + (most_tasks + 1) * sizeof workers->heap[0]);
    pthread_t *threads = calloc(n, sizeof *threads);
    if (!workers || !threads) {
        free(workers);
        free(threads);
        return error_set(why, -ENOMEM, "no memory for a queue of %zu requests", most_tasks);
    }
    workers->threads = threads;
    workers->most_tasks = most_tasks;
    workers->most_cost_us = most_cost_us;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    for (; workers->n_threads < n; workers->n_threads++) {
        int r = -pthread_create(&threads[workers->n_threads], NULL, work, workers);
        if (r < 0) {
            workers_stop(workers);
            return error_set(why, r, "cannot start a worker: %s", strerror(-r));
        }
    }
    *ret = workers;
    return 0;
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->n_threads; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    free(workers->threads);
    free(workers);
}
