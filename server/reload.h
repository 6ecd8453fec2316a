/* SPDX-License-Identifier: Apache-2.0
 * Opens the folder anew beside what is served: when that is asked for, and when its files have
 * changed. On a thread of its own, so that nothing else waits for it, nor it for anything. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/service.h"

struct reload;

/* Start watching the folder of the service, every watch_interval_s. `service` outlives it.
 * Errors: those of pthread_create(). */
int reload_start(struct service *service, struct reload **ret, struct error *why);

/* Open the folder anew, after this call in any case: what runs already is followed by another.
 * Any thread. */
void reload_ask(struct reload *reload);

/* Begin no other, and tell the service manager nothing any more. Any thread. */
void reload_end(struct reload *reload);

/* End the thread. False: it did not end within `timeout_ms`, since it still reads a folder; then
 * neither `reload` nor its service may be freed. NULL is true. */
bool reload_close(struct reload *reload, uint64_t timeout_ms);

/* Write the splits that are served to the log. */
void reload_log_splits(struct service *service);

/* Write to the log how many tokens there are, and whose certificate. */
void reload_log_files(struct service *service);

/* Tell the service manager that they are, and why no newer ones are; NULL where they are new. */
void reload_say_ready(struct service *service, const struct error *why_not_newer);
