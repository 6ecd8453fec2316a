/* SPDX-License-Identifier: Apache-2.0
 * HTTP exchanges with servers, many at once. client/transfer*.c are the one door to libcurl. */
#include "client/transfer_state.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/wire.h"

enum {
    RECEIVE_BYTES = 512 * 1024,
    MAX_PROBLEM_BYTES = 65536,
    LEAST_RATE =
        1000, /* bytes/s on the average of stall_timeout_s: a byte now and then is a stall */
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static const char *const header_names[N_ANSWER_HEADERS] = {
    [HEADER_CONTENT_TYPE] = "Content-Type", [HEADER_CONTENT_RANGE] = "Content-Range",
    [HEADER_DIGEST] = WIRE_DIGEST,          [HEADER_LOCATION] = "Location",
    [HEADER_RETRY_AFTER] = "Retry-After",
};

static const struct {
    CURLcode code;
    int error;
} errors[] = {
    {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT}, {CURLE_OUT_OF_MEMORY, -ENOMEM},
    {CURLE_PARTIAL_FILE, -EBADMSG},         {CURLE_WEIRD_SERVER_REPLY, -EPROTO},
    {CURLE_UNSUPPORTED_PROTOCOL, -EPROTO},  {CURLE_PEER_FAILED_VERIFICATION, -EACCES},
    {CURLE_SSL_CACERT_BADFILE, -EINVAL},    {CURLE_SSL_CERTPROBLEM, -EINVAL},
};

static uint64_t option_bytes(const tnm_options *options)
{
    return options->max_answer_mb * 1000000;
}

static int error_of(CURLcode code)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == code)
            return errors[i].error;
    return -EHOSTUNREACH;
}

/* ---- From libcurl to the loop and back ---- */

static void start_waiting(struct transfers *all);

/* "connection refused", where the system says so; else libcurl's words. */
static int connect_error(const struct transfer *transfer, CURLcode code, struct error *why)
{
    long system = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &system);
    const char *words = transfer->message[0] ? transfer->message : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT && system > 0)
        words = strerror((int)system);
    error_set(why, error_of(code), "%s", words);
    if (words != transfer->message)
        why->text[0] = (char)tolower((unsigned char)why->text[0]);
    return error_of(code);
}

/* A server that does not take the client's certificate, or misses one, says so in an alert, which
 * libcurl has only in words. */
static bool is_unwanted(const struct transfer *transfer, CURLcode code)
{
    static const char *const words[] = {"certificate", "unknown ca"};
    const char *alert = strstr(transfer->message, "alert ");
    if (!alert || (code != CURLE_SSL_CONNECT_ERROR && code != CURLE_RECV_ERROR))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(alert, words[i]))
            return true;
    return false;
}

int transfer_result(struct transfer *transfer, CURLcode code, struct error *why)
{
    curl_off_t begun_us = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->answer.status);
    curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &begun_us);
    transfer->answer.begun_after_ms = (uint64_t)begun_us / 1000;
    if (transfer->refused == -EMSGSIZE)
        return error_set(why, -EMSGSIZE, "the answer is longer than the %" PRIu64 " bytes that %s",
                         transfer->max_bytes,
                         transfer->max_bytes == option_bytes(transfer->all->options)
                             ? "option max_answer_mb allows"
                             : "such an answer can have");
    if (transfer->refused)
        return error_set(why, transfer->refused, "no memory for the answer");
    if (code == CURLE_OK || transfer->is_enough)
        return 0;
    if (code == CURLE_OUT_OF_MEMORY && transfer->in_head) /* libcurl's word for it */
        return error_set(why, -EPROTO, "no twonmnist daemon: the head of its answer has no end");
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return error_set(why, error_of(code),
                         "its certificate is not to be trusted, so it was not asked again (option "
                         "ca_file names other authorities): %s",
                         transfer->message[0] ? transfer->message : curl_easy_strerror(code));
    if (is_unwanted(transfer, code))
        return error_set(why, -EACCES,
                         "it wants another certificate of its clients (options certificate_file "
                         "and key_file): %s",
                         transfer->message);
    return connect_error(transfer, code, why);
}

