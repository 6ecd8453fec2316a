/* SPDX-License-Identifier: Apache-2.0
 * What making samples costs, roughly: from it follows whether that is done at once or by a worker,
 * and how much of the workers' time a client has had. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/samples/catalog.h"
#include "server/samples/form.h"

struct cost {
    uint64_t n;      /* samples */
    bool mixed;      /* each is of several recordings */
    bool text;       /* written as JSON */
    bool head;       /* the length alone is wanted */
    uint64_t pixels; /* of a picture of them; 0: it is none */
};

/* Microseconds on one core, for samples as long as the split's are on the average. */
uint64_t cost_us(const struct entry *entry, const struct form *form, const struct cost *cost);

/* Of that many bytes of JSON. */
uint64_t cost_text_us(uint64_t n_bytes);

/* Of reading n samples from the disk: never so little that a loop does it. */
uint64_t cost_cold_us(uint64_t n);

/* Of a view of a split of n samples that is not in the cache. */
uint64_t cost_view_us(uint64_t n);

/* Of an epoch's order over n samples that is not in the cache. */
uint64_t cost_order_us(uint64_t n);
