/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: what one client may send over its connection, through the real libmicrohttpd. What
 * comes back is one whole answer behind the other; then nothing is held any more.
 *
 * The input is the client's bytes, as they are. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server/http.h"
#include "server/samples/budget.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/served.h"

enum {
    INPUT_MAX = 40000,
    RECEIVED_MAX = 8 << 20,
    PATIENCE_MS = 60000, /* no limit on speed: longer than this is never */
    N_GUESTS = 2,
    N_TASKS = 8,
    MOST_COST_US = 1000000,
    RUNS_IN_VAIN = 50,
    RUNS_MAX = 1000,
    SKIP_S = 2,
};

static struct {
    struct http *http;
    struct admission *admission;
    struct workers *workers;
    int listener, finished;
} server;

static void wake(void *user)
{
    const uint64_t one = 1;
    (void)user;
    FUZZ_CHECK(write(server.finished, &one, sizeof one) == sizeof one);
}

static int new_socket(int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    FUZZ_CHECK(fd >= 0);
    return fd;
}

static void start(void)
{
    struct error why;
    const struct sockaddr_un any = {.sun_family = AF_UNIX};
    server.finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server.listener = new_socket(SOCK_NONBLOCK);
    FUZZ_CHECK(bind(server.listener, (const void *)&any, sizeof any.sun_family) == 0);
    FUZZ_CHECK(listen(server.listener, N_GUESTS) == 0);
    FUZZ_CHECK(admission_new(N_GUESTS, 0, &server.admission, &why) == 0);
    FUZZ_CHECK(workers_start(1, N_TASKS, MOST_COST_US, &server.workers, &why) == 0);
    FUZZ_CHECK(http_start(served(), server.workers, wake, NULL, &server.http, &why) == 0);
}

static int let_in(void)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    struct guest guest;
    int client = new_socket(0);
    FUZZ_CHECK(getsockname(server.listener, (void *)&address, &size) == 0);
    FUZZ_CHECK(connect(client, (const void *)&address, size) == 0);
    FUZZ_CHECK(admission_accept(server.admission, server.listener, &guest) == 0);
    http_add(server.http, &guest);
    return client;
}

/* ---- Time, which need not be waited for ---- */

static time_t skipped_s;

/* In place of libc's, for libmicrohttpd, too. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int r = (int)syscall(SYS_clock_gettime, clock, ret);
    if (r == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
        ret->tv_sec += skipped_s;
    return r;
}

/* libmicrohttpd asks in vain for the rest of some lines, until the loop's timer sees that. */
static void skip_time(unsigned n_runs)
{
    FUZZ_CHECK(n_runs < RUNS_MAX);
    if (n_runs % RUNS_IN_VAIN != 0)
        return;
    skipped_s += SKIP_S;
    http_check_peers(server.http);
}

/* ---- A conversation ---- */

/* What the client has received. */
struct received {
    uint8_t *bytes;
    size_t size;
    bool ended;
};

static void receive(int client, struct received *received)
{
    for (;;) {
        FUZZ_CHECK(received->size < RECEIVED_MAX);
        ssize_t n = recv(client, received->bytes + received->size, RECEIVED_MAX - received->size,
                         MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            received->ended = true;
            return;
        }
        received->size += (size_t)n;
    }
}

/* Let the server do what it can, until it waits for the client. */
static void serve(int client, struct received *received)
{
    size_t before = received->size;
    for (unsigned n_runs = 1;; n_runs++) {
        uint64_t count;
        struct pollfd ready[] = {{.fd = http_fd(server.http), .events = POLLIN},
                                 {.fd = server.finished, .events = POLLIN}};
        int again_ms = http_run(server.http);
        receive(client, received);
        bool out = http_n_out(server.http) > 0;
        int n;
        do /* libFuzzer's alarm interrupts it */
            n = poll(ready, 2, out && again_ms != 0 ? PATIENCE_MS : 0);
        while (n < 0 && errno == EINTR);
        FUZZ_CHECK(n > 0 || !out || again_ms == 0);
        if (ready[1].revents && read(server.finished, &count, sizeof count) > 0)
            http_collect(server.http);
        if (n == 0 && again_ms != 0)
            return;
        if (received->size == before)
            skip_time(n_runs);
        else
            n_runs = 0;
        before = received->size;
    }
}

static size_t send_some(int client, const uint8_t *bytes, size_t size)
{
    ssize_t n = send(client, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

static void converse(const uint8_t *bytes, size_t size, struct received *received)
{
    int client = let_in();
    while (size > 0 && !received->ended) {
        size_t n = send_some(client, bytes, size);
        bytes += n;
        size -= n;
        serve(client, received);
        if (n == 0)
            break; /* the server does not read on */
    }
    shutdown(client, SHUT_WR);
    serve(client, received);
    close(client);
    serve(client, received);
}

/* ---- What came ---- */

static const char *find_line(const char *head, const char *end, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = head; at + n < end; at++)
        if (at[0] == '\n' && strncasecmp(at + 1, name, n) == 0)
            return at + 1 + n;
    return NULL;
}

static bool begins_answer(const char *at, const char *end)
{
    return (size_t)(end - at) >= 9 && memcmp(at, "HTTP/1.1 ", 9) == 0;
}

/* Where the answer at `at` ends: behind its headers if the request was a HEAD, and else behind its
 * body, which may be cut off only where the connection ends. */
static const char *skip_answer(const char *at, const char *end)
{
    FUZZ_CHECK(begins_answer(at, end));
    long status = strtol(at + 9, NULL, 10);
    FUZZ_CHECK(status >= 100 && status <= 505);
    FUZZ_CHECK(status != 500);
    const char *body = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    if (!body)
        return end;
    body += 4;
    const char *length = find_line(at, body, "Content-Length:");
    if (!length || body == end || begins_answer(body, end))
        return body;
    uint64_t size = strtoull(length, NULL, 10);
    FUZZ_CHECK(size <= (uint64_t)(end - body));
    return body + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct received received;
    if (!server.http) {
        start();
        received.bytes = fuzz_alloc(RECEIVED_MAX + 1);
    }
    if (size > INPUT_MAX)
        return 0;
    received.size = 0;
    received.ended = false;
    converse(bytes, size, &received);
    received.bytes[received.size] = '\0';
    const char *at = (const char *)received.bytes, *end = at + received.size;
    while (at < end)
        at = skip_answer(at, end);
    FUZZ_CHECK(http_n_running(server.http) == 0);
    FUZZ_CHECK(budget_used() == 0);
    return 0;
}
