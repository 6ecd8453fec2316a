/* SPDX-License-Identifier: Apache-2.0
 * A machine that goes wrong, for a program that is started with this in LD_PRELOAD: its calendar
 * jumps, its disk is slow, its memory is short, as a file says that TWONMNIST_FAULTY names and a
 * test writes while the program runs (tests/test_faults.py). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define OURS __attribute__((visibility("default")))

struct faults {
    _Atomic int64_t shift_s;     /* of the calendar */
    _Atomic int64_t is_slow;     /* reading and writing files take as long as this */
    _Atomic int64_t allocations; /* until one fails; 0: none does */
    _Atomic int64_t n_reads;     /* told to the test: how many were */
};

static struct faults none, *faults = &none;

__attribute__((constructor)) static void find_faults(void)
{
    const char *path = getenv("TWONMNIST_FAULTY");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *found = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (found != MAP_FAILED)
        faults = found;
    close(fd);
}

/* ---- the calendar ---- */

OURS int clock_gettime(clockid_t id, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, ret);
    if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        ret->tv_sec += faults->shift_s;
    return r;
}

OURS int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}

OURS time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

/* ---- the disk ---- */

static void wait_for_disk(void)
{
    while (faults->is_slow)
        nanosleep(&(const struct timespec){.tv_nsec = 10000000}, NULL);
}

OURS ssize_t write(int fd, const void *bytes, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    struct stat file;
    if (faults->is_slow && fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
        wait_for_disk();
    return real(fd, bytes, size);
}

OURS ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real)
        real = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
    if (faults->is_slow)
        atomic_fetch_add(&faults->n_reads, 1);
    wait_for_disk();
    return real(fd, bytes, size, at);
}

/* ---- the memory ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

/* The count stops at 0, and the test sees by that that one has failed. */
static int is_over(void)
{
    int64_t left = faults->allocations;
    while (left > 0)
        if (atomic_compare_exchange_weak(&faults->allocations, &left, left - 1)) {
            errno = ENOMEM;
            return left == 1;
        }
    return 0;
}

OURS void *malloc(size_t size)
{
    return is_over() ? NULL : __libc_malloc(size);
}

OURS void *calloc(size_t n, size_t size)
{
    return is_over() ? NULL : __libc_calloc(n, size);
}

OURS void *realloc(void *old, size_t size)
{
    return is_over() ? NULL : __libc_realloc(old, size);
}
