/* SPDX-License-Identifier: Apache-2.0
 * One background thread with an event loop: calls, timers, descriptors, worker pool. The one door
 * to libuv. */
#include "client/loop.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

/* A function that is to run in the loop's thread while its caller waits. */
struct call {
    struct call *next;
    void (*fn)(void *user);
    void *user;
    bool done; /* under the lock */
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t called;
    struct call *first, **last; /* under the lock, like `stop` */
    bool stop;
};

struct loop_timer {
    uv_timer_t uv; /* first, so that closing can free the whole */
    void (*fn)(void *user);
    void *user;
};

struct loop_alarm {
    uv_async_t uv; /* first */
    void (*fn)(void *user);
    void *user;
};

struct loop_watch {
    uv_poll_t uv; /* first */
    void (*fn)(void *user, int fd, int events);
    void *user;
    int fd;
};

static void free_closed(uv_handle_t *handle)
{
    free(handle);
}

static struct call *take_calls(struct loop *loop, bool *ret_stop)
{
    pthread_mutex_lock(&loop->lock);
    struct call *calls = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    *ret_stop = loop->stop;
    pthread_mutex_unlock(&loop->lock);
    return calls;
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    bool stop;
    for (struct call *call = take_calls(loop, &stop), *next; call; call = next) {
        next = call->next; /* the call is gone once it is done */
        call->fn(call->user);
        pthread_mutex_lock(&loop->lock);
        call->done = true;
        pthread_cond_broadcast(&loop->called);
        pthread_mutex_unlock(&loop->lock);
    }
    if (stop)
        uv_close((uv_handle_t *)&loop->wake, NULL);
}

static void *thread_main(void *user)
{
    struct loop *loop = user;
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* until the last handle is closed */
    return NULL;
}

static int start_thread(struct loop *loop)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&loop->thread, NULL, thread_main, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

int loop_new(struct loop **ret, struct error *why)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return error_set(why, -ENOMEM, "no memory for a loop");
    loop->last = &loop->first;
    int r = uv_loop_init(&loop->uv);
    if (r < 0)
        goto fail_init;
    r = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (r < 0)
        goto fail_async;
    loop->wake.data = loop;
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->called, NULL);
    r = start_thread(loop);
    if (r < 0)
        goto fail_thread;
    *ret = loop;
    return 0;

fail_thread:
    pthread_cond_destroy(&loop->called);
    pthread_mutex_destroy(&loop->lock);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
fail_async:
    uv_loop_close(&loop->uv);
fail_init:
    free(loop);
    return error_set(why, r, "the background thread does not start: %s", uv_strerror(r));
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_mutex_unlock(&loop->lock);
    uv_async_send(&loop->wake);
    pthread_join(loop->thread, NULL);
    int r = uv_loop_close(&loop->uv);
    assert(r == 0);
    (void)r;
    pthread_cond_destroy(&loop->called);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_call(struct loop *loop, void (*fn)(void *user), void *user)
{
    struct call call = {.fn = fn, .user = user};
    pthread_mutex_lock(&loop->lock);
    *loop->last = &call;
    loop->last = &call.next;
    uv_async_send(&loop->wake);
    while (!call.done)
        pthread_cond_wait(&loop->called, &loop->lock);
    pthread_mutex_unlock(&loop->lock);
}

static void on_alarm(uv_async_t *uv)
{
    struct loop_alarm *alarm = (struct loop_alarm *)uv;
    alarm->fn(alarm->user);
}

int loop_alarm_new(struct loop *loop, void (*fn)(void *user), void *user, struct loop_alarm **ret)
{
    struct loop_alarm *alarm = calloc(1, sizeof *alarm);
    if (!alarm)
        return -ENOMEM;
    int r = uv_async_init(&loop->uv, &alarm->uv, on_alarm);
    if (r < 0) {
        free(alarm);
        return r;
    }
    alarm->fn = fn;
    alarm->user = user;
    *ret = alarm;
    return 0;
}

