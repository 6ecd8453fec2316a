/* SPDX-License-Identifier: Apache-2.0
 * Events in order of time: merged from the runs in which they already are. */
#include "common/event_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t time_at(const uint8_t *event)
{
    return event_unpack(event).t_us;
}

/* The end of the events from `at` on that are in order of time. */
static const uint8_t *run_end(const uint8_t *at, const uint8_t *end)
{
    if (at == end)
        return end;
    uint32_t last_us = time_at(at);
    while ((at += EVENT_BYTES) < end) {
        uint32_t t_us = time_at(at);
        if (t_us < last_us)
            break;
        last_us = t_us;
    }
    return at;
}

bool event_is_ordered(struct event_span events)
{
    const uint8_t *end = events.bytes + events.n_events * EVENT_BYTES;
    return run_end(events.bytes, end) == end;
}

static uint8_t *copy(uint8_t *out, const uint8_t *from, const uint8_t *end)
{
    size_t size = (size_t)(end - from);
    memcpy(out, from, size);
    return out + size;
}

/* [a, b) and [b, end) into one. */
static uint8_t *merge_two(const uint8_t *a, const uint8_t *b, const uint8_t *end, uint8_t *out)
{
    const uint8_t *middle = b;
    while (a < middle && b < end) {
        const uint8_t **from = time_at(b) < time_at(a) ? &b : &a;
        memcpy(out, *from, EVENT_BYTES);
        *from += EVENT_BYTES;
        out += EVENT_BYTES;
    }
    out = copy(out, a, middle);
    return copy(out, b, end);
}

/* Merge the runs by twos; returns how many that made. */
static size_t merge_runs(const uint8_t *from, size_t size, uint8_t *out)
{
    const uint8_t *end = from + size;
    size_t n = 0;
    for (const uint8_t *middle, *stop; from < end; from = stop, n++) {
        middle = run_end(from, end);
        stop = run_end(middle, end);
        out = merge_two(from, middle, stop, out);
    }
    return n;
}

int event_put_in_order(struct event_span events, uint8_t *out)
{
    size_t size = events.n_events * EVENT_BYTES;
    if (merge_runs(events.bytes, size, out) <= 1)
        return 0;
    uint8_t *other = malloc(size);
    if (!other)
        return -ENOMEM;
    uint8_t *from = out, *to = other;
    for (bool is_one = false; !is_one;) {
        is_one = merge_runs(from, size, to) <= 1;
        uint8_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != out)
        memcpy(out, from, size);
    free(other);
    return 0;
}
