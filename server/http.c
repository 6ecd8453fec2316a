/* SPDX-License-Identifier: Apache-2.0
 * HTTP on one listening socket: connections, requests, answers. The one door to libmicrohttpd. */
#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/log.h"
#include "server/problem.h"
#include "server/routes.h"
#include "server/samples/budget.h"

enum {
    RUNS_AT_A_TIME = 16,
    /* A vector stands in the memory that a connection's headers stand in. How much of that is free
     * cannot be known, but the answer's own head, of more bytes than these take, has just left it.
     */
    VECTOR_MAX_PARTS = 8,
    BLOCK_BYTES = 256 * 1024, /* of an answer of more parts are copied at a time */
    DISCARD_FACTOR = 16,      /* a body this many times too long is not read to its end */
};

/* One connection, in its server's list. */
struct peer {
    struct peer *next, **link;
    int fd;
    bool waiting; /* for a request to arrive whole */
    uint64_t since_ms;
};

struct http {
    struct service *service;
    struct MHD_Daemon *daemon;
    http_submit *submit;
    void *user;
    struct peer *peers;
    unsigned n_running;
    bool stopping;
};

/* One request and its answer. Lives until libmicrohttpd has let go of both. */
struct http_exchange {
    struct http *http;
    struct MHD_Connection *connection;
    struct peer *peer;
    unsigned n_users;
    bool begun, answered;
    struct request request;
    struct reply reply;
    size_t part, part_read; /* where read_parts() goes on */
    uint64_t read;
    char *body;
    size_t body_size; /* received; what is past the limit is not kept */
    char url[];
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void exchange_unref(void *user)
{
    struct http_exchange *exchange = user;
    if (--exchange->n_users > 0)
        return;
    reply_reset(&exchange->reply);
    free(exchange->request.numbers.items);
    catalog_unref(exchange->request.catalog);
    free(exchange->body);
    free(exchange);
}

/* libmicrohttpd calls this with the request line, and keeps what is returned with the request. */
static void *on_url(void *user, const char *url, struct MHD_Connection *connection)
{
    struct http *http = user;
    size_t size = strlen(url) + 1;
    struct http_exchange *exchange = calloc(1, sizeof *exchange + size);
    if (!exchange)
        return NULL;
    memcpy(exchange->url, url, size);
    exchange->http = http;
    exchange->connection = connection;
    exchange->n_users = 1;
    exchange->request.url = exchange->url;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->peer = info ? info->socket_context : NULL;
    http->n_running++;
    return exchange;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct http *http = user;
    struct http_exchange *exchange = *con_cls;
    if (!exchange)
        return;
    if (exchange->peer) {
        exchange->peer->waiting = true;
        exchange->peer->since_ms = now_ms();
    }
    http->n_running--;
    *con_cls = NULL;
    exchange_unref(exchange);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = user;
    struct peer *peer = *context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        peer = calloc(1, sizeof *peer);
        if (!peer)
            return;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *peer = (struct peer){.next = http->peers,
                              .link = &http->peers,
                              .fd = info ? info->connect_fd : -1,
                              .waiting = true,
                              .since_ms = now_ms()};
        if (peer->next)
            peer->next->link = &peer->next;
        http->peers = peer;
        *context = peer;
    } else if (peer) {
        *peer->link = peer->next;
        if (peer->next)
            peer->next->link = peer->link;
        free(peer);
        *context = NULL;
    }
}

static enum MHD_Result add_query(void *user, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    struct request *request = user;
    unsigned i = request->n_query++;
    if (i < REQUEST_MAX_QUERY) {
        request->query[i].name = name;
        request->query[i].value = value ? value : "";
    }
    return MHD_YES;
}

