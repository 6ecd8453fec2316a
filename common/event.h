/* SPDX-License-Identifier: Apache-2.0
 * One event of the ATIS sensor, and N-MNIST's packed 40-bit form of it ("AER40"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/geometry.h"

enum {
    EVENT_BYTES = 5,             /* of a packed event */
    EVENT_T_MAX = (1 << 23) - 1, /* µs */
    EVENT_OVERFLOW_Y = 240,      /* y of a time-overflow marker */
};

struct event {
    uint32_t t_us;
    uint8_t x, y;
    uint8_t p; /* 1: ON, 0: OFF */
};

/* Packed events, borrowed. */
struct event_span {
    const uint8_t *bytes; /* n_events × EVENT_BYTES */
    size_t n_events;
};

/* x, y, then 24 bits big-endian: polarity in the top bit, time in µs in the lower 23. The last
 * four bytes are put together as one number because compilers make one load or store of that. */
static inline struct event event_unpack(const uint8_t bytes[EVENT_BYTES])
{
    uint32_t ypt =
        (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
    return (struct event){
        .t_us = ypt & EVENT_T_MAX,
        .x = bytes[0],
        .y = (uint8_t)(ypt >> 24),
        .p = ypt >> 23 & 1,
    };
}

static inline void event_pack(struct event event, uint8_t bytes[EVENT_BYTES])
{
    uint32_t ypt = (uint32_t)event.y << 24 | (uint32_t)event.p << 23 | event.t_us;
    bytes[0] = event.x;
    bytes[1] = (uint8_t)(ypt >> 24);
    bytes[2] = (uint8_t)(ypt >> 16);
    bytes[3] = (uint8_t)(ypt >> 8);
    bytes[4] = (uint8_t)ypt;
}

/* Check `size_bytes` bytes of a recording (an N-MNIST `.bin`) in place.
 *
 * Time-overflow markers (y == 240) are dropped and add 2^13 µs to all later times.
 * `max_descents` says how often time may go back: 0 for a recording, 1 for a published pair
 * (one digit's events behind the other's).
 * On success *ret_n_events events stand packed at `bytes`; on failure the bytes are undefined.
 * Errors, with the number of the event in `why`: -EBADMSG length not a multiple of 5, x or y
 * outside the sensor, time going back; -ERANGE time past 2^23 - 1 µs after an overflow marker. */
int event_check(uint8_t *bytes, size_t size_bytes, unsigned max_descents, size_t *ret_n_events,
                struct error *why);
