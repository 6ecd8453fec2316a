/* SPDX-License-Identifier: Apache-2.0
 * Opens the folder anew beside what is served: when that is asked for, and when its files have
 * changed. On a thread of its own, so that nothing else waits for it, nor it for anything. */
#include "server/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/damage.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/notify.h"
#include "server/snapshot.h"

struct reload {
    struct service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* what stands below */
    bool asked, ending, ended;

    /* The thread's own. */
    char *failed; /* the folder as it was when it could not be opened; NULL: try again */
    struct error last_failure;
    struct error file_failure; /* of tokens or certificate, when they were asked for last */
};

void reload_log_splits(struct service *service)
{
    struct catalog *catalog = service_catalog(service);
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const struct entry *entry = catalog->entries[i];
        log_about(LOG_LEVEL_INFO,
                  (.message = MESSAGE_LOADED, .split = entry->name, .revision = entry->revision),
                  "split %s@%.*s: %" PRIu64 " samples, %" PRIu64 " events, %s", entry->name,
                  WIRE_REVISION_MIN, entry->revision, split_n_samples(entry->split),
                  split_n_events(entry->split), split_meta(entry->split, "origin"));
    }
    for (size_t i = 0; i < catalog->n_found; i++) {
        const struct found *found = &catalog->found[i];
        if (found->fault.text[0] && found->is_news)
            log_about(LOG_LEVEL_ERROR, (.message = MESSAGE_PASSED_OVER, .split = found->name),
                      "passed over: %s%s", found->fault.text,
                      catalog_find(catalog, found->name, strlen(found->name))
                          ? "; what was served under its name is served on"
                          : "");
    }
    catalog_unref(catalog);
}

void reload_log_files(struct service *service)
{
    struct tokens *tokens = service_tokens(service);
    struct tls *tls = service_tls(service);
    char words[TLS_WORDS_SIZE];
    if (tokens)
        log_info("%u tokens in %s", tokens_count(tokens), service_settings(service)->token_file);
    if (tls && tls_describe(tls, words))
        log_info("certificate of %s", words);
    else if (tls)
        log_warning("certificate of %s: clients will not take it", words);
}

/* How many files of the folder are not served, and why the first of them is not. */
static unsigned count_passed_over(const struct catalog *catalog, const struct error **ret_why)
{
    unsigned n = 0;
    for (size_t i = catalog->n_found; i > 0; i--) {
        if (!catalog->found[i - 1].fault.text[0])
            continue;
        *ret_why = &catalog->found[i - 1].fault;
        n++;
    }
    return n;
}

void reload_say_ready(struct service *service, const struct error *why_not_newer)
{
    struct catalog *catalog = service_catalog(service);
    const char *folder = service_settings(service)->data;
    const struct error *why;
    unsigned n_passed_over = count_passed_over(catalog, &why);
    if (why_not_newer)
        notify_status("READY=1", "serving %zu splits of %s; not reloaded: %s", catalog->n_entries,
                      folder, why_not_newer->text);
    else if (n_passed_over)
        notify_status("READY=1", "serving %zu splits of %s; %u passed over: %s", catalog->n_entries,
                      folder, n_passed_over, why->text);
    else
        notify_status("READY=1", "serving %zu splits of %s", catalog->n_entries, folder);
    catalog_unref(catalog);
}

static bool is_ending(struct reload *reload)
{
    pthread_mutex_lock(&reload->lock);
    bool ending = reload->ending;
    pthread_mutex_unlock(&reload->lock);
    return ending;
}

static void say_ready(struct reload *reload, const struct error *why_not_newer)
{
    if (!is_ending(reload))
        reload_say_ready(reload->service, why_not_newer);
}

/* What is wrong and stays so is said once. */
static void report_failure(struct reload *reload, bool asked, const struct error *why)
{
    tally_add(METRICS_RELOADED_FAILURE, 1);
    if (!asked && strcmp(why->text, reload->last_failure.text) == 0)
        return;
    log_about(LOG_LEVEL_ERROR, (.message = MESSAGE_NOT_RELOADED),
              "not reloaded, the splits from before are served on: %s", why->text);
    reload->last_failure = *why;
    say_ready(reload, why);
}

static void report_success(struct reload *reload)
{
    tally_add(METRICS_RELOADED_SUCCESS, 1);
    log_about(LOG_LEVEL_INFO, (.message = MESSAGE_RELOADED), "reloaded %s",
              service_settings(reload->service)->data);
    reload_log_splits(reload->service);
    reload->last_failure.text[0] = '\0';
    say_ready(reload, reload->file_failure.text[0] ? &reload->file_failure : NULL);
}

/* Whether the folder itself may be right, and another try find it so. */
static bool is_passing(int error)
{
    return error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EAGAIN;
}

