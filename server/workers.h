/* SPDX-License-Identifier: Apache-2.0
 * Threads for the heavy requests of all loops, behind one queue that is bounded by number and by
 * cost, and fair: every address gets the same time, however many requests it sends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct workers;

enum task_end {
    TASK_RAN,
    TASK_UNWANTED,  /* was not run: is_wanted() said no */
    TASK_DISPLACED, /* was not run: the queue was full, and another address had its turn */
};

/* Embedded in what is to be done. Stays where it is until done() is called or it is withdrawn. */
struct task {
    /* Filled in by the owner; the calls come without a lock. */
    void (*run)(struct task *task);                     /* on a worker's thread */
    bool (*is_wanted)(struct task *task);               /* the same, just before run() */
    void (*done)(struct task *task, enum task_end end); /* on any thread */
    uint64_t address;                                   /* any number that stands for the client */
    uint64_t cost_us;

    /* the queue's */
    uint64_t start_us, number;
    size_t place;
};

/* Start `n` threads. At most `most_tasks` tasks wait, of `most_cost_us` together; a single one may
 * cost more. Errors: -ENOMEM; those of pthread_create(). */
int workers_start(unsigned n, size_t most_tasks, uint64_t most_cost_us, struct workers **ret,
                  struct error *why);

/* Any thread. False: the queue is full of tasks that come before this one. */
bool workers_submit(struct workers *workers, struct task *task);

/* Take a task back; any thread. True: it had not begun, and done() is not called for it. */
bool workers_withdraw(struct workers *workers, struct task *task);

/* End the threads. Nothing may be waiting; what runs is waited for. */
void workers_stop(struct workers *workers);
