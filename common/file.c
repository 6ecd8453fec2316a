/* SPDX-License-Identifier: Apache-2.0
 * Writing files so that they are whole. */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { N_LETTERS = 6, MAX_TRIES = 100 };

/* What a call of the system moved: 0 where a signal came instead. */
static ssize_t moved(ssize_t n)
{
    return n >= 0 ? n : errno == EINTR ? 0 : -errno;
}

int file_write_all(int fd, const void *bytes, size_t size)
{
    for (const uint8_t *at = bytes; size > 0;) {
        ssize_t n = moved(write(fd, at, size));
        if (n < 0)
            return (int)n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

int file_read_all_at(int fd, void *bytes, size_t size, uint64_t offset)
{
    for (uint8_t *at = bytes; size > 0;) {
        ssize_t n = pread(fd, at, size, (off_t)offset);
        if (n == 0)
            return -ENODATA;
        n = moved(n);
        if (n < 0)
            return (int)n;
        at += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int open_folder_of(const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd;
    free(copy);
    return r;
}

/* Not mkostemp(): that makes a file for its owner alone, and what the umask is can only be asked by
 * changing it, under the feet of other threads. */
static int open_temporary(const char *path, char **ret)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char *name;
    if (asprintf(&name, "%s.%*s", path, N_LETTERS, "") < 0)
        return -ENOMEM;
    int fd = -1;
    for (int i = 0; fd < 0 && i < MAX_TRIES; i++) {
        uint8_t random[N_LETTERS];
        if (getrandom(random, sizeof random, 0) != sizeof random)
            continue;
        for (int k = 0; k < N_LETTERS; k++)
            name[strlen(path) + 1 + (size_t)k] = letters[random[k] % 64];
        fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0) {
        int r = -errno;
        free(name);
        return r;
    }
    *ret = name;
    return fd;
}

int file_replace_begin(const char *path, struct file_replacement *ret, struct error *why)
{
    struct file_replacement file = {.fd = -1, .folder = open_folder_of(path)};
    int r = file.folder < 0 ? file.folder : 0;
    if (r == 0 && !(file.path = strdup(path)))
        r = -ENOMEM;
    if (r == 0) {
        file.fd = open_temporary(path, &file.temporary);
        r = file.fd < 0 ? file.fd : 0;
    }
    if (r < 0) {
        file_replace_abort(&file);
        return error_set(why, r, "%s: cannot create: %s", path, strerror(-r));
    }
    *ret = file;
    return 0;
}

static int commit(struct file_replacement *file, struct error *why)
{
    if (fsync(file->fd) < 0)
        return error_set(why, -errno, "%s: cannot sync: %s", file->path, strerror(errno));
    if (rename(file->temporary, file->path) < 0)
        return error_set(why, -errno, "%s: cannot rename: %s", file->path, strerror(errno));
    free(file->temporary);
    file->temporary = NULL;
    if (fsync(file->folder) < 0)
        return error_set(why, -errno, "%s: cannot sync its folder: %s", file->path,
                         strerror(errno));
    return 0;
}

int file_replace_commit(struct file_replacement *file, struct error *why)
{
    int r = commit(file, why);
    file_replace_abort(file);
    return r;
}

void file_replace_abort(struct file_replacement *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->temporary)
        unlink(file->temporary);
    if (file->folder >= 0)
        close(file->folder);
    free(file->temporary);
    free(file->path);
    *file = (struct file_replacement){.fd = -1, .folder = -1};
}

int file_sync_folder(const char *path, struct error *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(why, -errno, "%s: %s", path, strerror(errno));
    int r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r < 0 ? error_set(why, r, "%s: cannot sync the folder: %s", path, strerror(-r)) : 0;
}
