/* SPDX-License-Identifier: Apache-2.0
 * One serving thread: a libuv loop that drives its own HTTP servers.
 *
 * A server's descriptor is polled, and after every wake-up the server runs until it has nothing
 * left to do without waiting: libmicrohttpd loses wake-ups otherwise. */
#include "server/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/http.h"
#include "server/log.h"

enum { DEADLINE_INTERVAL_MS = 1000, DRAIN_INTERVAL_MS = 20, NS_IN_MS = 1000000 };

/* One HTTP server, and what wakes it. */
struct station {
    struct loop *loop;
    struct http *http;
    uv_poll_t poll;
    uv_timer_t timer;
};

struct loop {
    uv_loop_t uv;
    struct service *service;
    uv_async_t stop;
    uv_timer_t deadlines, drain;
    bool draining;
    uint64_t drain_until_ms;
    _Atomic uint64_t turned_ms;
    unsigned n_jobs; /* out in the pool */
    unsigned n_stations;
    struct station stations[];
};

struct work {
    uv_work_t uv;
    struct station *station;
    struct http_exchange *exchange;
};

static atomic_uint n_queued; /* by all loops */

static void run_station(struct station *station);

static void on_timer(uv_timer_t *timer)
{
    run_station(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run_station(poll->data);
}

static void run_station(struct station *station)
{
    int again_ms = http_run(station->http);
    if (again_ms >= 0)
        uv_timer_start(&station->timer, on_timer, (uint64_t)again_ms, 0);
    else
        uv_timer_stop(&station->timer);
}

static void on_work(uv_work_t *uv)
{
    http_exchange_run(((struct work *)uv->data)->exchange);
}

static void after_work(uv_work_t *uv, int status)
{
    (void)status;
    struct work *work = uv->data;
    struct station *station = work->station;
    atomic_fetch_sub(&n_queued, 1);
    station->loop->n_jobs--;
    http_exchange_done(work->exchange);
    free(work);
    run_station(station);
}

static bool on_submit(void *user, struct http_exchange *exchange)
{
    struct station *station = user;
    struct loop *loop = station->loop;
    unsigned most = (unsigned)service_settings(loop->service)->queue_length;
    struct work *work = malloc(sizeof *work);
    if (atomic_fetch_add(&n_queued, 1) >= most || !work) {
        atomic_fetch_sub(&n_queued, 1);
        free(work);
        return false;
    }
    *work = (struct work){.uv = {.data = work}, .station = station, .exchange = exchange};
    loop->n_jobs++;
    uv_queue_work(&loop->uv, &work->uv, on_work, after_work);
    return true;
}

static void close_handles(struct loop *loop)
{
    for (unsigned i = 0; i < loop->n_stations; i++) {
        http_stop(loop->stations[i].http);
        loop->stations[i].http = NULL;
        uv_close((uv_handle_t *)&loop->stations[i].poll, NULL);
        uv_close((uv_handle_t *)&loop->stations[i].timer, NULL);
    }
    loop->n_stations = 0;
    uv_close((uv_handle_t *)&loop->stop, NULL);
    uv_close((uv_handle_t *)&loop->deadlines, NULL);
    uv_close((uv_handle_t *)&loop->drain, NULL);
}

static void on_drain(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    unsigned n_running = 0;
    for (unsigned i = 0; i < loop->n_stations; i++) {
        run_station(&loop->stations[i]);
        n_running += http_n_running(loop->stations[i].http);
    }
    bool late = uv_now(&loop->uv) >= loop->drain_until_ms;
    if (loop->n_jobs > 0 || (n_running > 0 && !late))
        return;
    if (n_running > 0)
        log_warning("%u requests were still running at the end of stop_timeout_s", n_running);
    close_handles(loop);
}

static void on_stop(uv_async_t *async)
{
    struct loop *loop = async->data;
    if (loop->draining)
        return;
    loop->draining = true;
    for (unsigned i = 0; i < loop->n_stations; i++)
        http_stop_accepting(loop->stations[i].http);
    loop->drain_until_ms =
        uv_now(&loop->uv) + service_settings(loop->service)->stop_timeout_s * 1000;
    uv_timer_start(&loop->drain, on_drain, 0, DRAIN_INTERVAL_MS);
}

static void on_deadlines(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    atomic_store(&loop->turned_ms, uv_hrtime() / NS_IN_MS);
    for (unsigned i = 0; i < loop->n_stations; i++)
        http_check_deadlines(loop->stations[i].http);
}

static int open_station(struct loop *loop, struct listeners *listeners, unsigned i, unsigned index,
                        struct error *why)
{
    struct station *station = &loop->stations[i];
    station->loop = loop;
    int *fd = &listeners->items[i].fds[index];
    int r =
        http_start(loop->service, *fd, listeners->n_loops, on_submit, station, &station->http, why);
    if (r < 0)
        return r;
    *fd = -1;
    station->poll.data = station->timer.data = station;
    uv_timer_init(&loop->uv, &station->timer);
    r = uv_poll_init(&loop->uv, &station->poll, http_fd(station->http));
    if (r == 0)
        r = uv_poll_start(&station->poll, UV_READABLE, on_readable);
    loop->n_stations++;
    return r < 0 ? error_set(why, r, "cannot poll: %s", uv_strerror(r)) : 0;
}

int loop_open(struct service *service, struct listeners *listeners, unsigned index,
              struct loop **ret, struct error *why)
{
    struct loop *loop = calloc(1, sizeof *loop + listeners->n * sizeof loop->stations[0]);
    if (!loop)
        return error_set(why, -ENOMEM, "no memory for a loop");
    int r = uv_loop_init(&loop->uv);
    if (r < 0) {
        free(loop);
        return error_set(why, r, "cannot make a loop: %s", uv_strerror(r));
    }
    loop->service = service;
    atomic_init(&loop->turned_ms, uv_hrtime() / NS_IN_MS);
    loop->stop.data = loop->deadlines.data = loop->drain.data = loop;
    uv_async_init(&loop->uv, &loop->stop, on_stop);
    uv_timer_init(&loop->uv, &loop->deadlines);
    uv_timer_init(&loop->uv, &loop->drain);
    uv_timer_start(&loop->deadlines, on_deadlines, DEADLINE_INTERVAL_MS, DEADLINE_INTERVAL_MS);
    for (unsigned i = 0; r == 0 && i < listeners->n; i++)
        r = open_station(loop, listeners, i, index, why);
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
    if (!uv_is_closing((uv_handle_t *)&loop->stop))
        close_handles(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    free(loop);
}
