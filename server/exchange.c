/* SPDX-License-Identifier: Apache-2.0
 * One request and its answer, between libmicrohttpd and the routes. */
#include "server/exchange.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "server/access.h"
#include "server/cors.h"
#include "server/delivery.h"
#include "server/head.h"
#include "server/metrics.h"
#include "server/problem.h"
#include "server/record.h"
#include "server/routes.h"
#include "server/upload.h"

enum {
    DISCARD_FACTOR = 16,      /* a body this many times max_body_bytes is not read to its end */
    BYTES_PER_INDEX = 12,     /* of a body: ten digits, a comma, a space */
    BODY_FRAME_BYTES = 32,    /* what stands around them */
    ANSWER_HEAD_BYTES = 1280, /* of a connection's memory are left for the head of the answer */
    /* libmicrohttpd takes memory for each, has enough for some 250, and fails without an answer. */
    ARGUMENTS_MAX = 64,
    URL_USUAL = 256, /* bytes; an exchange with a longer one is not kept for the next */
    MOST_SPARE = 64,
    WINDOW_US = 4000, /* to read a window of a long answer, where the disk is quick */
};

enum state {
    STATE_NEW,
    STATE_ARRIVING, /* the head is read */
    STATE_OUT,      /* with the workers */
    STATE_MADE,     /* back from them, with its answer */
    STATE_LEFT,     /* the same, but the client is gone */
    STATE_READING,  /* its answer leaves, and a worker reads what leaves next */
    STATE_CROWDED,  /* the same, but the workers' queue has no room for that */
    STATE_LEAVING,  /* what leaves next has been read */
    STATE_REFUSED,  /* answered past libmicrohttpd, which is to hang up */
};

/* Lives until libmicrohttpd has let go of the request and of the response. */
struct exchange {
    struct task task;
    struct exchange *next; /* of those that have finished, or of the spare ones */
    enum task_end end;     /* how the task ended */
    struct exchanges *all;
    struct peer *peer;
    unsigned n_users;
    enum state state;
    bool is_refused; /* the reply is the answer, whatever the body */
    bool is_cut;     /* no more of its answer is read */
    struct request request;
    struct reply reply;
    struct delivery delivery;
    struct head head;
    struct upload upload;
    struct record record;
    uint64_t waits_ns; /* since it was given to the workers */
    char url[];
};

static const struct settings *settings_of(const struct exchange *exchange)
{
    return service_settings(exchange->all->service);
}

/* Zeros, with room for a URL of `url_size` bytes. */
static struct exchange *take_new(struct exchanges *all, size_t url_size)
{
    struct exchange *exchange = all->spare;
    if (url_size > URL_USUAL)
        return calloc(1, sizeof *exchange + url_size);
    if (exchange) {
        all->spare = exchange->next;
        all->n_spare--;
    } else {
        exchange = malloc(sizeof *exchange + URL_USUAL);
    }
    if (exchange)
        memset(exchange, 0, sizeof *exchange);
    return exchange;
}

static void give_back(struct exchange *exchange)
{
    struct exchanges *all = exchange->all;
    if (strlen(exchange->url) >= URL_USUAL || all->n_spare == MOST_SPARE) {
        free(exchange);
        return;
    }
    exchange->next = all->spare;
    all->spare = exchange;
    all->n_spare++;
}

static void unref(void *user)
{
    struct exchange *exchange = user;
    if (--exchange->n_users > 0)
        return;
    upload_free(&exchange->upload);
    reply_end(&exchange->reply);
    head_free(&exchange->head);
    free(exchange->request.numbers.items);
    views_return(exchange->request.view);
    catalog_unref(exchange->request.catalog);
    give_back(exchange);
}

void exchange_end(struct exchange *exchange, bool whole)
{
    const struct record_end end = {
        .request = &exchange->request,
        .reply = &exchange->reply,
        .peer = exchange->peer,
        .n_received = exchange->upload.size,
        .n_read = exchange->delivery.read,
        .whole = (whole && exchange->reply.status) || exchange->state == STATE_REFUSED,
    };
    record_end(&exchange->record, &end);
    exchange->all->n_running--;
    exchange->peer->exchange = NULL;
    peer_enter(exchange->peer, PEER_IDLE);
    unref(exchange);
}

/* ---- reading on, while an answer leaves ---- */

static void on_read(struct task *task)
{
    struct exchange *exchange = (struct exchange *)task;
    uint64_t start_ns = metrics_now_ns();
    delivery_await(&exchange->delivery);
    tally_add(METRICS_WORKER_NS, metrics_now_ns() - start_ns);
}

