/* SPDX-License-Identifier: Apache-2.0
 * The real recordings and golden data that lie beside the tree, for tests that use them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

/* Recordings in name order, in memory. Free with shared_recordings_free(). */
struct shared_recordings {
    size_t n;
    struct event_span *events;
    uint8_t *digits;
    uint8_t *labels; /* [n][N_DIGITS], one-hot */
};

/* End the running test as skipped where the data is absent ($TWONMNIST_SHARED, default
 * "../shared"). */
void shared_or_skip(void);

/* The text of a file in the shared folder, unpacked if it is compressed; the caller frees it. */
char *shared_text(const char *name);

/* All recordings of `name`, a zip in the shared folder. A fault fails the running test. */
void shared_recordings_read(const char *name, struct shared_recordings *ret);
void shared_recordings_free(struct shared_recordings *recordings);