/* The folder is looked at before it is opened: what changes meanwhile has changed since. */
static void open_anew(struct reload *reload, bool asked)
{
    struct error why = {0};
    char *before = NULL;
    int r = snapshot_take(service_settings(reload->service)->data, &before, &why);
    if (r == 0)
        r = service_reload(reload->service, &why);
    free(reload->failed);
    reload->failed = r < 0 && !is_passing(r) ? before : NULL;
    if (!reload->failed)
        free(before);
    if (r < 0)
        report_failure(reload, asked, &why);
    else
        report_success(reload);
}

/* A folder that could not be opened is opened again only after it has changed once more: hashing
 * all of it over and over would find the same. */
static bool has_changed(struct reload *reload)
{
    struct error why;
    char *now;
    int r = snapshot_take(service_settings(reload->service)->data, &now, &why);
    if (r < 0) {
        report_failure(reload, false, &why);
        return false;
    }
    bool has_failed_so = reload->failed && strcmp(now, reload->failed) == 0;
    free(now);
    return service_is_stale(reload->service) && !has_failed_so;
}

/* What cannot be read leaves what was read before, and does not keep the splits from being opened
 * anew. */
static void read_file(struct reload *reload, const char *what,
                      int (*read)(struct service *service, struct error *why))
{
    struct error why;
    if (read(reload->service, &why) == 0)
        return;
    log_error("the %s used on: %s", what, why.text);
    reload->file_failure = why;
}

static void read_files(struct reload *reload)
{
    reload->file_failure.text[0] = '\0';
    read_file(reload, "tokens from before are", service_reload_tokens);
    read_file(reload, "certificate from before is", service_reload_tls);
    reload_log_files(reload->service);
}

static void look(struct reload *reload, bool asked)
{
    if (asked) {
        notify_reloading();
        read_files(reload);
    }
    struct catalog *catalog = service_catalog(reload->service);
    catalog_check(catalog);
    for (size_t i = 0; i < catalog->n_entries; i++)
        damage_tell(catalog->entries[i], NULL);
    catalog_unref(catalog);
    if (asked || has_changed(reload))
        open_anew(reload, asked);
}

/* Until somebody asks, or it is time to look by itself. With the lock. */
static void wait_for_work(struct reload *reload)
{
    time_t interval_s = (time_t)service_settings(reload->service)->watch_interval_s;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += interval_s;
    int r = 0;
    while (!reload->asked && !reload->ending && r == 0)
        r = interval_s > 0 ? pthread_cond_timedwait(&reload->changed, &reload->lock, &until)
                           : pthread_cond_wait(&reload->changed, &reload->lock);
}

static void *watch(void *user)
{
    struct reload *reload = user;
    pthread_mutex_lock(&reload->lock);
    for (;;) {
        wait_for_work(reload);
        if (reload->ending)
            break;
        bool asked = reload->asked;
        reload->asked = false;
        pthread_mutex_unlock(&reload->lock);
        look(reload, asked);
        pthread_mutex_lock(&reload->lock);
    }
    reload->ended = true;
    pthread_cond_broadcast(&reload->changed);
    pthread_mutex_unlock(&reload->lock);
    return NULL;
}

static void init_lock(struct reload *reload)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&reload->lock, NULL);
    pthread_cond_init(&reload->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void free_all(struct reload *reload)
{
    pthread_cond_destroy(&reload->changed);
    pthread_mutex_destroy(&reload->lock);
    free(reload->failed);
    free(reload);
}

int reload_start(struct service *service, struct reload **ret, struct error *why)
{
    struct reload *reload = calloc(1, sizeof *reload);
    if (!reload)
        return error_set(why, -ENOMEM, "no memory for the watch of the folder");
    reload->service = service;
    init_lock(reload);
    int r = -pthread_create(&reload->thread, NULL, watch, reload);
    if (r < 0) {
        free_all(reload);
        return error_set(why, r, "cannot start a thread: %s", strerror(-r));
    }
    *ret = reload;
    return 0;
}

static void set(struct reload *reload, bool *flag)
{
    pthread_mutex_lock(&reload->lock);
    *flag = true;
    pthread_cond_broadcast(&reload->changed);
    pthread_mutex_unlock(&reload->lock);
}

void reload_ask(struct reload *reload)
{
    set(reload, &reload->asked);
}

void reload_end(struct reload *reload)
{
    set(reload, &reload->ending);
}

static bool wait_for_end(struct reload *reload, uint64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int r = 0;
    pthread_mutex_lock(&reload->lock);
    while (!reload->ended && r == 0)
        r = pthread_cond_timedwait(&reload->changed, &reload->lock, &until);
    bool ended = reload->ended;
    pthread_mutex_unlock(&reload->lock);
    return ended;
}

bool reload_close(struct reload *reload, uint64_t timeout_ms)
{
    if (!reload)
        return true;
    reload_end(reload);
    if (!wait_for_end(reload, timeout_ms))
        return false;
    pthread_join(reload->thread, NULL);
    free_all(reload);
    return true;
}