/* One that has closed its side may be there for the rest. */
static bool on_is_reached(struct task *task)
{
    return !peer_is_lost(((struct exchange *)task)->peer);
}

/* The server may end as soon as it has collected the exchange, so it is woken before it can. */
static void on_done(struct task *task, enum task_end end)
{
    struct exchange *exchange = (struct exchange *)task;
    struct exchanges *all = exchange->all;
    pthread_mutex_lock(&all->lock);
    exchange->end = end;
    exchange->next = all->finished;
    all->finished = exchange;
    all->wake(all->user);
    pthread_mutex_unlock(&all->lock);
}

/* There is no answer left that could say that there is no room: it is tried again. */
static void submit_reading(struct exchange *exchange)
{
    exchange->task = (struct task){.run = on_read,
                                   .is_wanted = on_is_reached,
                                   .done = on_done,
                                   .address = exchange->peer->address,
                                   .cost_us = WINDOW_US};
    exchange->state = STATE_READING;
    if (!workers_submit(exchange->all->workers, &exchange->task))
        exchange->state = STATE_CROWDED;
}

static bool wait_for_disk(void *user)
{
    struct exchange *exchange = user;
    if (exchange->is_cut)
        return false;
    exchange->all->n_out++;
    peer_pause(exchange->peer);
    MHD_suspend_connection(exchange->peer->connection);
    submit_reading(exchange);
    return true;
}

static void leave_on(struct exchange *exchange, enum task_end end)
{
    if (end == TASK_DISPLACED && !exchange->is_cut) {
        submit_reading(exchange);
        return;
    }
    exchange->is_cut |= end != TASK_RAN;
    exchange->state = STATE_LEAVING;
    exchange->all->n_out--;
    peer_go_on(exchange->peer);
    MHD_resume_connection(exchange->peer->connection);
}

static void give_up_reading(struct exchange *exchange, bool late)
{
    exchange->is_cut |= late;
    if (exchange->state == STATE_CROWDED && (exchange->is_cut || peer_is_lost(exchange->peer)))
        leave_on(exchange, TASK_UNWANTED);
    else if (exchange->state == STATE_CROWDED)
        submit_reading(exchange);
    else if (exchange->state == STATE_READING && late &&
             workers_withdraw(exchange->all->workers, &exchange->task))
        leave_on(exchange, TASK_UNWANTED);
}

/* ---- answering ---- */

static bool answer(struct exchange *exchange)
{
    delivery_plan(&exchange->delivery, routes_is_cold(&exchange->request));
    if (!delivery_claim(&exchange->delivery))
        problem(&exchange->request, &exchange->reply, PROBLEM_BUSY,
                "the answers under way take all of max_pending_bytes, or those for this address "
                "its share");
    access_charge(&exchange->request, &exchange->reply);
    exchange->reply.all_origins = cors_applies(&exchange->request);
    exchange->n_users++;
    peer_enter(exchange->peer, PEER_RECEIVING);
    /* libmicrohttpd lets a bare line feed end the head of a chunk. A proxy that does not would see
     * the end of the body elsewhere, so what comes behind it is not read. */
    bool close = exchange->all->stopping || exchange->head.framing.n_codings > 0;
    return delivery_send(&exchange->delivery, exchange->peer->connection, close);
}

/* Where libmicrohttpd does not take an answer. The answer before this one has left, so the socket's
 * buffer has room. */
static bool answer_and_hang_up(struct exchange *exchange)
{
    delivery_bypass(&exchange->reply, exchange->peer->fd, exchange->peer->tls);
    exchange->state = STATE_REFUSED;
    peer_hang_up(exchange->peer);
    return false;
}

/* ---- the head ---- */

static bool has_too_many_arguments(const char *url)
{
    const char *at = strchr(url, '?');
    unsigned n = 0;
    for (; at && n <= ARGUMENTS_MAX; n++)
        at = strchr(at + 1, '&');
    return n > ARGUMENTS_MAX;
}