static void finish(struct transfer *transfer, CURLcode code)
{
    struct transfers *all = transfer->all;
    struct error why = {.text = ""};
    int r = transfer_result(transfer, code, &why);
    curl_multi_remove_handle(all->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->connect_to);
    all->n_active--;
    transfer->done(transfer->user, r, &transfer->answer, &why);
    body_clear(&transfer->answer.body);
    free(transfer);
    start_waiting(all);
}

static void finish_ended(struct transfers *all)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(all->multi, &left));) {
        struct transfer *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* the message dies with the handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(transfer, code);
    }
}

static void on_ready(void *user, int fd, int events)
{
    struct transfers *all = user;
    int seen = (events & LOOP_READABLE ? CURL_CSELECT_IN : 0) |
               (events & LOOP_WRITABLE ? CURL_CSELECT_OUT : 0) |
               (events & LOOP_FAILED ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(all->multi, fd, seen, &running);
    finish_ended(all);
}

static void on_timeout(void *user)
{
    struct transfers *all = user;
    int running;
    curl_multi_socket_action(all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_ended(all);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
    struct transfers *all = user;
    struct loop_watch *watch = socket_user;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        loop_watch_free(watch);
        curl_multi_assign(all->multi, fd, NULL);
        return 0;
    }
    if (!watch) {
        if (loop_watch_new(all->loop, fd, on_ready, all, &watch) < 0)
            return -1;
        curl_multi_assign(all->multi, fd, watch);
    }
    return loop_watch_set(watch, (what & CURL_POLL_IN ? LOOP_READABLE : 0) |
                                     (what & CURL_POLL_OUT ? LOOP_WRITABLE : 0)) < 0
               ? -1
               : 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct transfers *all = user;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_stop(all->timer);
    else
        loop_timer_start(all->timer, (uint64_t)timeout_ms);
    return 0;
}

/* ---- What arrives ---- */

/* Room for the whole body, where its length is told: one that is too long is refused at once. */
static int reserve(struct transfer *transfer)
{
    curl_off_t length = -1;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length <= 0)
        return 0;
    if ((uint64_t)length > transfer->max_bytes)
        return -EMSGSIZE;
    return body_reserve(&transfer->answer.body, (size_t)length);
}

static int keep(struct transfer *transfer, const char *bytes, size_t size)
{
    struct body *body = &transfer->answer.body;
    int r = body->room == 0 ? reserve(transfer) : 0;
    if (r == 0 && size > transfer->max_bytes - body->size)
        r = -EMSGSIZE;
    return r < 0 ? r : body_add(body, bytes, size);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *transfer = user;
    struct body *body = &transfer->answer.body;
    long status = 0;
    size *= n;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == (transfer->is_part ? 206 : 200)) {
        transfer->refused = keep(transfer, bytes, size);
        if (transfer->is_part && transfer->refused == -EMSGSIZE) {
            transfer->refused = 0; /* its length shows that it is another part */
            transfer->is_enough = true;
        }
    } else if (status == 200) {
        transfer->is_enough = true;
    } else {
        transfer->is_enough = size > MAX_PROBLEM_BYTES - body->size;
        if (!transfer->is_enough)
            transfer->refused = body_add(body, bytes, size);
    }
    if (transfer->refused || transfer->is_enough)
        return 0;
    transfer->received += size;
    atomic_fetch_add_explicit(&transfer->all->bytes, size, memory_order_relaxed);
    return size;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    struct transfer *transfer = user;
    size *= n;
    transfer->received += size;
    transfer->in_head = size > 2; /* an empty line ends it */
    const char *colon = memchr(line, ':', size);
    for (int i = 0; colon && i < N_ANSWER_HEADERS; i++) {
        size_t length = strlen(header_names[i]);
        if (length != (size_t)(colon - line) || strncasecmp(line, header_names[i], length) != 0)
            continue;
        const char *from = colon + 1, *to = line + size;
        while (from < to && strchr(" \t", *from))
            from++;
        while (from < to && strchr(" \t\r\n", to[-1]))
            to--;
        snprintf(transfer->answer.headers[i], HEADER_MAX, "%.*s", (int)(to - from), from);
    }
    return size;
}

/* ---- Transfers ---- */

