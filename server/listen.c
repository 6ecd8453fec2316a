/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets: our own, one for each loop, or those that systemd passes. */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/passed.h"
#include "server/unix_socket.h"

enum { BACKLOG = 1024, CLAIM_TRIES = 50, CLAIM_PAUSE_NS = 1000 * 1000 };

static int failed(const struct listener *listener, int code, struct error *why)
{
    return error_set(why, code, "cannot listen on %s: %s", listener->name, strerror(-code));
}

/* SO_REUSEADDR on every socket: connections inherit it, and those that still wait for their end
 * when the daemon starts anew would be in its way without it. */
static int bind_socket(const struct address *address, bool share)
{
    int on = 1, family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if ((family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!share || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, (const struct sockaddr *)&address->storage, address->size) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

static int listen_or_close(int fd)
{
    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

/* The first socket of a port is bound and listens without SO_REUSEPORT, so no two daemons have one;
 * only then does it let the others of this daemon in. It never stops listening in between.
 * Of two that start to listen at the same moment both may be refused: -EAGAIN. */
static int claim_port(const struct address *address)
{
    int fd = bind_socket(address, false);
    if (fd < 0)
        return fd;
    fd = listen_or_close(fd);
    int on = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    return fd == -EADDRINUSE ? -EAGAIN : fd;
}

/* Another socket of a port that is ours: who is in the way is about to be refused. */
static int join_port(const struct address *address)
{
    int fd = listen_or_close(bind_socket(address, true));
    return fd == -EADDRINUSE ? -EAGAIN : fd;
}

/* Again while another daemon starts on the same port at this moment. */
static int patiently(int (*open_port)(const struct address *address), const struct address *address)
{
    const struct timespec pause = {.tv_nsec = CLAIM_PAUSE_NS * (1 + getpid() % 7)};
    int fd = open_port(address);
    for (int i = 0; fd == -EAGAIN && i < CLAIM_TRIES; i++) {
        nanosleep(&pause, NULL);
        fd = open_port(address);
    }
    return fd == -EAGAIN ? -EADDRINUSE : fd;
}

static int open_ip(struct address *address, unsigned n_loops, struct listener *listener,
                   struct error *why)
{
    int *fds = listener->fds;
    fds[0] = patiently(claim_port, address);
    if (fds[0] < 0)
        return failed(listener, fds[0], why);
    if (getsockname(fds[0], (struct sockaddr *)&address->storage, &address->size) < 0)
        return failed(listener, -errno, why);
    address_print(address, listener->name, sizeof listener->name);
    for (unsigned i = 1; i < n_loops; i++) {
        fds[i] = patiently(join_port, address);
        if (fds[i] < 0)
            return failed(listener, fds[i], why);
    }
    return 0;
}

/* All loops share the first one's socket. The copies stay away from where passed ones are: in a
 * hole there they would be taken for one. */
static int share_socket(unsigned n_loops, struct listener *listener, struct error *why)
{
    for (unsigned i = 1; i < n_loops; i++) {
        listener->fds[i] = fcntl(listener->fds[0], F_DUPFD_CLOEXEC, PASSED_FIRST + PASSED_MAX);
        if (listener->fds[i] < 0)
            return failed(listener, -errno, why);
    }
    return 0;
}

static int open_unix(const char *path, unsigned n_loops, struct listener *listener,
                     struct error *why)
{
    char *file = strdup(path);
    if (!file)
        return failed(listener, -ENOMEM, why);
    int fd = unix_socket_listen(path, BACKLOG, &listener->made, why);
    if (fd < 0) {
        free(file);
        return fd;
    }
    listener->file = file;
    listener->fds[0] = fd;
    return share_socket(n_loops, listener, why);
}

static bool asks_who(const struct settings *settings)
{
    return *settings->token_file || *settings->tls_client_ca;
}

static int check_access(const struct settings *settings, const struct address *address,
                        const char *name, struct error *why)
{
    if (address_is_local(address) || asks_who(settings) || settings->allow_anonymous)
        return 0;
    return error_set(why, -EACCES,
                     "listen: other machines reach %s, and nobody is asked who he is; "
                     "token_file serves those who have a token, allow_anonymous = yes everybody",
                     name);
}

static int parse_allowed(const struct settings *settings, const char *text, struct address *ret,
                         struct error *why)
{
    int r = address_parse(text, ret, why);
    return r < 0 ? error_prefix(why, r, "listen") : check_access(settings, ret, text, why);
}

static bool has_admin(const struct settings *settings)
{
    return strcmp(settings->admin_listen, "off") != 0;
}

/* Anybody may ask: it is an address of its own so that a firewall can tell it from the others. */
static int parse_admin(const struct settings *settings, struct address *ret, struct error *why)
{
    int r = address_parse(settings->admin_listen, ret, why);
    return r < 0 ? error_prefix(why, r, "admin_listen") : 0;
}

static int open_address(const struct settings *settings, const char *text, unsigned n_loops,
                        struct listener *listener, struct error *why)
{
    struct address address;
    int r = listener->is_admin ? parse_admin(settings, &address, why)
                               : parse_allowed(settings, text, &address, why);
    if (r < 0)
        return r;
    snprintf(listener->name, sizeof listener->name, "%s", text);
    const char *path = address_unix_path(&address);
    return path ? open_unix(path, n_loops, listener, why)
                : open_ip(&address, n_loops, listener, why);
}

static int open_passed(const struct settings *settings, unsigned i, unsigned n_loops,
                       struct listener *listener, struct error *why)
{
    int fd = PASSED_FIRST + (int)i;
    struct address address;
    int r = passed_take(fd, &address, why);
    if (r < 0)
        return r;
    listener->fds[0] = fd;
    char text[ADDRESS_TEXT_SIZE];
    address_print(&address, text, sizeof text);
    snprintf(listener->name, sizeof listener->name, "descriptor %d, passed in: %s", fd, text);
    r = listener->is_admin ? 0 : check_access(settings, &address, listener->name, why);
    return r < 0 ? r : share_socket(n_loops, listener, why);
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

int listeners_check(const struct settings *settings, struct error *why)
{
    struct address address;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < settings->listen.n; i++)
        r = parse_allowed(settings, settings->listen.items[i], &address, why);
    return r == 0 && has_admin(settings) ? parse_admin(settings, &address, why) : r;
}

/* What systemd passed, or the addresses of `listen`; and that of admin_listen behind them. */
static int open_each(const struct settings *settings, const struct passed *passed,
                     struct listeners *listeners, struct error *why)
{
    unsigned n = passed->n ? passed->n : settings->listen.n, n_loops = listeners->n_loops;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < listeners->n; i++) {
        struct listener *listener = &listeners->items[i];
        listener->is_admin = i == n || (passed->n && passed->is_admin[i]);
        if (i < passed->n)
            r = open_passed(settings, i, n_loops, listener, why);
        else
            r = open_address(settings, i < n ? settings->listen.items[i] : settings->admin_listen,
                             n_loops, listener, why);
    }
    return r;
}

int listeners_open(const struct settings *settings, unsigned n_loops, struct listeners *ret,
                   struct error *why)
{
    struct passed passed;
    struct listeners listeners;
    int r = passed_find(&passed, why);
    if (r < 0)
        return r;
    r = alloc((passed.n ? passed.n : settings->listen.n) + has_admin(settings), n_loops, &listeners,
              why);
    if (r == 0)
        r = open_each(settings, &passed, &listeners, why);
    if (r < 0) {
        listeners_close(&listeners);
        return r;
    }
    *ret = listeners;
    return 0;
}

bool listeners_have_admin(const struct listeners *listeners)
{
    for (unsigned i = 0; i < listeners->n; i++)
        if (listeners->items[i].is_admin)
            return true;
    return false;
}

void listeners_unlink(struct listeners *listeners)
{
    for (unsigned i = 0; i < listeners->n; i++) {
        struct listener *listener = &listeners->items[i];
        if (listener->file)
            unix_socket_unlink(listener->file, &listener->made);
        free(listener->file);
        listener->file = NULL;
    }
}

void listeners_close(struct listeners *listeners)
{
    listeners_unlink(listeners);
    for (unsigned i = 0; i < listeners->n; i++) {
        for (unsigned j = 0; listeners->items[i].fds && j < listeners->n_loops; j++)
            if (listeners->items[i].fds[j] >= 0)
                close(listeners->items[i].fds[j]);
        free(listeners->items[i].fds);
    }
    free(listeners->items);
    *listeners = (struct listeners){0};
}
