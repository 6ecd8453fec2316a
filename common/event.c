/* SPDX-License-Identifier: Apache-2.0
 * One event of the ATIS sensor, and N-MNIST's packed 40-bit form of it ("AER40"). */
#include "common/event.h"

#include <errno.h>

enum { OVERFLOW_STEP_US = 1 << 13 };

static int check_event(const struct event *event, size_t i, struct error *why)
{
    if (event->x >= SENSOR_WIDTH || event->y >= SENSOR_HEIGHT)
        return error_set(why, -EBADMSG, "event %zu: pixel (%u, %u) is outside the %d x %d sensor",
                         i, event->x, event->y, SENSOR_WIDTH, SENSOR_HEIGHT);
    if (event->t_us > EVENT_T_MAX)
        return error_set(why, -ERANGE, "event %zu: time %u us is past the limit of %d us", i,
                         event->t_us, EVENT_T_MAX);
    return 0;
}

/* How many events from the first need nothing: nearly always all of them. */
static size_t count_plain(const uint8_t *bytes, size_t n, uint32_t *last_us)
{
    size_t i = 0;
    for (; i < n; i++) {
        struct event event = event_unpack(bytes + i * EVENT_BYTES);
        if (event.x >= SENSOR_WIDTH || event.y >= SENSOR_HEIGHT || event.t_us < *last_us)
            break;
        *last_us = event.t_us;
    }
    return i;
}

int event_check(uint8_t *bytes, size_t size_bytes, unsigned max_descents, size_t *ret_n_events,
                struct error *why)
{
    if (size_bytes % EVENT_BYTES != 0)
        return error_set(why, -EBADMSG, "%zu bytes are not a whole number of %d-byte events",
                         size_bytes, EVENT_BYTES);

    uint32_t passed_us = 0, last_us = 0;
    unsigned descents = 0;
    size_t n_kept = count_plain(bytes, size_bytes / EVENT_BYTES, &last_us);
    for (size_t i = n_kept; i < size_bytes / EVENT_BYTES; i++) {
        struct event event = event_unpack(bytes + i * EVENT_BYTES);
        if (event.y == EVENT_OVERFLOW_Y) {
            if (passed_us > EVENT_T_MAX)
                return error_set(why, -ERANGE, "event %zu: too many time-overflow markers", i);
            passed_us += OVERFLOW_STEP_US;
            continue;
        }
        event.t_us += passed_us;
        int r = check_event(&event, i, why);
        if (r < 0)
            return r;
        if (event.t_us < last_us && ++descents > max_descents)
            return error_set(why, -EBADMSG, "event %zu: time goes back from %u us to %u us", i,
                             last_us, event.t_us);
        last_us = event.t_us;
        event_pack(event, bytes + n_kept++ * EVENT_BYTES);
    }
    *ret_n_events = n_kept;
    return 0;
}