static int add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return -ENOMEM;
    *list = longer;
    return 0;
}

static int make_headers(struct transfers *all)
{
    char *line = NULL;
    int r = 0;
    if (all->options->token) {
        if (asprintf(&line, "Authorization: Bearer %s", all->options->token) < 0)
            return -ENOMEM;
        r = add_header(&all->headers, line);
        if (r == 0)
            r = add_header(&all->fresh_headers, line);
        if (r == 0)
            r = add_header(&all->post_headers, line);
        free(line);
    }
    if (r == 0)
        r = add_header(&all->fresh_headers, "Cache-Control: no-cache");
    if (r == 0)
        r = add_header(&all->post_headers, "Content-Type: " WIRE_JSON_TYPE);
    if (r == 0)
        r = add_header(&all->post_headers, "Expect:"); /* no round trip for a long list */
    return r;
}

int transfers_new(struct loop *loop, const tnm_options *options, struct transfers **ret)
{
    pthread_once(&global_once, global_init);
    struct transfers *all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->loop = loop;
    all->options = options;
    all->last = &all->first;
    all->multi = curl_multi_init();
    if (!all->multi || make_headers(all) < 0 ||
        loop_timer_new(loop, on_timeout, all, &all->timer) < 0) {
        transfers_free(all);
        return -ENOMEM;
    }
    curl_multi_setopt(all->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all);
    curl_multi_setopt(all->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(all->multi, CURLMOPT_TIMERDATA, all);
    curl_multi_setopt(all->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    *ret = all;
    return 0;
}

void transfers_free(struct transfers *all)
{
    if (!all)
        return;
    assert(all->n_active == 0 && !all->first);
    curl_multi_cleanup(all->multi); /* may still call back to remove sockets and stop the timer */
    loop_timer_free(all->timer);
    curl_slist_free_all(all->headers);
    curl_slist_free_all(all->fresh_headers);
    curl_slist_free_all(all->post_headers);
    free(all);
}

uint64_t transfers_bytes(const struct transfers *all)
{
    return atomic_load_explicit(&all->bytes, memory_order_relaxed);
}

/* libcurl by itself obeys http_proxy and its like, which clusters set for the internet: a daemon on
 * the next node is not behind it. */
static void set_proxy(CURL *easy, const char *proxy)
{
    if (proxy && strcmp(proxy, OPTION_PROXY_ENVIRONMENT) == 0)
        return;
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "");
}

/* Nothing but a daemon is asked, whatever else this libcurl speaks. */
static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500 /* 7.85 */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* The name stays what is said to the server, and what its certificate has to be of. Without memory
 * the request goes to the name, too. */
static void set_address(struct transfer *transfer, const char *address)
{
    char text[64];
    if (!address || !address[0])
        return;
    snprintf(text, sizeof text, strchr(address, ':') ? "::[%s]:" : "::%s:", address);
    transfer->connect_to = curl_slist_append(NULL, text);
    curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to);
}

static void set_part(struct transfer *transfer, const struct transfer_ask *ask)
{
    char range[48]; /* two numbers of 20 digits */
    transfer->is_part = ask->part_size > 0;
    if (!transfer->is_part)
        return;
    snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, ask->part_begin,
             ask->part_begin + ask->part_size - 1);
    curl_easy_setopt(transfer->easy, CURLOPT_RANGE, range);
}

uint64_t transfer_max_bytes(const tnm_options *options, const struct transfer_ask *ask)
{
    uint64_t most = option_bytes(options);
    if (ask->part_size)
        return ask->part_size;
    return ask->max_bytes && ask->max_bytes < most ? ask->max_bytes : most;
}

void transfer_set_up(struct transfer *transfer, const struct transfer_ask *ask)
{
    CURL *easy = transfer->easy;
    const tnm_options *options = transfer->all->options;
    transfer->max_bytes = transfer_max_bytes(options, ask);
    set_part(transfer, ask);
    set_address(transfer, ask->address);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_URL, ask->url);
    set_protocols(easy);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "libtwonmnist");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     (long)(ask->timeout_ms ? ask->timeout_ms : options->timeout_ms));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)LEAST_RATE);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)options->stall_timeout_s);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                     ask->post       ? transfer->all->post_headers
                     : ask->is_fresh ? transfer->all->fresh_headers
                                     : transfer->all->headers);
    if (options->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    if (options->certificate_file)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, options->certificate_file);
    if (options->key_file)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key_file);
    set_proxy(easy, options->proxy);
    if (ask->unix_socket)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, ask->unix_socket);
    if (ask->post)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ask->post);
}

