/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets: our own, one for each loop, or those that systemd passes. */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, PASSED_FD_FIRST = 3, PASSED_FD_MAX = 16 };

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

static int parse_unix(const char *path, struct address *ret, struct error *why)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&ret->storage;
    if (strlen(path) >= sizeof un->sun_path || !*path)
        return error_set(why, -EINVAL, "listen: unix:%s: the path has 1 to %zu characters", path,
                         sizeof un->sun_path - 1);
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    ret->size = sizeof *un;
    return 0;
}

static int parse(const char *text, struct address *ret, struct error *why)
{
    memset(ret, 0, sizeof *ret);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, ret, why);
    char host[LISTEN_NAME_SIZE];
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof host || !colon[1])
        return error_set(why, -EINVAL, "listen: \"%s\" is neither ADDR:PORT nor unix:PATH", text);
    bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(brackets ? n - 2 : n), text + brackets);

    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int r = getaddrinfo(host, colon + 1, &hints, &found);
    if (r != 0)
        return error_set(why, -EINVAL, "listen: \"%s\": %s", text, gai_strerror(r));
    memcpy(&ret->storage, found->ai_addr, found->ai_addrlen);
    ret->size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static bool is_local(const struct address *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
    switch (address->storage.ss_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    return false;
}

static int open_socket(const struct address *address, int reuse_option, struct error *why,
                       const char *name)
{
    int on = 1;
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && address->storage.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, reuse_option, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&address->storage, address->size) < 0) {
        int r = -errno;
        if (fd >= 0)
            close(fd);
        return error_set(why, r, "cannot listen on %s: %s", name, strerror(-r));
    }
    return fd;
}

static int start_listening(int fd, struct error *why, const char *name)
{
    if (listen(fd, BACKLOG) == 0)
        return 0;
    return error_set(why, -errno, "cannot listen on %s: %s", name, strerror(errno));
}

/* A socket that is left over from a daemon that died would be in the way for ever. */
static void remove_stale_socket(const struct address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)&address->storage, address->size) < 0 &&
        errno == ECONNREFUSED)
        unlink(((const struct sockaddr_un *)&address->storage)->sun_path);
    close(fd);
}

/* All loops share one socket. */
static int share_fd(int fd, unsigned n_loops, int *fds, struct error *why)
{
    fds[0] = fd;
    for (unsigned i = 1; i < n_loops; i++) {
        fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (fds[i] < 0)
            return error_set(why, -errno, "cannot share a socket: %s", strerror(errno));
    }
    return 0;
}

static int open_unix(struct address *address, unsigned n_loops, struct listener *listener,
                     struct error *why)
{
    remove_stale_socket(address);
    int fd = open_socket(address, SO_REUSEADDR, why, listener->name);
    if (fd < 0)
        return fd;
    int r = share_fd(fd, n_loops, listener->fds, why);
    return r < 0 ? r : start_listening(fd, why, listener->name);
}

/* Two daemons of one user could both take a port with SO_REUSEPORT, so the first socket is bound
 * without it; it is kept only for finding that out, and a free port. */
static int find_port(struct address *address, const char *name, struct error *why)
{
    int fd = open_socket(address, SO_REUSEADDR, why, name);
    if (fd < 0)
        return fd;
    int r = start_listening(fd, why, name);
    if (r == 0 && getsockname(fd, (struct sockaddr *)&address->storage, &address->size) < 0)
        r = error_set(why, -errno, "%s: %s", name, strerror(errno));
    close(fd);
    return r;
}

static int open_ip(struct address *address, unsigned n_loops, struct listener *listener,
                   struct error *why)
{
    int r = find_port(address, listener->name, why);
    if (r < 0)
        return r;
    char host[INET6_ADDRSTRLEN], port[8];
    getnameinfo((const struct sockaddr *)&address->storage, address->size, host, sizeof host, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    bool v6 = address->storage.ss_family == AF_INET6;
    snprintf(listener->name, sizeof listener->name, v6 ? "[%s]:%s" : "%s:%s", host, port);
    for (unsigned i = 0; i < n_loops; i++) {
        listener->fds[i] = open_socket(address, SO_REUSEPORT, why, listener->name);
        if (listener->fds[i] < 0)
            return listener->fds[i];
        r = start_listening(listener->fds[i], why, listener->name);
        if (r < 0)
            return r;
    }
    return 0;
}

static int open_address(const struct settings *settings, const char *text, unsigned n_loops,
                        struct listener *listener, struct error *why)
{
    struct address address;
    int r = parse(text, &address, why);
    if (r < 0)
        return r;
    if (!is_local(&address) && !settings->allow_anonymous)
        return error_set(why, -EACCES,
                         "listen: other machines reach %s, and there are no tokens; "
                         "allow_anonymous = yes serves everybody",
                         text);
    snprintf(listener->name, sizeof listener->name, "%s", text);
    return (address.storage.ss_family == AF_UNIX ? open_unix : open_ip)(&address, n_loops, listener,
                                                                        why);
}

/* sd_listen_fds(3) */
static unsigned n_passed(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
    if (!pid || !n || strtol(pid, NULL, 10) != getpid())
        return 0;
    long count = strtol(n, NULL, 10);
    return count > 0 && count <= PASSED_FD_MAX ? (unsigned)count : 0;
}

static int take_passed(unsigned i, unsigned n_loops, struct listener *listener, struct error *why)
{
    int fd = PASSED_FD_FIRST + (int)i;
    snprintf(listener->name, sizeof listener->name, "the socket passed as descriptor %d", fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return error_set(why, -errno, "%s: %s", listener->name, strerror(errno));
    return share_fd(fd, n_loops, listener->fds, why);
}

static int alloc(unsigned n, unsigned n_loops, struct listeners *ret, struct error *why)
{
    struct listener *items = calloc(n, sizeof *items);
    *ret = (struct listeners){.n = items ? n : 0, .n_loops = n_loops, .items = items};
    for (unsigned i = 0; i < ret->n; i++) {
        items[i].fds = calloc(n_loops, sizeof *items[i].fds);
        if (!items[i].fds) {
            listeners_close(ret);
            break;
        }
        for (unsigned j = 0; j < n_loops; j++)
            items[i].fds[j] = -1;
    }
    return ret->n ? 0 : error_set(why, -ENOMEM, "no memory for %u addresses", n);
}

int listeners_open(const struct settings *settings, unsigned n_loops, struct listeners *ret,
                   struct error *why)
{
    static char standard[] = "127.0.0.1:8642";
    static const struct setting_list standard_list = {.items = {standard}, .n = 1};
    const struct setting_list *list = settings->listen.n ? &settings->listen : &standard_list;
    unsigned passed = n_passed();
    struct listeners listeners;
    int r = alloc(passed ? passed : list->n, n_loops, &listeners, why);
    for (unsigned i = 0; r == 0 && i < listeners.n; i++)
        r = passed ? take_passed(i, n_loops, &listeners.items[i], why)
                   : open_address(settings, list->items[i], n_loops, &listeners.items[i], why);
    if (r < 0) {
        listeners_close(&listeners);
        return r;
    }
    *ret = listeners;
    return 0;
}

void listeners_close(struct listeners *listeners)
{
    for (unsigned i = 0; i < listeners->n; i++) {
        for (unsigned j = 0; listeners->items[i].fds && j < listeners->n_loops; j++)
            if (listeners->items[i].fds[j] >= 0)
                close(listeners->items[i].fds[j]);
        free(listeners->items[i].fds);
    }
    free(listeners->items);
    *listeners = (struct listeners){0};
}
