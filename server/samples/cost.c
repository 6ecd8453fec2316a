/* SPDX-License-Identifier: Apache-2.0
 * What making samples costs. The rates are those of bench/core.c and bench/run.sh, rounded down:
 * they need no more than to tell a microsecond from a millisecond. */
#include "server/samples/cost.h"

enum {
    STORED_PER_US = 16,         /* samples that are looked up and answered from the map */
    EVENTS_MIXED_PER_US = 500,  /* recordings that are not in a cache */
    EVENTS_FRAMED_PER_US = 500, /* into frames that are zero */
    BYTES_PER_US = 3000,        /* of memory written, and read again for a checksum */
    TEXT_PER_US = 1000,         /* bytes of JSON */
    EVENT_TEXT_BYTES = 12,
    FRAME_TEXT_BYTES = 2,
    SHUFFLED_PER_US = 60,
};

static uint64_t mean_events(const struct entry *entry, bool mixed)
{
    return (1 + mixed) * split_n_events(entry->split) / split_n_samples(entry->split);
}

uint64_t cost_text_us(uint64_t n_bytes)
{
    return n_bytes / TEXT_PER_US;
}

uint64_t cost_us(const struct entry *entry, const struct form *form, const struct cost *cost)
{
    uint64_t each = mean_events(entry, cost->mixed), all = cost->n * each;
    uint64_t us = cost->n / STORED_PER_US;
    if (cost->head)
        return us;
    if (cost->mixed || form->has_order || form->timestep_us)
        us += all / EVENTS_MIXED_PER_US;
    if (form->as == FORM_FRAMES) {
        uint64_t bytes = cost->n * frames_size(&form->frames);
        us += all / EVENTS_FRAMED_PER_US + bytes / BYTES_PER_US;
        return cost->text ? us + cost_text_us(bytes * FRAME_TEXT_BYTES) : us;
    }
    return cost->text ? us + cost_text_us(all * EVENT_TEXT_BYTES) : us;
}

uint64_t cost_order_us(uint64_t n)
{
    return n / SHUFFLED_PER_US;
}
