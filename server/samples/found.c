/* SPDX-License-Identifier: Apache-2.0
 * What was found in the data folder: its files that have a split's name. */
#include "server/samples/found.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/split.h"

/* Length of the split's name in the file's, 0 where it is not a split's file. */
static size_t stem_length(const char *file)
{
    size_t n = strlen(file), suffix = strlen(SPLIT_SUFFIX);
    if (n <= suffix || n - suffix > WIRE_NAME_MAX || strcmp(file + n - suffix, SPLIT_SUFFIX) != 0)
        return 0;
    for (size_t i = 0; i < n - suffix; i++)
        if (!isalnum((unsigned char)file[i]) && file[i] != '-' && file[i] != '_')
            return 0;
    return n - suffix;
}

static int is_split_file(const struct dirent *entry)
{
    return stem_length(entry->d_name) > 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void look_at(int fd, const struct dirent *entry, struct found *ret)
{
    memcpy(ret->name, entry->d_name, stem_length(entry->d_name));
    if (fstatat(fd, entry->d_name, &ret->file, 0) < 0)
        ret->file = (struct stat){0};
}

int found_list(const char *folder, struct found **ret, size_t *ret_n, struct error *why)
{
    struct dirent **entries = NULL;
    struct found *files = NULL;
    int n = -1, r = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        n = scandirat(fd, ".", &entries, is_split_file, by_bytes);
    if (n < 0)
        r = error_set(why, -errno, "%s: %s", folder, strerror(errno));
    else if (!(files = calloc((size_t)n + 1, sizeof *files)))
        r = error_set(why, -ENOMEM, "%s: no memory for the names of %d files", folder, n);
    for (int i = 0; i < n; i++) {
        if (r == 0)
            look_at(fd, entries[i], &files[i]);
        free(entries[i]);
    }
    free(entries);
    if (fd >= 0)
        close(fd);
    if (r < 0)
        return r;
    *ret_n = (size_t)n;
    *ret = files;
    return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A file that could not be opened may be opened after a change of its mode, too. */
bool found_is_same(const struct found *then, const struct found *now)
{
    const struct stat *a = &then->file, *b = &now->file;
    return strcmp(then->name, now->name) == 0 && a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim) &&
           (!then->fault.text[0] || same_time(&a->st_ctim, &b->st_ctim));
}
