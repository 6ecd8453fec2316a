/* SPDX-License-Identifier: Apache-2.0
 * Which split files a folder holds at a moment, to tell whether they have changed since. */
#include "server/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/split.h"

static int is_split_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name), suffix = strlen(SPLIT_SUFFIX);
    return n > suffix && strcmp(entry->d_name + n - suffix, SPLIT_SUFFIX) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void print_file(FILE *out, int folder_fd, const char *name)
{
    struct stat file = {0};
    int r = fstatat(folder_fd, name, &file, 0);
    fprintf(out, "%s/%d/%ju/%ju/%jd/%jd.%09ld/%jd.%09ld\n", name, r < 0 ? errno : 0,
            (uintmax_t)file.st_dev, (uintmax_t)file.st_ino, (intmax_t)file.st_size,
            (intmax_t)file.st_mtim.tv_sec, file.st_mtim.tv_nsec, (intmax_t)file.st_ctim.tv_sec,
            file.st_ctim.tv_nsec);
}

static int print_files(int folder_fd, char **ret)
{
    struct dirent **files = NULL;
    int n = scandirat(folder_fd, ".", &files, is_split_file, by_bytes);
    if (n < 0)
        return -errno;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < n; i++) {
        if (out)
            print_file(out, folder_fd, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    if (!out || fclose(out) != 0) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}

int snapshot_take(const char *folder, char **ret, struct error *why)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : print_files(fd, ret);
    if (fd >= 0)
        close(fd);
    return r < 0 ? error_set(why, r, "%s: %s", folder, strerror(-r)) : 0;
}
