/* SPDX-License-Identifier: Apache-2.0
 * The daemon as a whole: from settings to a clean stop.
 *
 * The first loop runs on the main thread and also has the signals and the watchdog. */
#include "server/app.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "server/access_log.h"
#include "server/descriptors.h"
#include "server/log.h"
#include "server/loop.h"
#include "server/notify.h"
#include "server/opening.h"
#include "server/process_usage.h"
#include "server/reload.h"
#include "server/samples/guard.h"
#include "server/samples/scratch.h"
#include "server/scrubber.h"
#include "server/watchdog.h"

enum {
    READING_GRACE_MS = 1000, /* for threads that a disk holds up */
    HEAP_LARGEST_BYTES = 32 << 20,
    HEAP_SPARE_BYTES = 64 << 20,
};

struct app {
    struct settings settings; /* whose texts and lists are the caller's */
    struct service *service;
    struct listeners listeners;
    struct loop_shared shared;
    struct reload *reload;
    struct scrubber *scrubber; /* NULL where it is off */
    unsigned n_loops;
    struct loop **loops;
    uv_thread_t *threads; /* of all loops but the first */
    unsigned n_threads;
    uint64_t *turned_ms; /* [n_loops] */

    sigset_t signals_before;
    uv_signal_t on_term, on_int, on_hup;
    uv_timer_t watchdog;
    bool stopping;
};

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    struct app *app = handle->data;
    if (app->stopping)
        return;
    log_info("SIGHUP: reloading");
    access_log_reopen();
    reload_ask(app->reload);
}

/* A loop that hangs is as bad as a daemon that does; while it stops, loops end one by one. */
static void on_watchdog(uv_timer_t *timer)
{
    struct app *app = timer->data;
    for (unsigned i = 0; i < app->n_loops; i++)
        app->turned_ms[i] = loop_turned_ms(app->loops[i]);
    if (app->stopping || watchdog_all_fresh(app->turned_ms, app->n_loops, uv_hrtime() / 1000000,
                                            watchdog_limit_ms(notify_watchdog_ms())))
        notify_alive(admission_count(app->shared.admission));
}

static const char *signal_name(int number)
{
    return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

/* New clients find nobody from here on, whatever way they come. */
static void stop_loops(struct app *app)
{
    app->stopping = true;
    listeners_unlink(&app->listeners);
    for (unsigned i = 0; i < app->n_loops; i++)
        loop_stop(app->loops[i]);
}

static void on_terminate(uv_signal_t *handle, int number)
{
    struct app *app = handle->data;
    if (app->stopping)
        return;
    log_about(LOG_LEVEL_INFO, (.message = MESSAGE_STOPPING), "%s: stopping", signal_name(number));
    reload_end(app->reload);
    scrubber_end(app->scrubber);
    notify("STOPPING=1");
    stop_loops(app);
}

/* The handles of the first loop that stand beside its connections, and do not keep it running. */
static void each_handle(struct app *app, void (*call)(uv_handle_t *handle))
{
    uv_handle_t *const handles[] = {
        (uv_handle_t *)&app->on_term,
        (uv_handle_t *)&app->on_int,
        (uv_handle_t *)&app->on_hup,
        (uv_handle_t *)&app->watchdog,
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
    uint64_t sign_ms = notify_watchdog_ms() / 2;
    uv_timer_init(uv, &app->watchdog);
    app->watchdog.data = app;
    if (sign_ms)
        uv_timer_start(&app->watchdog, on_watchdog, sign_ms, sign_ms);
    each_handle(app, uv_unref);
}

static void loop_thread(void *loop)
{
    loop_run(loop);
}

static int open_shared(struct app *app, struct error *why)
{
    const struct settings *settings = &app->settings;
    app->shared.service = app->service;
    int r =
        admission_new((unsigned)settings->max_connections,
                      (unsigned)settings->max_connections_per_address, &app->shared.admission, why);
    if (r == 0)
        r = admission_new(ADMISSION_ADMINS, 0, &app->shared.admins, why);
    return r < 0 ? r
                 : workers_start(app->n_loops, settings->queue_length,
                                 settings->queue_cost_ms * 1000, &app->shared.workers, why);
}

static int open_loops(struct app *app, struct error *why)
{
    app->loops = calloc(app->n_loops, sizeof *app->loops);
    app->threads = calloc(app->n_loops, sizeof *app->threads);
    app->turned_ms = calloc(app->n_loops, sizeof *app->turned_ms);
    if (!app->loops || !app->threads || !app->turned_ms)
        return error_set(why, -ENOMEM, "no memory for %u loops", app->n_loops);
    for (unsigned i = 0; i < app->n_loops; i++) {
        int r = loop_open(&app->shared, &app->listeners, i, &app->loops[i], why);
        if (r < 0)
            return r;
    }
    return 0;
}

static void on_reload(void *scrubber)
{
    scrubber_wake(scrubber);
}

static int start_threads(struct app *app, struct error *why)
{
    int r = scrubber_start(app->service, &app->scrubber, why);
    if (r < 0)
        return r;
    if (app->scrubber)
        service_on_reload(app->service, on_reload, app->scrubber);
    r = reload_start(app->service, &app->reload, why);
    if (r < 0)
        return r;
    for (unsigned i = 1; i < app->n_loops; i++) {
        r = uv_thread_create(&app->threads[i], loop_thread, app->loops[i]);
        if (r < 0)
            return error_set(why, r, "cannot start a thread: %s", uv_strerror(r));
        app->n_threads++;
    }
    return 0;
}

static void announce(const struct app *app)
{
    for (unsigned i = 0; i < app->listeners.n; i++)
        log_about(LOG_LEVEL_INFO,
                  (.message = MESSAGE_STARTED, .address = app->listeners.items[i].name), "%s on %s",
                  app->listeners.items[i].is_admin ? "health and metrics" : "listening",
                  app->listeners.items[i].name);
    reload_say_ready(app->service, NULL);
}

/* Signals wait until there is somebody to take them; a hangup would end the process. */
static void block_signals(sigset_t *ret_stop, sigset_t *ret_before)
{
    sigset_t all;
    sigemptyset(ret_stop);
    sigaddset(ret_stop, SIGTERM);
    sigaddset(ret_stop, SIGINT);
    all = *ret_stop;
    sigaddset(&all, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &all, ret_before);
}

static int serve(struct app *app, struct error *why)
{
    int r = start_threads(app, why);
    if (r < 0) {
        stop_loops(app);
    } else {
        announce(app);
        start_handles(app);
        /* Signals that came meanwhile come now. */
        pthread_sigmask(SIG_SETMASK, &app->signals_before, NULL);
    }
    loop_run(app->loops[0]);
    for (unsigned i = 1; i <= app->n_threads; i++)
        uv_thread_join(&app->threads[i]);
    /* A signal does not interrupt what is left to be done, once libuv gives it back its default. No
     * other thread takes it. */
    sigset_t stop, before;
    block_signals(&stop, &before);
    if (r == 0)
        each_handle(app, close_handle);
    return r;
}

/* Answers that the one limit allows and the other never has room for would be 503 for ever. */
static void compare_limits(const struct settings *settings)
{
    uint64_t share = settings->max_pending_bytes_per_address;
    uint64_t room = settings->max_pending_bytes < share ? settings->max_pending_bytes : share;
    if (settings->max_answer_bytes > room)
        log_warning("max_answer_bytes is %" PRIu64 ", but max_pending_bytes and its share for one "
                    "address leave room for %" PRIu64 ": larger answers are always refused",
                    settings->max_answer_bytes, room);
}

/* Every connection is a descriptor. */
static int fit_connections(struct app *app, uint64_t limit, struct error *why)
{
    struct catalog *catalog = service_catalog(app->service);
    const struct descriptors needed = {
        .n_loops = app->n_loops,
        .n_listeners = app->listeners.n,
        .n_admins = listeners_have_admin(&app->listeners) ? ADMISSION_ADMINS : 0,
        .n_splits = catalog->n_entries,
        .max_connections = app->settings.max_connections};
    catalog_unref(catalog);
    uint64_t fit;
    int r = descriptors_fit(&needed, limit, &fit, why);
    if (r < 0)
        return r;
    if (fit < needed.max_connections)
        log_warning("max_connections is %" PRIu64 " instead of %" PRIu64
                    ": the limit of open descriptors (RLIMIT_NOFILE) is %" PRIu64,
                    fit, needed.max_connections, limit);
    app->settings.max_connections = fit;
    return 0;
}

/* Memory of answers is used again, not given to the kernel and asked back page by page each time;
 * only what is larger than any usual batch goes back at once. */
static void keep_heap(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, HEAP_LARGEST_BYTES);
    mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_BYTES);
#endif
}

