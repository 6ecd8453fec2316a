/* SPDX-License-Identifier: Apache-2.0
 * One serving thread: a libuv loop that lets clients in, serves them, and hands heavy requests to
 * the workers.
 *
 * A connection lives and dies on the loop that let it in. Where every loop has a socket of its own
 * the kernel spreads clients over them; where they share one, whoever comes first lets a few in and
 * then serves them, so that a busy loop gets fewer. */
#include "server/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/http.h"
#include "server/log.h"
#include "server/metrics.h"

enum {
    CHECK_INTERVAL_MS = 1000,
    DRAIN_INTERVAL_MS = 20,
    REOPEN_MS = 50, /* after there was no room for one more connection */
    ACCEPTS_AT_A_TIME = 16,
    COMPLAINT_INTERVAL_MS = 60000,
    NS_IN_MS = 1000000,
};

/* Where clients come in: a listening socket. */
struct gate {
    struct loop *loop;
    int fd;
    bool is_admin;
    uv_poll_t poll;
};

struct loop {
    uv_loop_t uv;
    const struct loop_shared *shared;
    struct http *http;
    uv_poll_t ready;           /* http_fd() */
    uv_timer_t again;          /* http_run() is due */
    uv_idle_t more;            /* the same, at once, but after the others had their turn */
    uv_async_t finished, stop; /* from other threads */
    uv_timer_t check, drain, reopen;
    bool draining;
    uint64_t drain_until_ms;
    _Atomic uint64_t turned_ms;
    unsigned n_gates;
    struct gate gates[];
};

static _Atomic uint64_t complained_ms; /* by any loop, of too little room */

static void on_again(uv_timer_t *timer);
static void on_more(uv_idle_t *idle);

/* A timer of 0 ms would run again before anything else does, for ever. */
static void serve(struct loop *loop)
{
    int again_ms = http_run(loop->http);
    uv_timer_stop(&loop->again);
    uv_idle_stop(&loop->more);
    if (again_ms == 0)
        uv_idle_start(&loop->more, on_more);
    else if (again_ms > 0)
        uv_timer_start(&loop->again, on_again, (uint64_t)again_ms, 0);
}

static void on_again(uv_timer_t *timer)
{
    serve(timer->data);
}

