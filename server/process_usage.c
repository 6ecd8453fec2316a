/* SPDX-License-Identifier: Apache-2.0
 * What the process takes of the machine. */
#include "server/process_usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static time_t started_s;

void process_usage_begin(void)
{
    started_s = time(NULL);
}

static uint64_t us_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static uint64_t cpu_us(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? us_of(usage.ru_utime) + us_of(usage.ru_stime) : 0;
}

static void read_memory(struct process_usage *ret)
{
    uint64_t all, resident, page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &all, &resident) == 2) {
        ret->virtual_bytes = all * page_bytes;
        ret->resident_bytes = resident * page_bytes;
    }
    fclose(file);
}

static uint64_t count_entries(const char *folder)
{
    uint64_t n = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n > 0 ? n - 1 : 0; /* the folder's own */
}

/* Since Linux 6.2 the folder's size is their number; tens of thousands would take long to list. */
static uint64_t count_fds(void)
{
    struct stat folder;
    const char *path = "/proc/self/fd";
    if (stat(path, &folder) == 0 && folder.st_size > 0)
        return (uint64_t)folder.st_size;
    return count_entries(path);
}

void process_usage_read(struct process_usage *ret)
{
    struct rlimit limit;
    *ret = (struct process_usage){.cpu_us = cpu_us(), .n_fds = count_fds()};
    ret->started_s = (uint64_t)started_s;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->most_fds = limit.rlim_cur;
    read_memory(ret);
}
