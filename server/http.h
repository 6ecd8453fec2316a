/* SPDX-License-Identifier: Apache-2.0
 * HTTP on one listening socket: connections, requests, answers. The one door to libmicrohttpd.
 *
 * A server belongs to one thread, which calls http_run() whenever its descriptor is readable or its
 * time-out is over. Work that is too long for that thread is handed out as a exchange. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "server/service.h"

struct http;
struct http_exchange;

/* Take a exchange: http_exchange_run() on any thread, then http_exchange_done() on the server's.
 * False: too many are waiting. */
typedef bool http_submit(void *user, struct http_exchange *exchange);

/* Serve on `listen_fd`, which the server closes. `share` of the connections that the settings allow
 * are this server's. Errors: -EIO libmicrohttpd does not start. */
int http_start(struct service *service, int listen_fd, unsigned share, http_submit *submit,
               void *user, struct http **ret, struct error *why);

/* Readable when there is something to do. */
int http_fd(const struct http *http);

/* Do what can be done without waiting. Returns after how many ms to come back without being woken,
 * -1 for never. */
int http_run(struct http *http);

/* Close connections whose request does not arrive in time. Every second or so. */
void http_check_deadlines(struct http *http);

/* Let nobody in any more; those that are in are served on. */
void http_stop_accepting(struct http *http);

/* Requests that have begun to arrive and are not answered to the end. */
unsigned http_n_running(const struct http *http);

/* Close everything. No exchange may be out. */
void http_stop(struct http *http);

void http_exchange_run(struct http_exchange *exchange);
void http_exchange_done(struct http_exchange *exchange);
