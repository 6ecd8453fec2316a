/* SPDX-License-Identifier: Apache-2.0
 * The daemon as a whole: from settings to a clean stop.
 *
 * The first loop runs on the main thread and also has the signals, the watchdog and the reload. */
#include "server/app.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "server/log.h"
#include "server/loop.h"
#include "server/notify.h"
#include "server/samples/guard.h"
#include "server/samples/scratch.h"

struct app {
    const struct settings *settings;
    struct service *service;
    struct listeners listeners;
    unsigned n_loops;
    struct loop **loops;
    uv_thread_t *threads; /* of all loops but the first */
    unsigned n_threads;

    uv_signal_t on_term, on_int, on_hup;
    uv_timer_t watchdog, watch;
    uv_work_t reload;
    bool reloading, reload_asked, stopping;
    struct error reload_error, last_reload_error;
    int reload_result;
};

static void log_catalog(struct service *service)
{
    struct catalog *catalog = service_catalog(service);
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const struct entry *entry = catalog->entries[i];
        log_info("split %s@%.*s: %" PRIu64 " samples, %" PRIu64 " events, %s", entry->name,
                 CATALOG_REVISION_MIN, entry->revision, split_n_samples(entry->split),
                 split_n_events(entry->split), split_meta(entry->split, "origin"));
    }
    catalog_unref(catalog);
}

static void reload_work(uv_work_t *work)
{
    struct app *app = work->data;
    app->reload_result = 0;
    if (app->reload_asked || service_is_stale(app->service))
        app->reload_result = service_reload(app->service, &app->reload_error) == 0 ? 1 : -1;
}

static void reload_done(uv_work_t *work, int status)
{
    (void)status;
    struct app *app = work->data;
    bool asked = app->reload_asked;
    app->reloading = app->reload_asked = false;
    if (asked)
        notify("READY=1");
    if (app->reload_result > 0) {
        log_info("reloaded %s", app->settings->data);
        log_catalog(app->service);
        app->last_reload_error.text[0] = '\0';
    } else if (app->reload_result < 0 &&
               (asked || strcmp(app->reload_error.text, app->last_reload_error.text) != 0)) {
        log_error("not reloaded, the splits from before are served on: %s", app->reload_error.text);
        app->last_reload_error = app->reload_error;
    }
}

static void start_reload(struct app *app, bool asked)
{
    if (app->reloading || app->stopping)
        return;
    app->reloading = true;
    app->reload_asked = asked;
    uv_queue_work(loop_uv(app->loops[0]), &app->reload, reload_work, reload_done);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    log_info("SIGHUP: reloading");
    start_reload(handle->data, true);
}

static void on_watch(uv_timer_t *timer)
{
    start_reload(timer->data, false);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    notify("WATCHDOG=1");
}

static void on_terminate(uv_signal_t *handle, int number)
{
    struct app *app = handle->data;
    if (app->stopping)
        return;
    app->stopping = true;
    log_info("%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
    notify("STOPPING=1");
    for (unsigned i = 0; i < app->n_loops; i++)
        loop_stop(app->loops[i]);
}

/* The handles of the first loop that are there beside its connections, and do not keep it running.
 */
static void each_handle(struct app *app, void (*call)(uv_handle_t *handle))
{
    uv_handle_t *const handles[] = {
        (uv_handle_t *)&app->on_term,  (uv_handle_t *)&app->on_int, (uv_handle_t *)&app->on_hup,
        (uv_handle_t *)&app->watchdog, (uv_handle_t *)&app->watch,
    };
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        call(handles[i]);
}

static void close_handle(uv_handle_t *handle)
{
    uv_close(handle, NULL);
}

static void start_handles(struct app *app)
{
    uv_loop_t *uv = loop_uv(app->loops[0]);
    const struct {
        uv_signal_t *handle;
        int number;
        uv_signal_cb call;
    } signals[] = {
        {&app->on_term, SIGTERM, on_terminate},
        {&app->on_int, SIGINT, on_terminate},
        {&app->on_hup, SIGHUP, on_hangup},
    };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        uv_signal_init(uv, signals[i].handle);
        signals[i].handle->data = app;
        uv_signal_start(signals[i].handle, signals[i].call, signals[i].number);
    }
    uint64_t watchdog_ms = notify_watchdog_ms(), watch_ms = app->settings->watch_interval_s * 1000;
    uv_timer_init(uv, &app->watchdog);
    uv_timer_init(uv, &app->watch);
    app->watch.data = app->reload.data = app;
    if (watchdog_ms)
        uv_timer_start(&app->watchdog, on_watchdog, watchdog_ms, watchdog_ms);
    if (watch_ms)
        uv_timer_start(&app->watch, on_watch, watch_ms, watch_ms);
    each_handle(app, uv_unref);
}

static void loop_thread(void *loop)
{
    loop_run(loop);
}

static int open_loops(struct app *app, struct error *why)
{
    app->loops = calloc(app->n_loops, sizeof *app->loops);
    app->threads = calloc(app->n_loops, sizeof *app->threads);
    if (!app->loops || !app->threads)
        return error_set(why, -ENOMEM, "no memory for %u loops", app->n_loops);
    for (unsigned i = 0; i < app->n_loops; i++) {
        int r = loop_open(app->service, &app->listeners, i, &app->loops[i], why);
        if (r < 0)
            return r;
    }
    return 0;
}

static int serve(struct app *app, struct error *why)
{
    start_handles(app);
    int r = 0;
    for (unsigned i = 1; r == 0 && i < app->n_loops; i++) {
        r = uv_thread_create(&app->threads[i], loop_thread, app->loops[i]);
        app->n_threads += r == 0;
    }
    if (r < 0) {
        error_set(why, r, "cannot start a thread: %s", uv_strerror(r));
        raise(SIGTERM);
    } else {
        for (unsigned i = 0; i < app->listeners.n; i++)
            log_info("listening on %s", app->listeners.items[i].name);
        notify("READY=1");
    }
    loop_run(app->loops[0]);
    for (unsigned i = 1; i <= app->n_threads; i++)
        uv_thread_join(&app->threads[i]);
    each_handle(app, close_handle);
    /* A second signal does not interrupt what is left to be done. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    return r;
}

/* Every connection is a descriptor. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void prepare_process(unsigned n_loops)
{
    char pool_size[16];
    snprintf(pool_size, sizeof pool_size, "%u", n_loops);
    setenv("UV_THREADPOOL_SIZE", pool_size, 0);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    guard_install();
}

int app_run(const struct settings *settings, struct error *why)
{
    struct app app = {.settings = settings};
    app.n_loops = settings->threads ? (unsigned)settings->threads : uv_available_parallelism();
    prepare_process(app.n_loops);
    int r = listeners_open(settings, app.n_loops, &app.listeners, why);
    if (r == 0)
        r = service_open(settings, &app.service, why);
    if (r == 0)
        r = open_loops(&app, why);
    if (r == 0) {
        log_catalog(app.service);
        r = serve(&app, why);
    }
    for (unsigned i = 0; app.loops && i < app.n_loops; i++)
        loop_close(app.loops[i]);
    uv_library_shutdown();
    free(app.loops);
    free(app.threads);
    listeners_close(&app.listeners);
    service_close(app.service);
    scratch_free();
    if (r == 0)
        log_info("stopped");
    return r;
}
