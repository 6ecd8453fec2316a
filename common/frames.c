/* SPDX-License-Identifier: Apache-2.0
 * Dense frames from events. */
#include "common/frames.h"

#include <stdbool.h>
#include <string.h>

enum { PIXELS = SENSOR_WIDTH * SENSOR_HEIGHT };

size_t frames_size(const struct frames_rule *rule)
{
    return (size_t)rule->bins * SENSOR_POLARITIES * PIXELS;
}

void frames_shape(const struct frames_rule *rule, uint64_t ret[FRAMES_DIMS])
{
    bool time_first = rule->axes == FRAMES_TCHW;
    uint64_t *chw = time_first ? ret + 1 : ret;
    ret[time_first ? 0 : FRAMES_DIMS - 1] = rule->bins;
    chw[0] = SENSOR_POLARITIES;
    chw[1] = SENSOR_HEIGHT;
    chw[2] = SENSOR_WIDTH;
}

static uint32_t bin_of(const struct frames_rule *rule, uint32_t t_us)
{
    uint32_t bin = t_us / rule->timestep_us, rest = t_us % rule->timestep_us;
    if (rule->binning == FRAMES_ROUND)
        bin += 2 * rest > rule->timestep_us || (2 * rest == rule->timestep_us && bin % 2 == 1);
    return bin;
}

void frames_fill(const struct frames_rule *rule, struct event_span events, uint8_t *out)
{
    bool time_first = rule->axes == FRAMES_TCHW;
    size_t bin_stride = time_first ? SENSOR_POLARITIES * PIXELS : 1;
    size_t place_stride = time_first ? 1 : rule->bins;
    unsigned most = rule->overlap == FRAMES_OR ? 1 : UINT8_MAX;

    memset(out, 0, frames_size(rule));
    for (size_t i = 0; i < events.n_events; i++) {
        struct event event = event_unpack(events.bytes + i * EVENT_BYTES);
        uint32_t bin = bin_of(rule, event.t_us);
        if (bin >= rule->bins || event.x >= SENSOR_WIDTH || event.y >= SENSOR_HEIGHT)
            continue;
        size_t place = (size_t)event.p * PIXELS + (size_t)event.y * SENSOR_WIDTH + event.x;
        uint8_t *value = out + bin * bin_stride + place * place_stride;
        if (*value < most)
            ++*value;
    }
}
