/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets that the service manager passes (sd_listen_fds(3)). */
#include "server/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/number.h"

static bool is_for_us(void)
{
    const char *text = getenv("LISTEN_PID");
    uint64_t pid;
    return text && number_parse("LISTEN_PID", text, strlen(text), 1, INT32_MAX, &pid, NULL) == 0 &&
           pid == (uint64_t)getpid();
}

static int count(unsigned *ret, struct error *why)
{
    const char *text = getenv("LISTEN_FDS");
    if (!text || !is_for_us())
        return 0;
    uint64_t n;
    if (number_parse("LISTEN_FDS", text, strlen(text), 0, PASSED_MAX, &n, NULL) < 0)
        return error_set(why, -EINVAL, "LISTEN_FDS=%s is not a number from 0 to %d", text,
                         PASSED_MAX);
    *ret = (unsigned)n;
    return 0;
}

/* The names stand in the order of the descriptors, between colons. */
static void read_names(struct passed *passed)
{
    const char *names = getenv("LISTEN_FDNAMES");
    for (unsigned i = 0; names && i < passed->n; i++) {
        size_t n = strcspn(names, ":");
        passed->is_admin[i] = n == strlen(PASSED_ADMIN) && memcmp(names, PASSED_ADMIN, n) == 0;
        names = names[n] ? names + n + 1 : NULL;
    }
}

int passed_find(struct passed *ret, struct error *why)
{
    struct passed passed = {0};
    int r = count(&passed.n, why);
    if (r == 0)
        read_names(&passed);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (r == 0)
        *ret = passed;
    return r;
}

static const char *type_name(int type)
{
    switch (type) {
    case SOCK_STREAM:
        return "a stream socket";
    case SOCK_DGRAM:
        return "a datagram socket";
    case SOCK_SEQPACKET:
        return "a sequenced-packet socket";
    }
    return "another kind of socket";
}

static int check_socket(int fd, struct error *why)
{
    int type = 0, family = 0, listens = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return error_set(why, -errno, "descriptor %d, which LISTEN_FDS passes: %s", fd,
                         errno == ENOTSOCK ? "it is no socket" : strerror(errno));
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    if (type != SOCK_STREAM || (family != AF_INET && family != AF_INET6 && family != AF_UNIX))
        return error_set(why, -EINVAL,
                         "descriptor %d, which LISTEN_FDS passes: %s of family %d, not a stream "
                         "socket of IPv4, IPv6 or Unix",
                         fd, type_name(type), family);
    if (!listens)
        return error_set(why, -EINVAL,
                         "descriptor %d, which LISTEN_FDS passes: a socket that does not listen",
                         fd);
    return 0;
}

int passed_take(int fd, struct address *ret, struct error *why)
{
    int r = check_socket(fd, why);
    if (r < 0)
        return r;
    struct address address = {.size = sizeof address.storage};
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.size) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return error_set(why, -errno, "descriptor %d, which LISTEN_FDS passes: %s", fd,
                         strerror(errno));
    *ret = address;
    return 0;
}