static void prepare_process(void)
{
    process_usage_begin();
    log_open();
    keep_heap();
    signal(SIGPIPE, SIG_IGN);
    notify_open();
    guard_install();
}

/* What still reads the folder ends with the process. */
__attribute__((noreturn)) static void leave(struct app *app)
{
    listeners_unlink(&app->listeners);
    log_about(LOG_LEVEL_INFO, (.message = MESSAGE_STOPPED), "stopped");
    _exit(0);
}

static int open_all(struct app *app, struct error *why)
{
    sigset_t stop;
    block_signals(&stop, &app->signals_before);
    uint64_t limit = descriptors_raise_limit();
    /* Before anything else opens a descriptor, which could stand where one should be passed in. */
    int number, r = listeners_open(&app->settings, app->n_loops, &app->listeners, why);
    prepare_process();
    if (r == 0)
        r = access_log_open(&app->settings, why);
    if (r == 0)
        r = opening_run(&app->settings, &stop, &app->service, &number, why);
    if (r == -ECANCELED) {
        log_info("%s: stopping, before anything was served", signal_name(number));
        leave(app);
    }
    if (r == 0) {
        compare_limits(&app->settings);
        r = fit_connections(app, limit, why);
    }
    if (r == 0)
        r = open_shared(app, why);
    return r < 0 ? r : open_loops(app, why);
}

static void close_all(struct app *app)
{
    for (unsigned i = 0; app->loops && i < app->n_loops; i++)
        loop_close(app->loops[i]);
    workers_stop(app->shared.workers);
    admission_free(app->shared.admission);
    admission_free(app->shared.admins);
    uv_library_shutdown();
    free(app->loops);
    free(app->threads);
    free(app->turned_ms);
    listeners_close(&app->listeners);
    service_close(app->service);
    access_log_close();
    notify_close();
    scratch_free();
}

int app_run(const struct settings *settings, struct error *why)
{
    struct app app = {.settings = *settings};
    app.n_loops = settings->threads ? (unsigned)settings->threads : uv_available_parallelism();
    int r = open_all(&app, why);
    if (r == 0) {
        reload_log_files(app.service);
        reload_log_splits(app.service);
        r = serve(&app, why);
    }
    if (!reload_close(app.reload, READING_GRACE_MS) ||
        !scrubber_close(app.scrubber, READING_GRACE_MS))
        leave(&app);
    close_all(&app);
    if (r == 0)
        log_about(LOG_LEVEL_INFO, (.message = MESSAGE_STOPPED), "stopped");
    return r;
}
