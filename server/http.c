/* SPDX-License-Identifier: Apache-2.0
 * HTTP for the connections that one thread has let in. */
#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "server/exchange.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/peer.h"

enum {
    /* libmicrohttpd loses wake-ups unless it is run until it has nothing left to do without
     * waiting, so it is run again as long as it asks for that. As clients can keep it asking, this
     * is how often, or how long, before signals, workers and the time have their turn. */
    RUNS_AT_A_TIME = 16,
    MS_AT_A_TIME = 8,
    STALLED_AT_A_TIME = 64,
    LONGEST_WAIT_MS = 60000,
    COMPLAINT_INTERVAL_MS = 60000,
};

/* A daemon of libmicrohttpd speaks TLS with all its clients, or with none. */
enum { PLAIN, TLS, N_DAEMONS };

struct http {
    struct exchanges exchanges;
    struct MHD_Daemon *daemons[N_DAEMONS]; /* the second may be NULL */
    int epoll_fd; /* of the daemons, and of what TLS stalls on; -1 where there is one daemon */
    struct peer *peers;
    struct peer *arriving; /* not yet known to libmicrohttpd */
    uint64_t rested_ms;    /* when there was nothing left to do */
    uint64_t complained_ms;
};

#define NEVER_MS UINT64_MAX

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info->socket_context;
}

/* libmicrohttpd calls this with the request line, and keeps what is returned with the request. */
static void *on_url(void *user, const char *url, struct MHD_Connection *connection)
{
    struct http *http = user;
    return exchange_begin(&http->exchanges, peer_of(connection), url);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    (void)user;
    (void)connection;
    if (!*con_cls)
        return MHD_NO;
    size_t size = *upload_size;
    *upload_size = 0;
    return exchange_step(*con_cls, path, method, version, upload, size) ? MHD_YES : MHD_NO;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)user;
    (void)connection;
    if (*con_cls)
        exchange_end(*con_cls, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *con_cls = NULL;
}

/* ---- TLS ---- */

/* libmicrohttpd would ask the session again and again: see server/tls.h. */
static void on_stall(void *user, bool for_writing)
{
    struct peer *peer = user;
    struct epoll_event event = {.events = for_writing ? EPOLLOUT : EPOLLIN, .data.ptr = peer};
    if (peer->is_stalled || epoll_ctl(peer->http->epoll_fd, EPOLL_CTL_ADD, peer->fd, &event) < 0)
        return;
    peer->is_stalled = true;
    MHD_suspend_connection(peer->connection);
}

static void go_on(struct peer *peer)
{
    epoll_ctl(peer->http->epoll_fd, EPOLL_CTL_DEL, peer->fd, NULL);
    peer->is_stalled = false;
    MHD_resume_connection(peer->connection);
}

static void on_through(void *user)
{
    peer_enter(user, PEER_IDLE);
}

/* Go on with those whose sockets are ready. */
static void go_on_with_stalled(struct http *http)
{
    struct epoll_event events[STALLED_AT_A_TIME];
    int n = epoll_wait(http->epoll_fd, events, STALLED_AT_A_TIME, 0);
    for (int i = 0; i < n; i++)
        if (events[i].data.ptr)
            go_on(events[i].data.ptr);
}

/* The handshake fails by itself where there is no memory. */
static void begin_tls(struct peer *peer)
{
    const struct tls_calls calls = {.stalls = on_stall, .is_through = on_through, .user = peer};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(peer->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (!info)
        return;
    peer_enter(peer, PEER_GREETING);
    tls_begin(service_tls(peer->http->exchanges.service), info->tls_session, peer->fd, &calls,
              &peer->tls);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = http->arriving;
        http->arriving->connection = connection;
        peer_list(http->arriving, &http->peers);
        begin_tls(http->arriving);
        http->arriving = NULL;
        return;
    }
    struct peer *peer = *context;
    /* Some ways out of libmicrohttpd, as when its memory is short twice in one request, do not lead
     * through on_completed(). */
    if (peer->exchange)
        exchange_end(peer->exchange, false);
    peer_unlist(peer);
    tls_end(peer->tls);
    admission_leave(peer->admission, peer->address);
    free(peer);
    *context = NULL;
}

