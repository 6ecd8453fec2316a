/* SPDX-License-Identifier: Apache-2.0
 * The route table, and the way of a request through it. Handlers get checked values only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/request.h"
#include "server/samples/reply.h"

/* Whether a path is that of a route that is open to everybody. */
bool routes_is_open(const char *path);

/* Whether it is that of the web page, which asks for a token itself and holds nothing of any split.
 */
bool routes_is_page(const char *path);

/* Find the route and check everything that stands in the request. True: go on with routes_run();
 * false: `reply` is the answer (a problem, or 304). */
bool routes_prepare(struct request *request, struct reply *reply);

/* Whether the work is too long for the loop that serves connections. */
bool routes_is_heavy(const struct request *request);

/* What the work will take a worker, about. */
uint64_t routes_cost_us(const struct request *request);

/* Make the answer; any thread. */
void routes_run(struct request *request, struct reply *reply);

/* Whether something of the split that it is about is not in memory. */
bool routes_is_cold(const struct request *request);

/* After routes_run(), on a thread that may wait for a disk: whoever sends the answer does not have
 * to, but for one that is long (delivery_plan()). */
void routes_await(const struct request *request, const struct reply *reply);