void loop_alarm_free(struct loop_alarm *alarm)
{
    if (alarm)
        uv_close((uv_handle_t *)&alarm->uv, free_closed);
}

void loop_alarm_ring(struct loop_alarm *alarm)
{
    uv_async_send(&alarm->uv);
}

int loop_timer_new(struct loop *loop, void (*fn)(void *user), void *user, struct loop_timer **ret)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return -ENOMEM;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->fn = fn;
    timer->user = user;
    *ret = timer;
    return 0;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, free_closed);
}

static void on_timer(uv_timer_t *uv)
{
    struct loop_timer *timer = (struct loop_timer *)uv;
    timer->fn(timer->user);
}

void loop_timer_start(struct loop_timer *timer, uint64_t after_ms)
{
    uv_update_time(timer->uv.loop);
    uv_timer_start(&timer->uv, on_timer, after_ms, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

uint64_t loop_now_ms(struct loop *loop)
{
    uv_update_time(&loop->uv);
    return uv_now(&loop->uv);
}

int loop_watch_new(struct loop *loop, int fd, void (*fn)(void *user, int fd, int events),
                   void *user, struct loop_watch **ret)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return -ENOMEM;
    int r = uv_poll_init(&loop->uv, &watch->uv, fd);
    if (r < 0) {
        free(watch);
        return r;
    }
    watch->fn = fn;
    watch->user = user;
    watch->fd = fd;
    *ret = watch;
    return 0;
}

void loop_watch_free(struct loop_watch *watch)
{
    if (watch)
        uv_close((uv_handle_t *)&watch->uv, free_closed);
}

static void on_poll(uv_poll_t *uv, int status, int events)
{
    struct loop_watch *watch = (struct loop_watch *)uv;
    int seen = status < 0 ? LOOP_FAILED : 0;
    seen |= events & UV_READABLE ? LOOP_READABLE : 0;
    seen |= events & UV_WRITABLE ? LOOP_WRITABLE : 0;
    watch->fn(watch->user, watch->fd, seen);
}

int loop_watch_set(struct loop_watch *watch, int events)
{
    int uv =
        (events & LOOP_READABLE ? UV_READABLE : 0) | (events & LOOP_WRITABLE ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->uv, uv, on_poll);
}

static void on_work(uv_work_t *uv)
{
    struct loop_work *work = uv->data;
    work->run(work);
}

static void after_work(uv_work_t *uv, int status)
{
    struct loop_work *work = uv->data;
    (void)status; /* work is never cancelled */
    free(uv);
    work->done(work);
}

int loop_work(struct loop *loop, struct loop_work *work)
{
    uv_work_t *uv = calloc(1, sizeof *uv);
    if (!uv)
        return -ENOMEM;
    uv->data = work;
    int r = uv_queue_work(&loop->uv, uv, on_work, after_work);
    if (r < 0)
        free(uv);
    return r;
}

struct loop_lookup {
    uv_getaddrinfo_t uv;                                   /* first */
    void (*done)(void *user, const struct addrinfo *list); /* NULL: abandoned */
    void *user;
};

static void on_addresses(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
    struct loop_lookup *lookup = (struct loop_lookup *)uv;
    if (lookup->done)
        lookup->done(lookup->user, status == 0 ? list : NULL);
    uv_freeaddrinfo(list);
    free(lookup);
}

int loop_lookup(struct loop *loop, const char *host,
                void (*done)(void *user, const struct addrinfo *list), void *user,
                struct loop_lookup **ret)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct loop_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return -ENOMEM;
    lookup->done = done;
    lookup->user = user;
    int r = uv_getaddrinfo(&loop->uv, &lookup->uv, on_addresses, host, NULL, &hints);
    if (r < 0)
        free(lookup);
    else
        *ret = lookup;
    return r;
}

void loop_lookup_abandon(struct loop_lookup *lookup)
{
    if (!lookup)
        return;
    lookup->done = NULL;
    uv_cancel((uv_req_t *)&lookup->uv);
}
