/* SPDX-License-Identifier: Apache-2.0
 * Where events lie in a frame: the place of (x, y, p) is (p · height + y) · width + x. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"
#include "common/geometry.h"

enum {
    PLACES_BLOCK = 512, /* looked at once: all of it stays in the L1 cache */
    PLACES_SLACK = 64,  /* that can be read behind any of them, whatever they are */
};

static const uint32_t PLACE_NOWHERE = UINT32_MAX; /* outside the sensor */

struct place_rule {
    uint32_t width, height;
    uint32_t channel; /* places of one polarity; 0: both are one */
};

/* channels: 1 or SENSOR_POLARITIES. */
struct place_rule place_rule_of(const struct geometry *geometry, uint32_t channels);

/* The time and place of each of at most PLACES_BLOCK events. What is behind them in `ret` is
 * undefined. */
void places_find(const struct place_rule *rule, struct event_span events,
                 uint32_t t_us[PLACES_BLOCK], uint32_t ret[PLACES_BLOCK]);

/* The places of one sample's events, a block at a time, found when one of it is asked for. */
struct places {
    struct place_rule rule;
    struct event_span events;
    uint32_t begin, end; /* the block */
    uint32_t t_us[PLACES_BLOCK], at[PLACES_BLOCK + PLACES_SLACK];
};

void places_open(struct places *places, const struct geometry *geometry, uint32_t channels,
                 struct event_span events);

/* Those of events from `begin` on, as many of those before `end` as are in one block, *ret_n. */
const uint32_t *places_at(struct places *places, uint32_t begin, uint32_t end, uint32_t *ret_n);

/* Those of all events from `begin` to `end`, PLACES_BLOCK at most. */
const uint32_t *places_run(struct places *places, uint32_t begin, uint32_t end);
