/* SPDX-License-Identifier: Apache-2.0
 * The least that a server can do: bytes of a mapped file behind a fixed head, from one epoll loop a
 * core. It understands nothing; what is measured against it is what understanding costs.
 *
 *   bench/bare FILE WINDOW PIECES BYTES
 *
 * Each answer is PIECES pieces of BYTES bytes from anywhere in the first WINDOW bytes of FILE. Prints its
 * port. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { N_LOOPS = 2, MAX_PIECES = 1023, MAX_EVENTS = 256, ALIGNMENT = 5 };

static const char *map;
static size_t window, piece_size, n_pieces;
static char head[128];

struct loop {
    int listener, epoll;
};

struct connection {
    int fd;
    unsigned draw;
    size_t left; /* of the answer under way */
    struct iovec parts[1 + MAX_PIECES];
    struct iovec *next;
};

static void make_answer(struct connection *c)
{
    c->next = c->parts;
    c->parts[0] = (struct iovec){head, strlen(head)};
    c->left = c->parts[0].iov_len;
    for (size_t i = 1; i <= n_pieces; i++) {
        c->draw = c->draw * 1664525 + 1013904223;
        size_t at = (size_t)c->draw * ALIGNMENT % (window - piece_size);
        c->parts[i] = (struct iovec){(void *)(map + at), piece_size};
        c->left += piece_size;
    }
}

/* Send what the socket takes. False: the client is gone. */
static int send_on(struct connection *c)
{
    while (c->left > 0) {
        ssize_t n = writev(c->fd, c->next, (int)(c->parts + 1 + n_pieces - c->next));
        if (n <= 0)
            return n < 0;
        c->left -= (size_t)n;
        for (; c->left > 0 && (size_t)n >= c->next->iov_len; c->next++)
            n -= (ssize_t)c->next->iov_len;
        c->next->iov_base = (char *)c->next->iov_base + n;
        c->next->iov_len -= (size_t)n;
    }
    return 1;
}

static void serve(struct connection *c)
{
    char request[4096];
    ssize_t n = c->left > 0 ? 1 : recv(c->fd, request, sizeof request, 0);
    if (n > 0 && c->left == 0)
        make_answer(c);
    if (n == 0 || !send_on(c)) {
        close(c->fd);
        free(c);
    }
}

static void take(const struct loop *loop)
{
    int fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK);
    struct connection *c = fd < 0 ? NULL : calloc(1, sizeof *c);
    if (!c)
        return;
    *c = (struct connection){.fd = fd, .draw = (unsigned)fd};
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = c}};
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void *run(void *user)
{
    const struct loop *loop = user;
    struct epoll_event events[MAX_EVENTS];
    for (;;) {
        int n = epoll_wait(loop->epoll, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                take(loop);
    }
    return NULL;
}

static void open_loop(struct loop *ret, struct sockaddr_in *address)
{
    int on = 1;
    socklen_t size = sizeof *address;
    *ret = (struct loop){socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll_create1(0)};
    setsockopt(ret->listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(ret->listener, (struct sockaddr *)address, size) < 0 || listen(ret->listener, 4096) < 0)
        err(1, "cannot listen");
    getsockname(ret->listener, (struct sockaddr *)address, &size);
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    epoll_ctl(ret->epoll, EPOLL_CTL_ADD, ret->listener, &event);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: bare FILE WINDOW PIECES BYTES");
    struct stat file;
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || fstat(fd, &file) < 0)
        err(1, "%s", argv[1]);
    window = strtoul(argv[2], NULL, 10);
    n_pieces = strtoul(argv[3], NULL, 10);
    piece_size = strtoul(argv[4], NULL, 10);
    if (window > (size_t)file.st_size)
        window = (size_t)file.st_size;
    if (n_pieces < 1 || n_pieces > MAX_PIECES || piece_size < 1 || piece_size >= window)
        errx(2, "1 to %d PIECES, shorter than WINDOW", MAX_PIECES);
    map = mmap(NULL, window, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        err(1, "%s", argv[1]);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
             n_pieces * piece_size);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    static struct loop loops[N_LOOPS];
    for (int i = 0; i < N_LOOPS; i++)
        open_loop(&loops[i], &address);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    pthread_t thread;
    for (int i = 1; i < N_LOOPS; i++)
        pthread_create(&thread, NULL, run, &loops[i]);
    run(&loops[0]);
    return 0;
}