static enum request_method method_of(const char *name)
{
    static const char *const names[] = {
        [METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST"};
    enum request_method method = 0;
    while (method < METHOD_OTHER && strcmp(name, names[method]) != 0)
        method++;
    return method;
}

static const char *header_of(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static void read_head(struct http_exchange *exchange, const char *path, const char *method)
{
    struct request *request = &exchange->request;
    request->service = exchange->http->service;
    request->catalog = service_catalog(request->service);
    request->method = method_of(method);
    exchange->reply.max_bytes = service_settings(request->service)->max_answer_bytes;
    exchange->reply.head_only = request->method == METHOD_HEAD;
    request->path = path;
    request->accept = header_of(exchange, MHD_HTTP_HEADER_ACCEPT);
    request->if_none_match = header_of(exchange, MHD_HTTP_HEADER_IF_NONE_MATCH);
    request->range = header_of(exchange, MHD_HTTP_HEADER_RANGE);
    request->if_range = header_of(exchange, MHD_HTTP_HEADER_IF_RANGE);
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_query, request);
}

/* Copy the next bytes of the answer's parts. libmicrohttpd asks for them in their order. */
static ssize_t read_parts(void *user, uint64_t at, char *bytes, size_t size)
{
    struct http_exchange *exchange = user;
    const struct reply *reply = &exchange->reply;
    if (at != exchange->read)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = 0;
    while (n < size && exchange->part < reply->n_parts) {
        const struct iovec *part = &reply->parts[exchange->part];
        size_t left = part->iov_len - exchange->part_read,
               piece = size - n < left ? size - n : left;
        memcpy(bytes + n, (const char *)part->iov_base + exchange->part_read, piece);
        n += piece;
        exchange->part_read += piece;
        if (piece == left) {
            exchange->part++;
            exchange->part_read = 0;
        }
    }
    exchange->read += n;
    /* What was copied may have been no longer there. */
    return reply_is_damaged(reply) ? MHD_CONTENT_READER_END_WITH_ERROR : (ssize_t)n;
}

/* Many parts go out block by block. A block lives as long as its answer, so it is claimed. */
static bool claim_block(struct http_exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    if (!budget_claim(reply->address, BLOCK_BYTES)) {
        problem(&exchange->request, reply, PROBLEM_BUSY,
                "the answers under way take all of max_pending_bytes, or those for this address "
                "its share");
        return false;
    }
    reply->n_claimed += BLOCK_BYTES;
    return true;
}

/* A body that is never asked for: the answer to a HEAD. */
static ssize_t read_nothing(void *user, uint64_t at, char *bytes, size_t size)
{
    (void)user;
    (void)at;
    (void)bytes;
    (void)size;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *make_response(struct http_exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    _Static_assert(sizeof(struct MHD_IoVec) == sizeof(struct iovec), "one layout");
    if (reply->n_parts > VECTOR_MAX_PARTS && claim_block(exchange))
        return MHD_create_response_from_callback(reply->n_bytes, BLOCK_BYTES, read_parts, exchange,
                                                 exchange_unref);
    if (reply->head_only && (reply->n_bytes > 0 || reply->unknown_length))
        return MHD_create_response_from_callback(reply->unknown_length ? MHD_SIZE_UNKNOWN
                                                                       : reply->n_bytes,
                                                 1, read_nothing, exchange, exchange_unref);
    if (reply->n_parts == 0)
        return MHD_create_response_from_buffer_with_free_callback_cls(0, (void *)"", exchange_unref,
                                                                      exchange);
    if (reply->n_parts == 1)
        return MHD_create_response_from_buffer_with_free_callback_cls(
            reply->parts[0].iov_len, reply->parts[0].iov_base, exchange_unref, exchange);
    return MHD_create_response_from_iovec((const struct MHD_IoVec *)reply->parts,
                                          (unsigned)reply->n_parts, exchange_unref, exchange);
}

static enum MHD_Result answer(struct http_exchange *exchange)
{
    struct MHD_Response *response = make_response(exchange);
    if (!response)
        return MHD_NO;
    exchange->n_users++;
    exchange->answered = true;
    const struct reply *reply = &exchange->reply;
    bool added = true;
    for (unsigned i = 0; added && i < reply->n_headers; i++)
        added = MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (added && exchange->http->stopping)
        added = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result queued =
        added ? MHD_queue_response(exchange->connection, reply->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result dispatch(struct http_exchange *exchange)
{
    struct http *http = exchange->http;
    if (exchange->peer)
        exchange->peer->waiting = false;
    if (!routes_prepare(&exchange->request, &exchange->reply))
        return answer(exchange);
    if (!routes_is_heavy(&exchange->request)) {
        routes_run(&exchange->request, &exchange->reply);
        return answer(exchange);
    }
    if (!http->submit(http->user, exchange)) {
        problem(&exchange->request, &exchange->reply, PROBLEM_BUSY,
                "queue_length requests are waiting");
        return answer(exchange);
    }
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

void http_exchange_run(struct http_exchange *exchange)
{
    routes_run(&exchange->request, &exchange->reply);
}

void http_exchange_done(struct http_exchange *exchange)
{
    MHD_resume_connection(exchange->connection);
}

static enum MHD_Result refuse_body(struct http_exchange *exchange)
{
    problem_number(&exchange->request, &exchange->reply, PROBLEM_TOO_LARGE, "limit",
                   service_settings(exchange->http->service)->max_body_bytes,
                   "the body is longer than max_body_bytes, %ju",
                   (uintmax_t)service_settings(exchange->http->service)->max_body_bytes);
    return answer(exchange);
}

/* Keep a piece of the body. False: far too much, or no memory. */
static bool keep_body(struct http_exchange *exchange, const char *bytes, size_t size)
{
    size_t most = service_settings(exchange->http->service)->max_body_bytes;
    size_t before = exchange->body_size;
    exchange->body_size += size;
    if (exchange->body_size > most || exchange->request.method != METHOD_POST)
        return exchange->body_size <= most * DISCARD_FACTOR;
    char *body = realloc(exchange->body, exchange->body_size);
    if (!body)
        return false;
    memcpy(body + before, bytes, size);
    exchange->body = body;
    return true;
}

/* An answer given here, before the request was read to its end, would close the connection, and a
 * client that is still sending might not see it. */
static enum MHD_Result begin(struct http_exchange *exchange, const char *path, const char *method)
{
    exchange->begun = true;
    read_head(exchange, path, method);
    const char *length = header_of(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t most = service_settings(exchange->http->service)->max_body_bytes * DISCARD_FACTOR;
    if (length && strtoull(length, NULL, 10) > most)
        return exchange->request.method == METHOD_POST ? refuse_body(exchange) : MHD_NO;
    return MHD_YES;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    (void)user;
    (void)connection;
    (void)version;
    struct http_exchange *exchange = *con_cls;
    if (!exchange)
        return MHD_NO;
    if (!exchange->begun)
        return begin(exchange, path, method);
    if (*upload_size > 0) {
        bool kept = keep_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return kept ? MHD_YES : MHD_NO;
    }
    if (exchange->reply.status) /* back from a worker */
        return answer(exchange);
    if (exchange->body_size > service_settings(exchange->http->service)->max_body_bytes)
        return refuse_body(exchange);
    exchange->request.body = exchange->body;
    exchange->request.body_size = exchange->body_size;
    return dispatch(exchange);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *user, const char *format,
                                                         va_list args)
{
    (void)user;
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_debug("libmicrohttpd: %s", text);
}

int http_start(struct service *service, int listen_fd, unsigned share, http_submit *submit,
               void *user, struct http **ret, struct error *why)
{
    const struct settings *settings = service_settings(service);
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return error_set(why, -ENOMEM, "no memory for a server");
    http->service = service;
    http->submit = submit;
    http->user = user;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_url, http, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)settings->max_header_bytes,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(settings->max_connections / share + 1),
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)settings->max_connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)settings->idle_timeout_s, MHD_OPTION_END);
    if (!http->daemon) {
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
    for (int i = 0; i < RUNS_AT_A_TIME; i++) {
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        MHD_run_wait(http->daemon, 0);
        if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
            return -1;
        if (timeout_ms > 0)
            return timeout_ms < 60000 ? (int)timeout_ms : 60000;
    }
    return 0;
}

void http_check_deadlines(struct http *http)
{
    const struct settings *settings = service_settings(http->service);
    uint64_t most_ms = (settings->idle_timeout_s + settings->request_timeout_s) * 1000;
    uint64_t now = now_ms();
    for (struct peer *peer = http->peers; peer; peer = peer->next)
        if (peer->waiting && now - peer->since_ms > most_ms && peer->fd >= 0)
            shutdown(peer->fd, SHUT_RDWR);
}

void http_stop_accepting(struct http *http)
{
    http->stopping = true;
    int fd = MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        close(fd);
}

unsigned http_n_running(const struct http *http)
{
    return http->n_running;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}
