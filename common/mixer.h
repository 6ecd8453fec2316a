/* SPDX-License-Identifier: Apache-2.0
 * Superimposes recordings of different digits: the samples of 2NMNIST. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

enum { MIX_MAX_DIGITS = N_DIGITS };

enum mix_order {
    MIX_TIME,      /* merged by time; an event equal to an earlier one is dropped */
    MIX_PUBLISHED, /* the second digit's events, then the first's, as they are; of two at most */
};

struct mix_rule {
    enum mix_order order;
    uint32_t timestep_us; /* the mix's times become its multiples, half to even, and what then is
                             equal to an earlier event is dropped; 0: as recorded */
};

enum { MIX_TIMESTEP_MAX_US = 1000000 };

/* Working memory for mixing, reused from call to call; one thread at a time. */
struct mixer;
int mixer_new(struct mixer **ret); /* Errors: -ENOMEM */
void mixer_free(struct mixer *mixer);

/* Mix `k` recordings (1 ≤ k ≤ MIX_MAX_DIGITS): the 2nd, 4th, … is reversed in time
 * (t' = max(t) - t), its events in reverse order, polarity kept.
 *
 * A single recording keeps its order and its duplicates unless a timestep is asked for.
 * `out` has room for all events of the parts, EVENT_BYTES each. Any bytes are safe as input;
 * the result is defined for recordings that event_check() accepts.
 * Errors: -EINVAL k, the timestep, or published order with more than two; -ERANGE a time above
 * EVENT_T_MAX after rounding; -EFBIG more than 2^23 - 1 events; -ENOMEM. */
int mixer_mix(struct mixer *mixer, const struct event_span *parts, unsigned k,
              const struct mix_rule *rule, uint8_t *out, size_t *ret_n_events, struct error *why);

/* Mix again a sample of two digits that is in published order (the reversed second digit, then the
 * first): the same bytes as mixer_mix() of its recordings gives. The first digit begins where time
 * goes back; where it never does, `n_second`, the events of the second, says it. Room and errors as
 * there; -ENODATA neither does, and the order of events at one time depends on it. */
#define MIX_NOT_KNOWN SIZE_MAX
int mixer_mix_again(struct mixer *mixer, struct event_span sample, size_t n_second,
                    const struct mix_rule *rule, uint8_t *out, size_t *ret_n_events,
                    struct error *why);
