/* SPDX-License-Identifier: Apache-2.0
 * One background thread with an event loop: calls, timers, descriptors, worker pool. The one door
 * to libuv. */
#pragma once

#include <stdint.h>

#include "common/error.h"

struct addrinfo;
struct loop;

/* Start the thread, which takes no signals. Errors: -ENOMEM, -EAGAIN, -EMFILE. */
int loop_new(struct loop **ret, struct error *why);

/* End and join it, once all calls have run; everything below has to be freed before. Any
 * thread but its own. */
void loop_free(struct loop *loop);

/* Run fn(user) in the loop's thread and wait until it has run; in the order of the calls. Any
 * thread but the loop's. */
void loop_call(struct loop *loop, void (*fn)(void *user), void *user);

/* What follows belongs to the loop's thread, but for loop_alarm_ring(). */

/* Something that is run when it was asked for, once for any number of times that it was before it
 * runs. */
struct loop_alarm;
int loop_alarm_new(struct loop *loop, void (*fn)(void *user), void *user, struct loop_alarm **ret);
void loop_alarm_free(struct loop_alarm *alarm);
void loop_alarm_ring(struct loop_alarm *alarm); /* any thread, until it is freed */

struct loop_timer;
int loop_timer_new(struct loop *loop, void (*fn)(void *user), void *user, struct loop_timer **ret);
void loop_timer_free(struct loop_timer *timer);
void loop_timer_start(struct loop_timer *timer, uint64_t after_ms); /* once; a new time replaces */
void loop_timer_stop(struct loop_timer *timer);
uint64_t loop_now_ms(struct loop *loop);

enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2, LOOP_FAILED = 4 };

struct loop_watch;
int loop_watch_new(struct loop *loop, int fd, void (*fn)(void *user, int fd, int events),
                   void *user, struct loop_watch **ret);
void loop_watch_free(struct loop_watch *watch);
int loop_watch_set(struct loop_watch *watch, int events);

/* Run work->run on the worker pool, then work->done in the loop's thread. */
struct loop_work {
    void (*run)(struct loop_work *work);
    void (*done)(struct loop_work *work);
};
int loop_work(struct loop *loop, struct loop_work *work);

/* Ask the system for the addresses of a host, and tell them, which are borrowed; NULL: it does not
 * know. Nothing is told once it was abandoned, which has to be before the loop is freed; that waits
 * for the system. Errors: -ENOMEM and what libuv says. */
struct loop_lookup;
int loop_lookup(struct loop *loop, const char *host,
                void (*done)(void *user, const struct addrinfo *list), void *user,
                struct loop_lookup **ret);
void loop_lookup_abandon(struct loop_lookup *lookup); /* accepts NULL */
