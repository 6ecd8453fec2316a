/* SPDX-License-Identifier: Apache-2.0
 * One event of a batch. */
#pragma once

#include <twonmnist.h>

struct event {
    uint32_t t_us;
    uint8_t x, y, p;
};

/* Event i of the batch, as twonmnist.h says it is packed: x, y, then big-endian p:1 t:23. */
static inline struct event event_at(const tnm_batch *batch, uint64_t i)
{
    const uint8_t *bytes = tnm_batch_events(batch) + i * TNM_EVENT_BYTES;
    return (struct event){
        .t_us = (uint32_t)(bytes[2] & 0x7f) << 16 | (uint32_t)bytes[3] << 8 | bytes[4],
        .x = bytes[0],
        .y = bytes[1],
        .p = bytes[2] >> 7,
    };
}