static void on_more(uv_idle_t *idle)
{
    serve(idle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    serve(poll->data);
}

static void on_finished(uv_async_t *async)
{
    struct loop *loop = async->data;
    if (!loop->http)
        return;
    http_collect(loop->http);
    serve(loop);
}

static void wake(void *user)
{
    uv_async_send(&((struct loop *)user)->finished);
}

/* ---- gates ---- */

static void on_knock(uv_poll_t *poll, int status, int events);

static void on_reopen(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    for (unsigned i = 0; i < loop->n_gates && !loop->draining; i++)
        uv_poll_start(&loop->gates[i].poll, UV_READABLE, on_knock);
}

/* Nothing says when a descriptor is free again, or another loop has lost a client: look again. */
static void close_for_a_while(struct loop *loop, bool is_admin, int error)
{
    for (unsigned i = 0; i < loop->n_gates; i++)
        if (loop->gates[i].is_admin == is_admin)
            uv_poll_stop(&loop->gates[i].poll);
    tally_add(error == -EUSERS ? METRICS_PAUSED_CONNECTIONS : METRICS_PAUSED_SHORTAGE, 1);
    uv_timer_start(&loop->reopen, on_reopen, REOPEN_MS, 0);
    uint64_t now_ms = uv_hrtime() / NS_IN_MS, before_ms = atomic_load(&complained_ms);
    if ((before_ms == 0 || now_ms - before_ms >= COMPLAINT_INTERVAL_MS) &&
        atomic_compare_exchange_strong(&complained_ms, &before_ms, now_ms))
        log_about(LOG_LEVEL_WARNING, (.message = MESSAGE_REFUSED), "clients have to wait: %s",
                  error == -EUSERS ? "max_connections are open" : strerror(-error));
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    const struct gate *gate = poll->data;
    struct loop *loop = gate->loop;
    int r = 0;
    for (int i = 0; i < ACCEPTS_AT_A_TIME && r == 0; i++) {
        struct guest guest;
        r = admission_accept(gate->is_admin ? loop->shared->admins : loop->shared->admission,
                             gate->fd, &guest);
        guest.is_admin = gate->is_admin;
        if (r == 0)
            http_add(loop->http, &guest);
        else if (r == -ECONNREFUSED || r == -ECONNABORTED || r == -EINTR)
            r = 0;
    }
    if (r < 0 && r != -EAGAIN)
        close_for_a_while(loop, gate->is_admin, r);
    serve(loop);
}

static int open_gate(struct loop *loop, bool is_admin, int *fd, struct error *why)
{
    struct gate *gate = &loop->gates[loop->n_gates];
    *gate = (struct gate){.loop = loop, .fd = *fd, .is_admin = is_admin};
    int r = uv_poll_init(&loop->uv, &gate->poll, *fd);
    if (r < 0)
        return error_set(why, r, "cannot poll a listening socket: %s", uv_strerror(r));
    *fd = -1;
    loop->n_gates++;
    gate->poll.data = gate;
    r = uv_poll_start(&gate->poll, UV_READABLE, on_knock);
    return r < 0 ? error_set(why, r, "cannot poll a listening socket: %s", uv_strerror(r)) : 0;
}

/* New clients are refused from here on. */
static void close_gates(struct loop *loop)
{
    for (unsigned i = 0; i < loop->n_gates; i++) {
        uv_close((uv_handle_t *)&loop->gates[i].poll, NULL);
        close(loop->gates[i].fd);
    }
    loop->n_gates = 0;
}

/* ---- the loop ---- */

/* A handle that could not be made is all zeros still. */
static void close_handle(void *handle)
{
    if (((uv_handle_t *)handle)->type != UV_UNKNOWN_HANDLE)
        uv_close(handle, NULL);
}

static void close_all(struct loop *loop)
{
    if (loop->stop.type != UV_UNKNOWN_HANDLE && uv_is_closing((uv_handle_t *)&loop->stop))
        return;
    close_gates(loop);
    http_stop(loop->http);
    loop->http = NULL;
    void *const handles[] = {&loop->ready, &loop->again, &loop->more,  &loop->finished,
                             &loop->stop,  &loop->check, &loop->drain, &loop->reopen};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        close_handle(handles[i]);
}

static void on_drain(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    bool late = uv_now(&loop->uv) >= loop->drain_until_ms;
    if (late)
        http_give_up_waiting(loop->http);
    serve(loop);
    unsigned n_running = http_n_running(loop->http);
    if (http_n_out(loop->http) > 0 || ((n_running > 0 || http_expects(loop->http)) && !late))
        return;
    if (n_running > 0)
        log_warning("%u requests were still running at the end of stop_timeout_s", n_running);
    close_all(loop);
}

static void on_stop(uv_async_t *async)
{
    struct loop *loop = async->data;
    if (loop->draining)
        return;
    loop->draining = true;
    close_gates(loop);
    http_stop_keeping(loop->http);
    loop->drain_until_ms =
        uv_now(&loop->uv) + service_settings(loop->shared->service)->stop_timeout_s * 1000;
    uv_timer_start(&loop->drain, on_drain, 0, DRAIN_INTERVAL_MS);
}

static void on_check(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    atomic_store(&loop->turned_ms, uv_hrtime() / NS_IN_MS);
    http_check_peers(loop->http);
    serve(loop);
}

static int open_handles(struct loop *loop)
{
    loop->ready.data = loop->again.data = loop->more.data = loop->finished.data = loop;
    loop->stop.data = loop->check.data = loop->drain.data = loop->reopen.data = loop;
    uv_timer_init(&loop->uv, &loop->again);
    uv_idle_init(&loop->uv, &loop->more);
    uv_timer_init(&loop->uv, &loop->check);
    uv_timer_init(&loop->uv, &loop->drain);
    uv_timer_init(&loop->uv, &loop->reopen);
    uv_timer_start(&loop->check, on_check, CHECK_INTERVAL_MS, CHECK_INTERVAL_MS);
    int r = uv_async_init(&loop->uv, &loop->stop, on_stop);
    if (r == 0)
        r = uv_async_init(&loop->uv, &loop->finished, on_finished);
    if (r == 0)
        r = uv_poll_init(&loop->uv, &loop->ready, http_fd(loop->http));
    return r < 0 ? r : uv_poll_start(&loop->ready, UV_READABLE, on_ready);
}

static int fill(struct loop *loop, struct listeners *listeners, unsigned index, struct error *why)
{
    const struct loop_shared *shared = loop->shared;
    int r = http_start(shared->service, shared->workers, wake, loop, &loop->http, why);
    if (r < 0)
        return r;
    r = open_handles(loop);
    if (r < 0)
        return error_set(why, r, "cannot make a loop: %s", uv_strerror(r));
    for (unsigned i = 0; r == 0 && i < listeners->n; i++)
        r = open_gate(loop, listeners->items[i].is_admin, &listeners->items[i].fds[index], why);
    return r;
}

int loop_open(const struct loop_shared *shared, struct listeners *listeners, unsigned index,
              struct loop **ret, struct error *why)
{
    struct loop *loop = calloc(1, sizeof *loop + listeners->n * sizeof loop->gates[0]);
    if (!loop)
        return error_set(why, -ENOMEM, "no memory for a loop");
    int r = uv_loop_init(&loop->uv);
    if (r < 0) {
        free(loop);
        return error_set(why, r, "cannot make a loop: %s", uv_strerror(r));
    }
    loop->shared = shared;
    atomic_init(&loop->turned_ms, uv_hrtime() / NS_IN_MS);
    r = fill(loop, listeners, index, why);
    if (r < 0) {
        loop_close(loop);
        return r;
    }
    *ret = loop;
    return 0;
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

uint64_t loop_turned_ms(const struct loop *loop)
{
    return atomic_load(&loop->turned_ms);
}

void loop_stop(struct loop *loop)
{
    uv_async_send(&loop->stop);
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    close_all(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    free(loop);
}
