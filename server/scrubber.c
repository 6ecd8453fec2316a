/* SPDX-License-Identifier: Apache-2.0
 * Holds every split that is served against its checksums: once it is mapped, and from then on every
 * scrub_interval_s. */
#include "server/scrubber.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server/damage.h"
#include "server/log.h"
#include "server/notify.h"
#include "server/samples/scrub.h"

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000 };

struct scrubber {
    struct service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* what stands below */
    bool woken, ending;

    /* The thread's own, of the scrub that runs. */
    const struct entry *entry;
    uint64_t done;     /* bytes */
    uint64_t begun_ns; /* the piece before */
    uint64_t next_ns;  /* before which no other begins */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Where the system does not allow it, the rate alone has to do. */
static void become_idle(void)
{
    enum { WHO_THREAD = 1, CLASS_IDLE = 3 << 13 }; /* of ioprio_set(2) */
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &(struct sched_param){0});
    syscall(SYS_ioprio_set, WHO_THREAD, 0, CLASS_IDLE);
}

/* Until that moment, or somebody wants to stop it or, if `for_news`, wake it. False: to stop. */
static bool wait_until(struct scrubber *scrubber, uint64_t until_ns, bool for_news)
{
    const struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
    int r = 0;
    pthread_mutex_lock(&scrubber->lock);
    while (r == 0 && !scrubber->ending && !(for_news && scrubber->woken))
        r = pthread_cond_timedwait(&scrubber->changed, &scrubber->lock, &until);
    if (for_news)
        scrubber->woken = false;
    bool go_on = !scrubber->ending;
    pthread_mutex_unlock(&scrubber->lock);
    return go_on;
}

/* Whether the split that is being read is still served. */
static bool is_served(struct scrubber *scrubber)
{
    struct catalog *catalog = service_catalog(scrubber->service);
    bool served = false;
    for (size_t i = 0; i < catalog->n_entries; i++)
        served |= catalog->entries[i]->holding == scrubber->entry->holding;
    catalog_unref(catalog);
    return served;
}

/* What was lost to others by waiting is not caught up with. */
static bool keep_pace(void *user, uint64_t done)
{
    struct scrubber *scrubber = user;
    uint64_t rate = service_settings(scrubber->service)->scrub_rate;
    uint64_t cost_ns = (done - scrubber->done) * NS_PER_S / rate;
    uint64_t from_ns =
        scrubber->begun_ns > scrubber->next_ns ? scrubber->begun_ns : scrubber->next_ns;
    scrubber->done = done;
    scrubber->next_ns = from_ns + cost_ns;
    bool go_on = wait_until(scrubber, scrubber->next_ns, false);
    scrubber->begun_ns = now_ns();
    return go_on && is_served(scrubber);
}

static uint64_t due_ns(const struct scrubber *scrubber, const struct entry *entry)
{
    uint64_t scrubbed_ms = atomic_load(&entry->holding->scrubbed_ms);
    uint64_t interval_s = service_settings(scrubber->service)->scrub_interval_s;
    return scrubbed_ms ? scrubbed_ms * NS_PER_MS + interval_s * NS_PER_S : 0;
}

/* The split that is due first; recordings before what was mixed from them, since fresh mixes are
 * made of them. NULL where all are damaged. */
static const struct entry *find_first(const struct scrubber *scrubber,
                                      const struct catalog *catalog)
{
    const struct entry *first = NULL;
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const struct entry *entry = catalog->entries[i];
        if (entry_is_damaged(entry))
            continue;
        uint64_t due = due_ns(scrubber, entry), least = first ? due_ns(scrubber, first) : 0;
        if (!first || due < least || (due == least && entry->is_source > first->is_source))
            first = entry;
    }
    return first;
}

