/* SPDX-License-Identifier: Apache-2.0
 * Keeps the daemon alive when a mapped file is cut short underneath it. */
#include "server/samples/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WATCHES = 128 };

/* The handler reads without a lock: `start` is written last and cleared first, and read again after
 * the others, which belong to it if it is still the same. */
struct watch {
    _Atomic uintptr_t start; /* 0: free */
    _Atomic size_t size;
    atomic_bool *_Atomic damaged;
};

/* A list that only grows, so that the handler can follow it at any time. */
struct table {
    struct watch watches[WATCHES];
    struct table *_Atomic next;
};

static struct table first_table;
static pthread_mutex_t tables_lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t page_size;

/* All of the rest at once: a page at a time, a large file would come to more maps than a process
 * may have. */
static bool put_zeros(uintptr_t from, uintptr_t to)
{
    return mmap((void *)from, to - from, PROT_READ,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool replace_rest(struct watch *watch, uintptr_t address)
{
    uintptr_t start = watch->start;
    size_t size = watch->size;
    atomic_bool *damaged = watch->damaged;
    if (!start || watch->start != start || address < start || address - start >= size)
        return false;
    /* First: whoever reads zeros finds it set. */
    atomic_store(damaged, true);
    uintptr_t page = address & ~(page_size - 1), end = start + size;
    return put_zeros(page, (end + page_size - 1) & ~(page_size - 1));
}

static bool replace_any(uintptr_t address)
{
    for (struct table *table = &first_table; table; table = table->next)
        for (int i = 0; i < WATCHES; i++)
            if (replace_rest(&table->watches[i], address))
                return true;
    return false;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code <= 0) /* sent by somebody, with kill(): nothing was lost */
        return;
    int saved = errno;
    if (!replace_any((uintptr_t)info->si_addr))
        signal(number, SIG_DFL); /* the access is repeated, and ends the process as it should */
    errno = saved;
}

int guard_install(void)
{
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

/* With the lock held. */
static struct watch *find_free(void)
{
    struct table *table = &first_table;
    for (;; table = table->next) {
        for (int i = 0; i < WATCHES; i++)
            if (!table->watches[i].start)
                return &table->watches[i];
        if (!table->next)
            table->next = calloc(1, sizeof *table);
        if (!table->next)
            return NULL;
    }
}

int guard_watch(const void *start, size_t size, atomic_bool *damaged)
{
    pthread_mutex_lock(&tables_lock);
    struct watch *watch = find_free();
    if (watch) {
        watch->damaged = damaged;
        watch->size = size;
        watch->start = (uintptr_t)start;
    }
    pthread_mutex_unlock(&tables_lock);
    return watch ? 0 : -ENOMEM;
}

void guard_forget(const void *start)
{
    pthread_mutex_lock(&tables_lock);
    for (struct table *table = &first_table; table; table = table->next)
        for (int i = 0; i < WATCHES; i++)
            if (table->watches[i].start == (uintptr_t)start)
                table->watches[i].start = 0;
    pthread_mutex_unlock(&tables_lock);
}
