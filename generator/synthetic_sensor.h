/* SPDX-License-Identifier: Apache-2.0
 * A sensor like ATIS, moved by three saccades before the picture of a digit. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"
#include "generator/synthetic_draws.h"
#include "generator/synthetic_glyph.h"

enum {
    SENSOR_HOT_PIXELS = 6,
    SENSOR_MAX_EVENTS = 16384,
};

/* What differs from pixel to pixel: no two are made the same. */
struct sensor_pixel {
    int32_t on, off; /* change of brightness that makes an event, GLYPH_OCTAVE to a doubling */
    int32_t blind_us, latency_us; /* after an event; from its cause to its time stamp */
};

struct sensor {
    struct sensor_pixel pixels[SENSOR_HEIGHT][SENSOR_WIDTH];
    uint16_t hot[SENSOR_HOT_PIXELS]; /* pixels noisier than the others, y × SENSOR_WIDTH + x */
    size_t n_events;
    uint32_t events[SENSOR_MAX_EVENTS]; /* see sensor_event() */
};

/* Make the sensor: always the same one. */
void sensor_init(struct sensor *ret);

/* Record the digit into sensor->events, in no order. A recording of SENSOR_MAX_EVENTS is cut. */
void sensor_watch(struct sensor *sensor, const struct glyph *glyph, struct draws *draws);

/* Events are kept in 32 bits, such that they sort by time. */
enum { SENSOR_TIME_SHIFT = 13 };

static inline struct event sensor_event(uint32_t key)
{
    return (struct event){
        .t_us = key >> SENSOR_TIME_SHIFT,
        .y = key >> 7 & 63,
        .x = key >> 1 & 63,
        .p = key & 1,
    };
}
