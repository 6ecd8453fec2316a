/* SPDX-License-Identifier: Apache-2.0
 * Keeps the daemon alive when a mapped file is cut short underneath it. */
#include "server/samples/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_MAPS = 256 };

/* The handler reads without a lock: `start` is written last and cleared first. */
static struct {
    _Atomic uintptr_t start;
    _Atomic size_t size;
    atomic_bool *_Atomic damaged;
} maps[MAX_MAPS];

static pthread_mutex_t maps_lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t page_size;

static bool replace_page(uintptr_t address)
{
    for (int i = 0; i < MAX_MAPS; i++) {
        uintptr_t start = maps[i].start;
        if (!start || address < start || address - start >= maps[i].size)
            continue;
        void *page = (void *)(address & ~(page_size - 1));
        if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            MAP_FAILED)
            return false;
        atomic_store(maps[i].damaged, true);
        return true;
    }
    return false;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno;
    if (!replace_page((uintptr_t)info->si_addr))
        signal(number, SIG_DFL); /* the access is repeated, and ends the process as it should */
    errno = saved;
}

int guard_install(void)
{
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

int guard_watch(const void *start, size_t size, atomic_bool *damaged)
{
    int r = -ENOSPC;
    pthread_mutex_lock(&maps_lock);
    for (int i = 0; r < 0 && i < MAX_MAPS; i++)
        if (!maps[i].start) {
            maps[i].damaged = damaged;
            maps[i].size = size;
            maps[i].start = (uintptr_t)start;
            r = 0;
        }
    pthread_mutex_unlock(&maps_lock);
    return r;
}

void guard_forget(const void *start)
{
    pthread_mutex_lock(&maps_lock);
    for (int i = 0; i < MAX_MAPS; i++)
        if (maps[i].start == (uintptr_t)start)
            maps[i].start = 0;
    pthread_mutex_unlock(&maps_lock);
}
