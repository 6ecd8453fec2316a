/* SPDX-License-Identifier: Apache-2.0
 * One serving thread: a libuv loop that lets clients in, serves them, and hands heavy requests to
 * the workers. */
#pragma once

#include <uv.h>

#include "common/error.h"
#include "server/admission.h"
#include "server/listen.h"
#include "server/service.h"
#include "server/workers.h"

struct loop;

/* What all loops share; outlives them. */
struct loop_shared {
    struct service *service;
    struct admission *admission;
    struct admission *admins; /* who asks for metrics and health alone */
    struct workers *workers;
};

/* Serve the `index`th descriptor of every listener, which the loop takes over.
 * Errors: http_start(); those of libuv. */
int loop_open(const struct loop_shared *shared, struct listeners *listeners, unsigned index,
              struct loop **ret, struct error *why);

/* For what else is to happen on this thread; its handles must be closed for loop_run() to end. */
uv_loop_t *loop_uv(struct loop *loop);

/* Serve until loop_stop() was called and all requests have ended, or their time is over. */
void loop_run(struct loop *loop);

/* Any thread. */
void loop_stop(struct loop *loop);

/* When the loop last came round to its timer of a second, in ms of CLOCK_MONOTONIC. Any thread. */
uint64_t loop_turned_ms(const struct loop *loop);

/* After loop_run(), or instead of it. */
void loop_close(struct loop *loop);
