/* SPDX-License-Identifier: Apache-2.0
 * A hidden folder inside the output folder, in which everything is made: it comes out of it
 * together, or not at all. */
#include "generator/staging.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "generator/leftovers.h"

enum { MAX_FILES = 4, MAX_TRIES = 10 };

struct staging {
    char *folder;
    char *hidden; /* NULL until it is there */
    int lock;     /* in it */
    bool made_folder, published;
    struct {
        const char *name;
        char *path;
    } files[MAX_FILES];
    size_t n_files;
};

static int make_folder(struct staging *staging, struct error *why)
{
    struct stat st;
    if (mkdir(staging->folder, 0777) == 0)
        staging->made_folder = true;
    else if (errno != EEXIST)
        return error_set(why, -errno, "%s: cannot make the folder: %s", staging->folder,
                         strerror(errno));
    else if (stat(staging->folder, &st) < 0 || !S_ISDIR(st.st_mode))
        return error_set(why, -ENOTDIR, "%s: it is there, and not a folder", staging->folder);
    return 0;
}

/* Another run that had made the folder, and has nothing for it, takes it away again: then anew. */
static int make_folders(struct staging *staging, struct error *why)
{
    int r = -ENOENT;
    for (int i = 0; i < MAX_TRIES && r == -ENOENT; i++) {
        r = make_folder(staging, why);
        if (r < 0)
            return r;
        leftovers_sweep(staging->folder);
        r = leftovers_make(staging->folder, &staging->hidden, &staging->lock, why);
    }
    return r;
}

int staging_open(const char *folder, struct staging **ret, struct error *why)
{
    struct staging *staging = calloc(1, sizeof *staging);
    if (!staging || !(staging->folder = strdup(folder))) {
        free(staging);
        return error_set(why, -ENOMEM, "no memory for a path");
    }
    int r = make_folders(staging, why);
    if (r < 0) {
        staging_close(staging);
        return r;
    }
    *ret = staging;
    return 0;
}

void staging_close(struct staging *staging)
{
    if (!staging)
        return;
    for (size_t i = 0; i < staging->n_files; i++)
        free(staging->files[i].path);
    if (staging->hidden) {
        leftovers_remove(staging->hidden);
        close(staging->lock);
    }
    if (staging->made_folder && !staging->published)
        rmdir(staging->folder);
    free(staging->hidden);
    free(staging->folder);
    free(staging);
}

const char *staging_folder(const struct staging *staging)
{
    return staging->hidden;
}

int staging_add(struct staging *staging, const char *name, const char **ret, struct error *why)
{
    assert(staging->n_files < MAX_FILES);
    char *path;
    if (asprintf(&path, "%s/%s", staging->hidden, name) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    staging->files[staging->n_files].name = name;
    staging->files[staging->n_files++].path = path;
    *ret = path;
    return 0;
}

/* In the order in which they were added, which is that of their making: whoever finds a new split
 * finds the source split that it was mixed from. */
static int move_all(struct staging *staging, struct error *why)
{
    for (size_t i = 0; i < staging->n_files; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", staging->folder, staging->files[i].name) < 0)
            return error_set(why, -ENOMEM, "no memory for a path");
        int r = rename(staging->files[i].path, path) < 0 ? -errno : 0;
        if (r < 0)
            error_set(why, r, "%s: cannot put it in place: %s", path, strerror(-r));
        free(path);
        if (r < 0)
            return r;
        staging->published = true;
    }
    return 0;
}

int staging_publish(struct staging *staging, struct error *why)
{
    char *above; /* before anything is moved, after which there must be no error for want of it */
    if (asprintf(&above, "%s/..", staging->folder) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    int r = move_all(staging, why);
    if (r == 0)
        r = file_sync_folder(staging->folder, why);
    if (r == 0 && staging->made_folder && file_sync_folder(above, why) == -EIO)
        r = -EIO; /* others: who may write there need not be allowed to read */
    free(above);
    return r;
}
