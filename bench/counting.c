/* SPDX-License-Identifier: Apache-2.0
 * What counting a request costs: all that record_begin() and record_end() do without an access log,
 * and of it the counting alone; by one thread, and by several at the same time. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/metrics.h"
#include "server/record.h"
#include "server/routes.h"

enum { ROUNDS = 9, CALLS = 1000000, MOST_THREADS = 8 };

/* Counts fall into other cells each time, as those of a mixed load do. */
static void count(unsigned i)
{
    const struct metrics_request request = {
        .route = i % n_routes,
        .format = i % N_FORMATS,
        .status = i % 8 ? 200 : 304,
        .duration_ns = (uint64_t)(i % 64) << 16,
        .n_bytes = (uint64_t)(i % 4096) << 8,
    };
    metrics_count_request(&request);
}

static void record(unsigned i)
{
    /* Large, and there already where a request is counted. */
    static _Thread_local struct request request;
    static _Thread_local struct reply reply;
    static _Thread_local struct peer peer;
    const struct record_end end = {
        .request = &request, .reply = &reply, .peer = &peer, .whole = true};
    struct record record;
    request.route = &routes[i % n_routes];
    request.format = i % N_FORMATS;
    reply.status = i % 8 ? 200 : 304;
    reply.n_bytes = (uint64_t)(i % 4096) << 8;
    record_begin(&record);
    record_method(&record, "GET");
    record_end(&record, &end);
}

static void read_clock(unsigned i)
{
    (void)i;
    volatile uint64_t now_ns = metrics_now_ns();
    (void)now_ns;
}

struct job {
    void (*run)(unsigned i);
    double ns; /* for a call */
};

/* Of this thread alone: others may have the processor meanwhile. */
static double cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static void *work(void *user)
{
    struct job *job = user;
    double start_ns = cpu_ns();
    for (unsigned i = 0; i < CALLS; i++)
        job->run(i);
    job->ns = (cpu_ns() - start_ns) / CALLS;
    return NULL;
}

static int is_more(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static void measure(const char *name, void (*run)(unsigned i), unsigned n_threads)
{
    double ns[ROUNDS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[MOST_THREADS];
        struct job jobs[MOST_THREADS];
        for (unsigned i = 0; i < n_threads; i++) {
            jobs[i] = (struct job){.run = run};
            if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0)
                exit(EXIT_FAILURE);
        }
        for (unsigned i = 0; i < n_threads; i++) {
            pthread_join(threads[i], NULL);
            ns[round] += jobs[i].ns / n_threads;
        }
    }
    qsort(ns, ROUNDS, sizeof *ns, is_more);
    printf("%-28s %u threads: %6.1f ns a call (%.1f to %.1f)\n", name, n_threads, ns[ROUNDS / 2],
           ns[0], ns[ROUNDS - 1]);
}

int main(int argc, char **argv)
{
    unsigned n_threads = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
    if (n_threads < 1 || n_threads > MOST_THREADS) {
        fprintf(stderr, "usage: bench/counting [THREADS, up to %d]\n", MOST_THREADS);
        return EXIT_FAILURE;
    }
    for (unsigned n = 1; n <= n_threads; n++) {
        measure("the clock, once", read_clock, n);
        measure("metrics_count_request()", count, n);
        measure("a request: begin and end", record, n);
    }
    return EXIT_SUCCESS;
}
