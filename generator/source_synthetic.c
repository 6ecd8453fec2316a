/* SPDX-License-Identifier: Apache-2.0
 * The source that simulates recordings: as many of each digit as MNIST has, in its proportions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "generator/metadata.h"
#include "generator/source.h"
#include "generator/synthetic.h"

struct simulation {
    uint64_t seed;
};

static int worker_new(void **ret)
{
    return synthesizer_new((struct synthesizer **)ret);
}

static void worker_free(void *worker)
{
    synthesizer_free(worker);
}

static int read_entry(const void *state, void *worker, enum part part, const struct entry *entry,
                      struct buffer *out, struct error *why)
{
    const struct simulation *simulation = state;
    if (buffer_reserve(out, (size_t)SYNTHETIC_MAX_EVENTS * EVENT_BYTES) < 0)
        return error_set(why, -ENOMEM, "no memory for %d events", SYNTHETIC_MAX_EVENTS);
    size_t n_events = synthesizer_record(worker, simulation->seed, part == PART_TEST,
                                         (uint64_t)entry->number, entry->digits[0], out->bytes);
    out->size = n_events * EVENT_BYTES;
    return 0;
}

static const struct source_kind kind = {
    .origin = ORIGIN_SYNTHETIC,
    .worker_new = worker_new,
    .worker_free = worker_free,
    .read = read_entry,
    .close = free,
};

/* Recordings are numbered from 1 through all digits, as N-MNIST's files are. */
static int list_part(struct listing *listing, enum part part, uint64_t total, struct error *why)
{
    uint64_t counts[N_DIGITS];
    unsigned number = 0;
    synthetic_class_counts(part == PART_TEST, total, counts);
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        for (uint64_t i = 0; i < counts[digit]; i++) {
            char name[64];
            struct entry *entry;
            snprintf(name, sizeof name, "%s/%u/%05u.bin", part_folders[part], digit, ++number);
            int r = listing_add(listing, name, &entry, why);
            if (r < 0)
                return r;
        }
    return 0;
}

int source_open_synthetic(const uint64_t counts[N_PARTS], uint64_t seed, struct source **ret,
                          struct error *why)
{
    struct simulation *simulation = calloc(1, sizeof *simulation);
    if (!simulation)
        return error_set(why, -ENOMEM, "no memory for a simulation");
    simulation->seed = seed;
    struct listing listing = {.content = CONTENT_RECORDINGS};
    int r = 0;
    for (enum part part = 0; r == 0 && part < N_PARTS; part++)
        r = list_part(&listing, part, counts[part], why);
    if (r < 0) {
        listing_free(&listing);
        free(simulation);
        return r;
    }
    return source_new(&kind, simulation, &listing, ret, why);
}
