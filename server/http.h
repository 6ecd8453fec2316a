/* SPDX-License-Identifier: Apache-2.0
 * HTTP for the connections that one thread has let in: libmicrohttpd without a listening socket or
 * a thread of its own.
 *
 * A server belongs to that thread, which calls http_run() whenever its descriptor is readable or
 * its time-out is over. Requests that are too long for it go to the workers. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "server/admission.h"
#include "server/service.h"
#include "server/workers.h"

struct http;

/* `wake` is called on any thread, and asks for http_collect() on the server's.
 * Errors: -ENOMEM; -EIO libmicrohttpd does not start. */
int http_start(struct service *service, struct workers *workers, void (*wake)(void *user),
               void *user, struct http **ret, struct error *why);

/* Readable when there is something to do. */
int http_fd(const struct http *http);

/* Serve a guest, who leaves the admission when the connection ends. http_run() is due then. */
void http_add(struct http *http, const struct guest *guest);

/* Do what can be done without waiting, but not for long. Returns after how many ms to come back
 * without being woken, -1 for never; 0: there is more, after others had their turn. */
int http_run(struct http *http);

/* Go on with requests that workers have finished. http_run() is due then. */
void http_collect(struct http *http);

/* Hang up on clients that are too slow with their request or in taking their answer or have left in
 * the middle of one, and forget requests in the queue whose client is gone. Every second or so. */
void http_check_peers(struct http *http);

/* Every answer is its connection's last from now on. */
void http_stop_keeping(struct http *http);

/* Answer what waits in the queue with "stopping". http_run() is due then. */
void http_give_up_waiting(struct http *http);

/* Requests that have begun to arrive and are not answered to the end, and those of them that the
 * workers have. */
unsigned http_n_running(const struct http *http);
unsigned http_n_out(const struct http *http);

/* Whether a request may be on its way here: a client has come, or had its answer, a moment ago. */
bool http_expects(const struct http *http);

/* Close everything. The workers may have nothing. */
void http_stop(struct http *http);