void http_add(struct http *http, const struct guest *guest)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer) {
        close(guest->fd);
        admission_leave(guest->admission, guest->address);
        return;
    }
    bool tls = http->daemons[TLS] && !guest->is_admin && guest->from.ss_family != AF_UNIX;
    peer->http = http;
    peer->fd = guest->fd;
    peer->address = guest->address;
    peer->admission = guest->admission;
    peer->is_admin = guest->is_admin;
    guest_name(guest, peer->name);
    peer_enter(peer, PEER_IDLE);
    http->arriving = peer;
    MHD_add_connection(http->daemons[tls ? TLS : PLAIN], guest->fd,
                       (const struct sockaddr *)&guest->from, guest->from_size);
    if (!http->arriving)
        return;
    http->arriving = NULL; /* libmicrohttpd has closed the descriptor */
    free(peer);
    admission_leave(guest->admission, guest->address);
}

/* Most of what libmicrohttpd complains of is what clients send; this is what the machine lacks. */
static bool is_shortage(const char *text)
{
    static const char *const beginnings[] = {
        "Error allocating memory",
        "Call to epoll_ctl failed",
        "Call to epoll_wait failed",
        "Failed to create",
    };
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *user, const char *format,
                                                         va_list args)
{
    struct http *http = user;
    char text[512];
    uint64_t now_ms = peer_now_ms();
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    if (!is_shortage(text)) {
        log_debug("libmicrohttpd: %s", text);
    } else if (now_ms - http->complained_ms >= COMPLAINT_INTERVAL_MS) {
        log_warning("libmicrohttpd: %s", text);
        http->complained_ms = now_ms;
    }
}

/* The logger comes first: what goes wrong with the other options is said to it. Of its strict
 * parsing we do more ourselves, and tell what is wrong: see framing.c. Without TURBO, TLS is ended
 * in its own words before the connection is. */
static struct MHD_Daemon *start_daemon(struct http *http, bool tls)
{
    const struct settings *settings = service_settings(http->exchanges.service);
    const struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, tls_no_certificate()},
        {MHD_OPTION_END, 0, NULL},
    };
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
                           MHD_USE_ERROR_LOG | (unsigned)(tls ? MHD_USE_TLS : MHD_USE_TURBO);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
        MHD_OPTION_URI_LOG_CALLBACK, on_url, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)settings->max_header_bytes, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)settings->max_connections + ADMISSION_ADMINS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)settings->idle_timeout_s, MHD_OPTION_ARRAY, tls ? tls_options : &tls_options[2],
        MHD_OPTION_END);
}

static int epoll_fd_of(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

/* Both daemons behind one descriptor. */
static int join(struct http *http, struct error *why)
{
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < N_DAEMONS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        if (http->epoll_fd < 0 ||
            epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, epoll_fd_of(http->daemons[i]), &event) < 0)
            return error_set(why, -errno, "cannot wait for connections: %s", strerror(errno));
    }
    return 0;
}

static int start_daemons(struct http *http, struct error *why)
{
    bool tls = service_tls(http->exchanges.service);
    if (tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return error_set(why, -ENOTSUP, "tls_certificate: this libmicrohttpd knows no TLS");
    for (int i = 0; i < (tls ? N_DAEMONS : TLS); i++) {
        http->daemons[i] = start_daemon(http, i == TLS);
        if (!http->daemons[i])
            return error_set(why, -EIO, "libmicrohttpd does not start");
    }
    return tls ? join(http, why) : 0;
}

int http_start(struct service *service, struct workers *workers, void (*wake)(void *user),
               void *user, struct http **ret, struct error *why)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return error_set(why, -ENOMEM, "no memory for a server");
    exchanges_init(&http->exchanges, service, workers, wake, user);
    http->epoll_fd = -1;
    int r = start_daemons(http, why);
    if (r < 0)
        http_stop(http);
    else
        *ret = http;
    return r;
}

