/* SPDX-License-Identifier: Apache-2.0
 * Where in a folder a pulled file is to be, and where it grows until it is whole. */
#include "client/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/failure.h"
#include "common/file.h"
#include "common/split.h"
#include "common/wire.h"

enum { LOOK_EVERY_MS = 100, SAY_AFTER = 20, SAY_EVERY = 100 }; /* times of looking */

static const char part_end[] = ".part";

static int fail(const char *path, const char *doing, int code)
{
    /* -ENOENT is a split's */
    return failure_set(code == -ENOENT ? -ENOTDIR : code, "%s: cannot %s: %s", path, doing,
                       strerror(-code));
}

int place_find(const char *folder, const char *name, struct place *ret)
{
    struct place place = {.folder = strdup(folder), .name = strdup(name), .fd = -1};
    struct stat about;
    if (!place.folder || !place.name ||
        asprintf(&place.path, "%s/%s" SPLIT_SUFFIX, folder, name) < 0) {
        place.path = NULL;
        place_free(&place);
        return failure_set(-ENOMEM, "no memory for a path");
    }
    *ret = place;
    if (mkdir(folder, 0777) < 0 && errno != EEXIST)
        return fail(folder, "make the folder", -errno);
    if (stat(folder, &about) < 0 || !S_ISDIR(about.st_mode))
        return failure_set(-ENOTDIR, "%s is no folder", folder);
    return 0;
}

void place_free(struct place *place)
{
    if (place->fd >= 0 && place->folder) {
        flock(place->fd, LOCK_UN); /* which a child that was forked meanwhile would keep */
        close(place->fd);
    }
    free(place->folder);
    free(place->name);
    free(place->path);
    free(place->part);
    *place = (struct place){.fd = -1};
}

/* ---- The lock ---- */

/* Was it moved or removed before we had the lock? */
static bool is_still_it(const struct place *place)
{
    struct stat opened, named;
    return fstat(place->fd, &opened) == 0 && lstat(place->part, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* What has another name, too, is not ours to write: a backup by links, or worse. */
static bool is_here_alone(const struct place *place)
{
    struct stat about;
    return fstat(place->fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_nlink <= 1;
}

/* Wait a little, and say for what, now and then. */
static int wait_more(const struct place *place, tnm_client *client, uint64_t n_cancels,
                     unsigned n_waits)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    struct error text;
    if (n_waits % SAY_EVERY == SAY_AFTER) {
        error_set(&text, 0, "waiting for another pull of %.900s", place->path);
        client_say(client, &text);
    }
    nanosleep(&pause, NULL);
    return client_tick(client, n_cancels);
}

/* Where there are no locks, several that write the same right bytes do no harm. */
static int lock(const struct place *place, tnm_client *client, uint64_t n_cancels)
{
    for (unsigned n = 0; flock(place->fd, LOCK_EX | LOCK_NB) < 0; n++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return 0;
        int r = wait_more(place, client, n_cancels, n);
        if (r < 0)
            return r;
    }
    return 0;
}

int place_take(struct place *place, tnm_client *client, const char *revision, uint64_t n_cancels)
{
    if (asprintf(&place->part, "%s/.%s.%.*s%s", place->folder, place->name, WIRE_REVISION_MIN,
                 revision, part_end) < 0) {
        place->part = NULL;
        return failure_set(-ENOMEM, "no memory for a path");
    }
    for (bool is_new = false;;) {
        place->fd = open(place->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (place->fd < 0)
            return fail(place->part, "write", -errno);
        int r = lock(place, client, n_cancels);
        if (r < 0)
            return r;
        if (is_still_it(place)) {
            if (is_new || is_here_alone(place))
                return 0;
            if (unlink(place->part) < 0)
                return fail(place->part, "begin it anew", -errno);
            is_new = true;
        }
        close(place->fd);
        place->fd = -1;
    }
}

/* ---- Around it ---- */

/* ".NAME.REVISION.part", whatever the revision. */
static bool is_part(const struct place *place, const char *file)
{
    size_t n = strlen(place->name);
    if (file[0] != '.' || strncmp(file + 1, place->name, n) != 0 || file[1 + n] != '.')
        return false;
    const char *revision = file + 1 + n + 1;
    return strspn(revision, WIRE_REVISION_DIGITS) == WIRE_REVISION_MIN &&
           strcmp(revision + WIRE_REVISION_MIN, part_end) == 0;
}

static void drop(int folder, const char *file)
{
    int fd = openat(folder, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, file, 0);
    if (fd >= 0)
        close(fd);
}

void place_drop_others(const struct place *place)
{
    const char *ours = strrchr(place->part, '/') + 1;
    DIR *folder = opendir(place->folder);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (is_part(place, entry->d_name) && strcmp(entry->d_name, ours) != 0)
            drop(dirfd(folder), entry->d_name);
    if (folder)
        closedir(folder);
}

int place_commit(struct place *place)
{
    struct error why;
    if (fsync(place->fd) < 0)
        return fail(place->part, "sync", -errno);
    if (rename(place->part, place->path) < 0)
        return fail(place->path, "put the file in its place", -errno);
    int r = file_sync_folder(place->folder, &why);
    return r < 0 ? failure_keep(r, &why) : 0;
}