static void report(struct scrubber *scrubber, int r, uint64_t took_ns, const struct error *why)
{
    const struct entry *entry = scrubber->entry;
    if (r == 0)
        log_info("split %s@%.*s: verified, %" PRIu64 " bytes in %.1f s", entry->name,
                 WIRE_REVISION_MIN, entry->revision, scrubber->done, (double)took_ns / NS_PER_S);
    else if (r == -ENOMEM)
        log_warning("split %s: not verified: %s", entry->name, why->text);
    else
        damage_tell(entry, why);
}

static void say_damaged(struct scrubber *scrubber, const struct error *why)
{
    pthread_mutex_lock(&scrubber->lock);
    if (!scrubber->ending)
        notify_status("READY=1", "split %s is damaged: %s", scrubber->entry->name, why->text);
    pthread_mutex_unlock(&scrubber->lock);
}

static void scrub(struct scrubber *scrubber)
{
    struct holding *holding = scrubber->entry->holding;
    struct error why;
    uint64_t start_ns = now_ns();
    scrubber->done = 0;
    scrubber->begun_ns = scrubber->next_ns = start_ns;
    int r = scrub_run(holding, keep_pace, scrubber, &why);
    if (r == -ECANCELED)
        return;
    uint64_t end_ns = now_ns();
    scrubber->done = atomic_load(&holding->scrubbed_bytes);
    atomic_store(&holding->scrubbed_ms, end_ns / NS_PER_MS);
    report(scrubber, r, end_ns - start_ns, &why);
    if (entry_is_damaged(scrubber->entry))
        say_damaged(scrubber, &why);
}

/* Scrub what is due, or wait for it. False: to stop. */
static bool turn(struct scrubber *scrubber)
{
    struct catalog *catalog = service_catalog(scrubber->service);
    scrubber->entry = find_first(scrubber, catalog);
    uint64_t due = scrubber->entry ? due_ns(scrubber, scrubber->entry) : INT64_MAX;
    if (due <= now_ns())
        scrub(scrubber);
    catalog_unref(catalog);
    return wait_until(scrubber, due, true);
}

static void *run(void *user)
{
    become_idle();
    while (turn(user))
        continue;
    return NULL;
}

static void init_lock(struct scrubber *scrubber)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&scrubber->lock, NULL);
    pthread_cond_init(&scrubber->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void free_all(struct scrubber *scrubber)
{
    pthread_cond_destroy(&scrubber->changed);
    pthread_mutex_destroy(&scrubber->lock);
    free(scrubber);
}

int scrubber_start(struct service *service, struct scrubber **ret, struct error *why)
{
    if (service_settings(service)->scrub_interval_s == 0)
        return 0;
    struct scrubber *scrubber = calloc(1, sizeof *scrubber);
    if (!scrubber)
        return error_set(why, -ENOMEM, "no memory to scrub the splits");
    scrubber->service = service;
    init_lock(scrubber);
    int r = -pthread_create(&scrubber->thread, NULL, run, scrubber);
    if (r < 0) {
        free_all(scrubber);
        return error_set(why, r, "cannot start a thread: %s", strerror(-r));
    }
    *ret = scrubber;
    return 0;
}

static void set(struct scrubber *scrubber, bool *flag)
{
    pthread_mutex_lock(&scrubber->lock);
    *flag = true;
    pthread_cond_broadcast(&scrubber->changed);
    pthread_mutex_unlock(&scrubber->lock);
}

void scrubber_wake(struct scrubber *scrubber)
{
    set(scrubber, &scrubber->woken);
}

void scrubber_end(struct scrubber *scrubber)
{
    if (scrubber)
        set(scrubber, &scrubber->ending);
}

bool scrubber_close(struct scrubber *scrubber, uint64_t timeout_ms)
{
    if (!scrubber)
        return true;
    scrubber_end(scrubber);
    uint64_t until_ns = now_ns() + timeout_ms * NS_PER_MS;
    const struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
    if (pthread_clockjoin_np(scrubber->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
        return false;
    free_all(scrubber);
    return true;
}