static void begin(struct transfer *transfer)
{
    transfer->active = true;
    transfer->all->n_active++;
    curl_multi_add_handle(transfer->all->multi, transfer->easy);
}

static void start_waiting(struct transfers *all)
{
    while (all->first && all->n_active < all->options->connections) {
        struct transfer *transfer = all->first;
        all->first = transfer->next;
        if (!all->first)
            all->last = &all->first;
        begin(transfer);
    }
}

int transfer_start(struct transfers *all, const struct transfer_ask *ask, transfer_done *done,
                   void *user, struct transfer **ret)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer)
        transfer->easy = curl_easy_init();
    if (!transfer || !transfer->easy) {
        free(transfer);
        return -ENOMEM;
    }
    transfer->all = all;
    transfer->done = done;
    transfer->user = user;
    transfer_set_up(transfer, ask);
    *ret = transfer;
    if (ask->is_urgent) {
        begin(transfer);
        return 0;
    }
    *all->last = transfer;
    all->last = &transfer->next;
    start_waiting(all);
    return 0;
}

bool transfer_has_begun(const struct transfer *transfer)
{
    return transfer->active;
}

bool transfer_is_connected(const struct transfer *transfer)
{
    curl_off_t after_us = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &after_us);
    return after_us > 0;
}

uint64_t transfer_received(const struct transfer *transfer)
{
    return transfer->received;
}

static void forget_waiting(struct transfer *transfer)
{
    struct transfers *all = transfer->all;
    struct transfer **at = &all->first;
    while (*at != transfer)
        at = &(*at)->next;
    *at = transfer->next;
    if (!*at)
        all->last = at;
}

void transfer_cancel(struct transfer *transfer)
{
    if (!transfer)
        return;
    struct transfers *all = transfer->all;
    if (transfer->active) {
        curl_multi_remove_handle(all->multi, transfer->easy);
        all->n_active--;
    } else {
        forget_waiting(transfer);
    }
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->connect_to);
    body_clear(&transfer->answer.body);
    free(transfer);
    start_waiting(all);
}

static const char *words_of(CURLUcode code)
{
#if LIBCURL_VERSION_NUM >= 0x075000 /* 7.80 */
    return curl_url_strerror(code);
#else
    return code == CURLUE_BAD_PORT_NUMBER      ? "bad port number"
           : code == CURLUE_UNSUPPORTED_SCHEME ? "unsupported scheme"
                                               : "malformed";
#endif
}

int transfer_check_url(const char *url, struct error *why)
{
    pthread_once(&global_once, global_init);
    CURLU *parsed = curl_url();
    char *scheme = NULL, *query = NULL, *fragment = NULL, *user = NULL, *password = NULL;
    int r = 0;
    if (!parsed)
        return error_set(why, -ENOMEM, "no memory for a URL");
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, 0);
    if (code)
        r = error_set(why, -EINVAL, "\"%.256s\" is no server's URL: %s", url, words_of(code));
    if (r == 0) {
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
        curl_url_get(parsed, CURLUPART_QUERY, &query, 0);
        curl_url_get(parsed, CURLUPART_FRAGMENT, &fragment, 0);
        curl_url_get(parsed, CURLUPART_USER, &user, 0);
        curl_url_get(parsed, CURLUPART_PASSWORD, &password, 0);
        if (user || password) /* messages name servers by their URLs */
            r = error_set(why, -EINVAL,
                          "a server's URL has no user or password in it: see the option token");
        else if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
            r = error_set(why, -EINVAL, "\"%.256s\": a server is http, https or unix", url);
        else if (query || fragment)
            r = error_set(why, -EINVAL, "\"%.256s\": a server's URL ends with its path", url);
    }
    curl_free(scheme);
    curl_free(query);
    curl_free(fragment);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(parsed);
    return r;
}
