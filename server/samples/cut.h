/* SPDX-License-Identifier: Apache-2.0
 * The events of one sample on their way to a tensor: in order of time, and cut into frames. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/samples/form.h"

struct cut {
    struct event_span events;
    const struct slices *slices; /* this thread's, until its next cut; NULL: the form needs none */
    uint32_t n_frames;
};

/* Whether every sample of the form has as many frames: ret_n of them. */
bool cut_is_fixed(const struct form *form, uint32_t *ret_n);

/* And whether that is so whatever a sample's events are: no rule can fail on them. */
bool cut_is_certain(const struct form *form, uint32_t *ret_n);

/* Whether frames may share events, so that there are more places than events. */
bool cut_overlaps(const struct form *form);

/* The bytes that cut_events() needs for putting n events of this order into that of time. */
uint64_t cut_room(const struct form *form, enum mix_order order, uint64_t n_events);

/* Cut a sample's events in a form of frames; `room` has cut_room() bytes. Errors: -EINVAL the form
 * makes nothing of them; -EFBIG more than FRAMES_BINS_MAX frames; -ENOMEM. */
int cut_events(const struct form *form, struct event_span events, uint8_t *room, struct cut *ret,
               struct error *why);