int http_fd(const struct http *http)
{
    return http->epoll_fd >= 0 ? http->epoll_fd : epoll_fd_of(http->daemons[PLAIN]);
}

/* Returns after how many ms at most it is due again, 0 for at once. */
static uint64_t run_daemon(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    MHD_run_wait(daemon, 0);
    return MHD_get_timeout(daemon, &timeout_ms) == MHD_YES ? timeout_ms : NEVER_MS;
}

static uint64_t run_daemons(struct http *http)
{
    uint64_t due_ms = NEVER_MS;
    if (http->epoll_fd >= 0)
        go_on_with_stalled(http);
    for (int i = 0; i < N_DAEMONS && http->daemons[i]; i++) {
        uint64_t own_ms = run_daemon(http->daemons[i]);
        due_ms = own_ms < due_ms ? own_ms : due_ms;
    }
    return due_ms;
}

int http_run(struct http *http)
{
    uint64_t start_ms = peer_now_ms();
    for (int i = 0; i < RUNS_AT_A_TIME; i++) {
        uint64_t due_ms = run_daemons(http), now_ms = peer_now_ms();
        if (due_ms > 0) {
            http->rested_ms = now_ms;
            return due_ms == NEVER_MS ? -1
                                      : (int)(due_ms < LONGEST_WAIT_MS ? due_ms : LONGEST_WAIT_MS);
        }
        if (now_ms - start_ms >= MS_AT_A_TIME)
            break;
    }
    return 0;
}

void http_collect(struct http *http)
{
    exchanges_collect(&http->exchanges);
}

static void count_cut(enum peer_phase phase)
{
    static const enum metrics_cell cells[] = {
        [PEER_GREETING] = METRICS_CUT_GREETING,
        [PEER_IDLE] = METRICS_CUT_IDLE,
        [PEER_ASKING] = METRICS_CUT_ASKING,
        [PEER_WAITING] = METRICS_CUT_ASKING, /* never: the server is who makes it wait */
        [PEER_RECEIVING] = METRICS_CUT_RECEIVING,
    };
    tally_add(cells[phase], 1);
}

void http_check_peers(struct http *http)
{
    const struct settings *settings = service_settings(http->exchanges.service);
    for (struct peer *peer = http->peers; peer; peer = peer->next) {
        if (peer->exchange)
            exchange_give_up(peer->exchange, false);
        /* What it was sent may still be on its way, so it is not cut off. */
        if (peer_has_left(peer))
            peer_hang_up(peer);
        if (!peer_is_late(peer, settings, http->rested_ms, http->exchanges.stopping))
            continue;
        count_cut(peer->phase);
        peer_cut_off(peer);
        if (peer->is_stalled)
            go_on(peer);
        /* A connection that libmicrohttpd asks in vain is not in its epoll set, and sees no end. */
        if (peer->chunked)
            MHD_set_connection_option(peer->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
    }
}

void http_give_up_waiting(struct http *http)
{
    for (struct peer *peer = http->peers; peer; peer = peer->next)
        if (peer->exchange)
            exchange_give_up(peer->exchange, true);
}

void http_stop_keeping(struct http *http)
{
    http->exchanges.stopping = true;
}

unsigned http_n_running(const struct http *http)
{
    return http->exchanges.n_running;
}

bool http_expects(const struct http *http)
{
    const struct peer *peer = http->peers;
    while (peer && !peer_is_expected(peer))
        peer = peer->next;
    return peer;
}

unsigned http_n_out(const struct http *http)
{
    return http->exchanges.n_out;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    for (struct peer *peer = http->peers; peer; peer = peer->next)
        if (peer->is_stalled)
            go_on(peer);
    for (int i = 0; i < N_DAEMONS; i++)
        if (http->daemons[i])
            MHD_stop_daemon(http->daemons[i]);
    if (http->epoll_fd >= 0)
        close(http->epoll_fd);
    exchanges_free(&http->exchanges);
    free(http);
}
