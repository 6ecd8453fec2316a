/* SPDX-License-Identifier: Apache-2.0
 * Holds every split that is served against its checksums: once it is mapped, and from then on every
 * scrub_interval_s. On a thread of its own, which runs when nothing else does and reads no more
 * than scrub_rate. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/service.h"

struct scrubber;

/* Start it; with a scrub_interval_s of 0 it does nothing. `service` outlives it.
 * Errors: those of pthread_create(); -ENOMEM. */
int scrubber_start(struct service *service, struct scrubber **ret, struct error *why);

/* Look for splits that are new. Any thread. */
void scrubber_wake(struct scrubber *scrubber);

/* Stop within a piece of a file, and tell the service manager nothing any more. Any thread. */
void scrubber_end(struct scrubber *scrubber);

/* End the thread. False: it did not end within `timeout_ms`, since it still reads; then neither it
 * nor its service may be freed. NULL is true. */
bool scrubber_close(struct scrubber *scrubber, uint64_t timeout_ms);
