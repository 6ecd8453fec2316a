/* SPDX-License-Identifier: Apache-2.0
 * A Unix socket and its file: made where nothing but a dead daemon's socket is in the way, removed
 * while it is still ours.
 *
 * Between looking at a file and removing it another daemon could put its own there, so daemons do
 * both under a lock on the folder: no file is left over from that, and the kernel gives it back. */
#include "server/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 200, LOCK_PAUSE_NS = 10 * 1000 * 1000 };

static int open_folder(const char *path)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path] = ".";
    const char *slash = strrchr(path, '/');
    if (slash) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Closing the descriptor unlocks. */
static int lock_folder(const char *path, struct error *why)
{
    int fd = open_folder(path);
    if (fd < 0)
        return error_set(why, fd, "cannot listen on unix:%s: its folder: %s", path, strerror(-fd));
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    int r = flock(fd, LOCK_EX | LOCK_NB);
    for (int i = 0; r < 0 && errno == EWOULDBLOCK && i < LOCK_TRIES; i++) {
        nanosleep(&pause, NULL);
        r = flock(fd, LOCK_EX | LOCK_NB);
    }
    if (r == 0)
        return fd;
    r = errno == EWOULDBLOCK ? -EBUSY : -errno;
    close(fd);
    return error_set(why, r, "cannot listen on unix:%s: cannot lock its folder: %s", path,
                     strerror(-r));
}

static bool fill_address(const char *path, struct sockaddr_un *ret)
{
    size_t n = strlen(path);
    if (n >= sizeof ret->sun_path)
        return false;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, path, n);
    return true;
}

/* Whether nobody listens on the socket any more. One whose queue is full does not answer at once,
 * but it is alive. */
static bool is_dead(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool dead =
        connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    close(fd);
    return dead;
}

static const char *what_is(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
    case S_IFLNK:
        return "a symbolic link";
    case S_IFDIR:
        return "a folder";
    case S_IFIFO:
        return "a pipe";
    }
    return "a device";
}

static int remove_dead_socket(const struct sockaddr_un *address, struct error *why)
{
    struct stat there;
    if (lstat(address->sun_path, &there) < 0)
        return errno == ENOENT ? 0
                               : error_set(why, -errno, "cannot listen on unix:%s: %s",
                                           address->sun_path, strerror(errno));
    if (!S_ISSOCK(there.st_mode))
        return error_set(why, -EADDRINUSE,
                         "cannot listen on unix:%s: it is %s, not a socket, and is left alone",
                         address->sun_path, what_is(there.st_mode));
    if (!is_dead(address))
        return error_set(why, -EADDRINUSE, "cannot listen on unix:%s: somebody listens there",
                         address->sun_path);
    if (unlink(address->sun_path) < 0)
        return error_set(why, -errno, "cannot remove the dead socket %s: %s", address->sun_path,
                         strerror(errno));
    return 0;
}

static int make(const struct sockaddr_un *address, int backlog, struct stat *ret_made,
                struct error *why)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
        listen(fd, backlog) == 0 && lstat(address->sun_path, ret_made) == 0)
        return fd;
    int r = -errno;
    if (fd >= 0)
        close(fd);
    return error_set(why, r, "cannot listen on unix:%s: %s", address->sun_path, strerror(-r));
}

int unix_socket_listen(const char *path, int backlog, struct stat *ret_made, struct error *why)
{
    struct sockaddr_un address;
    if (!fill_address(path, &address))
        return error_set(why, -ENAMETOOLONG, "cannot listen on unix:%s: %s", path,
                         strerror(ENAMETOOLONG));
    int folder = lock_folder(path, why);
    if (folder < 0)
        return folder;
    struct stat made;
    int fd = remove_dead_socket(&address, why);
    if (fd == 0)
        fd = make(&address, backlog, &made, why);
    close(folder);
    if (fd >= 0)
        *ret_made = made;
    return fd;
}

void unix_socket_unlink(const char *path, const struct stat *made)
{
    int folder = lock_folder(path, NULL);
    struct stat there;
    if (lstat(path, &there) == 0 && there.st_dev == made->st_dev && there.st_ino == made->st_ino &&
        there.st_mtim.tv_sec == made->st_mtim.tv_sec &&
        there.st_mtim.tv_nsec == made->st_mtim.tv_nsec)
        unlink(path);
    if (folder >= 0)
        close(folder);
}
