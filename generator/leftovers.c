/* SPDX-License-Identifier: Apache-2.0
 * The hidden folders in which runs make their files, and what is left of those that were killed. */
#include "generator/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char PREFIX[] = ".twonmnist-", LOCK[] = ".lock";

enum { N_RANDOM = 6, MAX_OPEN = 16, MAX_TRIES = 100 };

/* The lock in `folder`, taken; -EWOULDBLOCK it is somebody's, -ENOENT whose it was has removed it. */
static int take_lock(int folder, int flags)
{
    struct stat st;
    int lock = openat(folder, LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0666);
    if (lock < 0)
        return -errno;
    int r = flock(lock, LOCK_EX | LOCK_NB) < 0 || fstat(lock, &st) < 0 ? -errno : 0;
    if (r == 0 && st.st_nlink == 0)
        r = -ENOENT;
    if (r == 0)
        return lock;
    close(lock);
    return r;
}

/* Between mkdir() and the lock another run may take the folder for a leftover: then again. */
static int make_locked(char *hidden)
{
    char *random = hidden + strlen(hidden) - N_RANDOM;
    for (int i = 0; i < MAX_TRIES; i++) {
        memset(random, 'X', N_RANDOM);
        if (!mkdtemp(hidden))
            return -errno;
        int folder = open(hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int lock = folder < 0 ? -errno : take_lock(folder, O_CREAT);
        if (folder >= 0)
            close(folder);
        if (lock >= 0)
            return lock;
        if (lock != -ENOENT && lock != -EWOULDBLOCK) {
            leftovers_remove(hidden);
            return lock;
        }
    }
    return -EBUSY;
}

int leftovers_make(const char *folder, char **ret_hidden, int *ret_lock, struct error *why)
{
    char *hidden;
    if (asprintf(&hidden, "%s/%s%*s", folder, PREFIX, N_RANDOM, "") < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    int lock = make_locked(hidden);
    if (lock < 0) {
        free(hidden);
        return error_set(why, lock, "%s: cannot write here: %s", folder, strerror(-lock));
    }
    *ret_hidden = hidden;
    *ret_lock = lock;
    return 0;
}

/* All but the lock, which says to the end that the rest is to go. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    if (at->level != 1 || strcmp(path + at->base, LOCK) != 0)
        remove(path);
    return 0;
}

void leftovers_remove(const char *hidden)
{
    nftw(hidden, remove_one, MAX_OPEN, FTW_DEPTH | FTW_PHYS);
    int folder = open(hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return;
    unlinkat(folder, LOCK, 0);
    close(folder);
    rmdir(hidden);
}

static void sweep_one(int parent, const char *folder, const char *name)
{
    char *path;
    int hidden = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (hidden < 0)
        return;
    int lock = take_lock(hidden, 0);
    close(hidden);
    if (lock == -ENOENT)
        unlinkat(parent, name, AT_REMOVEDIR); /* empty: of a run that was killed at once */
    if (lock < 0)
        return;
    if (asprintf(&path, "%s/%s", folder, name) >= 0) {
        leftovers_remove(path);
        free(path);
    }
    close(lock);
}

static bool is_hidden(const char *name)
{
    size_t prefix = sizeof PREFIX - 1;
    return strncmp(name, PREFIX, prefix) == 0 && strlen(name) == prefix + N_RANDOM;
}

void leftovers_sweep(const char *folder)
{
    DIR *listed = opendir(folder);
    if (!listed)
        return;
    for (struct dirent *found; (found = readdir(listed));)
        if (is_hidden(found->d_name))
            sweep_one(dirfd(listed), folder, found->d_name);
    closedir(listed);
}
