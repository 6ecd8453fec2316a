/* SPDX-License-Identifier: Apache-2.0
 * HTTP for the connections that one thread has let in. */
#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/exchange.h"
#include "server/log.h"
#include "server/peer.h"

enum {
    /* libmicrohttpd loses wake-ups unless it is run until it has nothing left to do without
     * waiting, so it is run again as long as it asks for that. As clients can keep it asking, this
     * is how often, or how long, before signals, workers and the time have their turn. */
    RUNS_AT_A_TIME = 16,
    MS_AT_A_TIME = 8,
    LONGEST_WAIT_MS = 60000,
    COMPLAINT_INTERVAL_MS = 60000,
};

struct http {
    struct exchanges exchanges;
    struct admission *admission;
    struct MHD_Daemon *daemon;
    struct peer *peers;
    struct peer *arriving; /* not yet known to libmicrohttpd */
    uint64_t rested_ms;    /* when there was nothing left to do */
    uint64_t complained_ms;
};

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
    (void)code;
    if (*con_cls)
        exchange_end(*con_cls);
    *con_cls = NULL;
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = http->arriving;
        http->arriving->connection = connection;
        peer_list(http->arriving, &http->peers);
        http->arriving = NULL;
        return;
    }
    struct peer *peer = *context;
    /* Some ways out of libmicrohttpd, as when its memory is short twice in one request, do not lead
     * through on_completed(). */
    if (peer->exchange)
        exchange_end(peer->exchange);
    peer_unlist(peer);
    admission_leave(http->admission, peer->address);
    free(peer);
    *context = NULL;
}

void http_add(struct http *http, const struct guest *guest)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer) {
        close(guest->fd);
        admission_leave(http->admission, guest->address);
        return;
    }
    peer->fd = guest->fd;
    peer->address = guest->address;
    peer_enter(peer, PEER_IDLE);
    http->arriving = peer;
    MHD_add_connection(http->daemon, guest->fd, (const struct sockaddr *)&guest->from,
                       guest->from_size);
    if (!http->arriving)
        return;
    http->arriving = NULL; /* libmicrohttpd has closed the descriptor */
    free(peer);
    admission_leave(http->admission, guest->address);
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

int http_start(struct service *service, struct admission *admission, struct workers *workers,
               void (*wake)(void *user), void *user, struct http **ret, struct error *why)
{
    const struct settings *settings = service_settings(service);
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return error_set(why, -ENOMEM, "no memory for a server");
    exchanges_init(&http->exchanges, service, workers, wake, user);
    http->admission = admission;
    /* The logger comes first: what goes wrong with the other options is said to it. Of its strict
     * parsing we do more ourselves, and tell what is wrong: see framing.c. */
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
        MHD_OPTION_URI_LOG_CALLBACK, on_url, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)settings->max_header_bytes, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)settings->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)settings->idle_timeout_s, MHD_OPTION_END);
    if (!http->daemon) {
        exchanges_free(&http->exchanges);
        free(http);
        return error_set(why, -EIO, "libmicrohttpd does not start");
    }
    *ret = http;
    return 0;
}

int http_fd(const struct http *http)
{
    return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_run(struct http *http)
{
    uint64_t start_ms = peer_now_ms();
    for (int i = 0; i < RUNS_AT_A_TIME; i++) {
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        MHD_run_wait(http->daemon, 0);
        bool waits = MHD_get_timeout(http->daemon, &timeout_ms) == MHD_YES;
        uint64_t now_ms = peer_now_ms();
        if (!waits || timeout_ms > 0) {
            http->rested_ms = now_ms;
            return !waits ? -1 : timeout_ms < LONGEST_WAIT_MS ? (int)timeout_ms : LONGEST_WAIT_MS;
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

void http_check_peers(struct http *http)
{
    const struct settings *settings = service_settings(http->exchanges.service);
    for (struct peer *peer = http->peers; peer; peer = peer->next) {
        if (peer->exchange)
            exchange_give_up(peer->exchange, false);
        if (!peer_is_late(peer, settings, http->rested_ms, http->exchanges.stopping))
            continue;
        peer_cut_off(peer);
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
    MHD_stop_daemon(http->daemon);
    exchanges_free(&http->exchanges);
    free(http);
}