struct exchange *exchange_begin(struct exchanges *all, struct peer *peer, const char *url)
{
    size_t size = strlen(url) + 1;
    struct exchange *exchange = take_new(all, size);
    if (!exchange)
        return NULL;
    memcpy(exchange->url, url, size);
    record_begin(&exchange->record);
    exchange->all = all;
    exchange->peer = peer;
    exchange->n_users = 1;
    exchange->request.url = exchange->url;
    exchange->request.service = all->service;
    exchange->request.is_admin = peer->is_admin;
    exchange->request.all_origins =
        !peer->is_admin && service_settings(all->service)->allow_all_origins;
    exchange->request.is_tls = peer->tls != NULL;
    exchange->reply.address = exchange->upload.address = peer->address;
    exchange->reply.max_bytes = service_settings(all->service)->max_answer_bytes;
    exchange->delivery = (struct delivery){
        .reply = &exchange->reply, .release = unref, .wait = wait_for_disk, .user = exchange};
    all->n_running++;
    peer->exchange = exchange;
    peer_enter(peer, PEER_ASKING);
    if (has_too_many_arguments(url)) {
        problem(&exchange->request, &exchange->reply, PROBLEM_BAD_PARAMETER,
                "more than %d parameters", REQUEST_MAX_QUERY);
        answer_and_hang_up(exchange);
        /* Out of memory twice in one request, libmicrohttpd forgets to close the connection. */
        MHD_set_connection_option(peer->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
    }
    return exchange;
}

static bool refuse_head(struct exchange *exchange, enum problem_kind kind, const char *words)
{
    problem(&exchange->request, &exchange->reply, kind, "%s", words);
    return false;
}

/* False: the reply is the answer. */
static bool check_head(struct exchange *exchange)
{
    enum problem_kind kind;
    const char *words;
    if (!framing_check(&exchange->head.framing, exchange->head.size, &kind, &words))
        return refuse_head(exchange, kind, words);
    /* It would end the path or the value. */
    if (strstr(exchange->url, "%00"))
        return refuse_head(exchange, PROBLEM_BAD_REQUEST, "the URL has a %00");
    return true;
}

/* ---- the body ---- */

static void expect_body(struct exchange *exchange)
{
    const struct settings *settings = settings_of(exchange);
    uint64_t needed = settings->max_batch_size * BYTES_PER_INDEX + BODY_FRAME_BYTES;
    struct upload *upload = &exchange->upload;
    upload->most = needed < settings->max_body_bytes ? needed : settings->max_body_bytes;
    upload->most_read = settings->max_body_bytes * DISCARD_FACTOR;
    const char *length = exchange->head.framing.length;
    upload->length = length ? strtoull(length, NULL, 10) : 0;
    if (exchange->is_refused)
        upload->fault = UPLOAD_UNWANTED;
    else if (upload->length > upload->most || exchange->request.method != METHOD_POST)
        upload->fault = UPLOAD_TOO_LONG;
    exchange->peer->chunked = exchange->head.framing.n_codings > 0;
}

static void refuse_length(struct exchange *exchange)
{
    uint64_t most = exchange->upload.most;
    problem_number(&exchange->request, &exchange->reply, PROBLEM_TOO_LARGE, "limit", most,
                   "the body is longer than %ju bytes, which are max_body_bytes, or enough for "
                   "max_batch_size indices",
                   (uintmax_t)most);
}

/* Whether a whole body can be used, if the method takes one. False: the reply is the answer. */
static bool check_body(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    struct upload *upload = &exchange->upload;
    request->body = upload->bytes;
    request->body_size = upload->size;
    if (request->method != METHOD_POST || upload->fault == UPLOAD_SOUND)
        return true;
    if (upload->fault == UPLOAD_TOO_LONG)
        refuse_length(exchange);
    else if (upload->fault == UPLOAD_NO_BUDGET)
        problem(request, &exchange->reply, PROBLEM_BUSY,
                "the requests under way take all of max_pending_bytes, or those of this address "
                "its share");
    else
        problem(request, &exchange->reply, PROBLEM_NO_MEMORY, "no memory for the body");
    return false;
}

/* ---- the way through the workers ---- */

static void on_run(struct task *task)
{
    struct exchange *exchange = (struct exchange *)task;
    uint64_t start_ns = metrics_now_ns();
    routes_run(&exchange->request, &exchange->reply);
    routes_await(&exchange->request, &exchange->reply);
    metrics_count_task(start_ns - exchange->waits_ns, metrics_now_ns() - start_ns);
}

static bool on_is_wanted(struct task *task)
{
    return !peer_is_gone(((struct exchange *)task)->peer);
}

static bool hand_out(struct exchange *exchange)
{
    _Static_assert(offsetof(struct exchange, task) == 0, "a task is its exchange");
    exchange->task = (struct task){.run = on_run,
                                   .is_wanted = on_is_wanted,
                                   .done = on_done,
                                   .address = exchange->peer->address,
                                   .cost_us = routes_cost_us(&exchange->request)};
    exchange->waits_ns = metrics_now_ns();
    if (!workers_submit(exchange->all->workers, &exchange->task)) {
        tally_add(METRICS_REJECTED_QUEUE, 1);
        problem(&exchange->request, &exchange->reply, PROBLEM_BUSY,
                "requests for queue_cost_ms, or queue_length of them, are waiting");
        return answer(exchange);
    }
    exchange->all->n_out++;
    exchange->state = STATE_OUT;
    peer_enter(exchange->peer, PEER_WAITING);
    MHD_suspend_connection(exchange->peer->connection);
    return true;
}

static void come_back(struct exchange *exchange, enum task_end end)
{
    if (exchange->state == STATE_READING) {
        leave_on(exchange, end);
        return;
    }
    exchange->all->n_out--;
    exchange->state = end == TASK_UNWANTED ? STATE_LEFT : STATE_MADE;
    if (end == TASK_DISPLACED) {
        tally_add(METRICS_REJECTED_DISPLACED, 1);
        problem(&exchange->request, &exchange->reply, PROBLEM_BUSY,
                "other addresses have waited less than this one has had");
    }
    MHD_resume_connection(exchange->peer->connection);
}

void exchanges_collect(struct exchanges *all)
{
    pthread_mutex_lock(&all->lock);
    struct exchange *exchange = all->finished;
    all->finished = NULL;
    pthread_mutex_unlock(&all->lock);
    for (struct exchange *next; exchange; exchange = next) {
        next = exchange->next;
        come_back(exchange, exchange->end);
    }
}

void exchange_give_up(struct exchange *exchange, bool late)
{
    give_up_reading(exchange, late);
    if (exchange->state != STATE_OUT || (!late && !peer_is_gone(exchange->peer)) ||
        !workers_withdraw(exchange->all->workers, &exchange->task))
        return;
    if (late) {
        tally_add(METRICS_REJECTED_STOPPING, 1);
        problem(&exchange->request, &exchange->reply, PROBLEM_STOPPING,
                "the request has waited until the server stopped");
    }
    come_back(exchange, late ? TASK_RAN : TASK_UNWANTED);
}

/* ---- the steps ---- */

static bool dispatch(struct exchange *exchange)
{
    if (exchange->is_refused || !check_body(exchange) ||
        !routes_prepare(&exchange->request, &exchange->reply))
        return answer(exchange);
    if (routes_is_heavy(&exchange->request))
        return hand_out(exchange);
    routes_run(&exchange->request, &exchange->reply);
    return answer(exchange);
}

/* An answer given here, before the request was read to its end, closes the connection; a client
 * that is still sending might not see it. */
static bool begin(struct exchange *exchange, const char *path, const char *method,
                  const char *version)
{
    exchange->state = STATE_ARRIVING;
    struct request *request = &exchange->request;
    request->catalog = service_catalog(request->service);
    record_method(&exchange->record, method);
    head_read(&exchange->head, exchange->peer->connection, path, method, version, request);
    exchange->reply.head_only = request->method == METHOD_HEAD;
    size_t size = exchange->head.size, most = settings_of(exchange)->max_header_bytes;
    if (size + ANSWER_HEAD_BYTES > most) {
        problem_number(&exchange->request, &exchange->reply, PROBLEM_HEADERS_TOO_LARGE, "limit",
                       most - ANSWER_HEAD_BYTES, "the head of the request has %zu bytes", size);
        return answer_and_hang_up(exchange);
    }
    if (!check_head(exchange))
        return answer(exchange);
    exchange->is_refused = !access_check(request, &exchange->reply);
    expect_body(exchange);
    if (exchange->upload.length <= exchange->upload.most_read)
        return true;
    refuse_length(exchange);
    return answer(exchange);
}

static bool keep(struct exchange *exchange, const char *piece, size_t piece_size)
{
    exchange->peer->heard_ms = peer_now_ms();
    if (upload_add(&exchange->upload, piece, piece_size))
        return true;
    refuse_length(exchange);
    return answer_and_hang_up(exchange);
}

bool exchange_step(struct exchange *exchange, const char *path, const char *method,
                   const char *version, const char *piece, size_t piece_size)
{
    if (exchange->state == STATE_NEW)
        return begin(exchange, path, method, version);
    if (exchange->state == STATE_MADE)
        return answer(exchange);
    if (exchange->state != STATE_ARRIVING)
        return false;
    return piece_size > 0 ? keep(exchange, piece, piece_size) : dispatch(exchange);
}

void exchanges_init(struct exchanges *ret, struct service *service, struct workers *workers,
                    void (*wake)(void *user), void *user)
{
    *ret = (struct exchanges){.service = service, .workers = workers, .wake = wake, .user = user};
    pthread_mutex_init(&ret->lock, NULL);
}

void exchanges_free(struct exchanges *all)
{
    for (struct exchange *next; all->spare; all->spare = next) {
        next = all->spare->next;
        free(all->spare);
    }
    pthread_mutex_destroy(&all->lock);
}
