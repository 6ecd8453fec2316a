/* SPDX-License-Identifier: Apache-2.0
 * The source that simulates its recordings. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "generator/metadata.h"
#include "generator/source.h"
#include "generator/synthetic.h"

static int worker_new(void **ret)
{
    return synthesizer_new((struct synthesizer **)ret);
}

static void worker_free(void *worker)
{
    synthesizer_free(worker);
}

static int read_listed(const void *user, void *worker, enum part part,
                       const struct listing_file *file, struct buffer *out, struct error *why)
{
    const uint64_t *seed = user;
    if (buffer_reserve(out, (size_t)SYNTHETIC_MAX_EVENTS * EVENT_BYTES) < 0)
        return error_set(why, -ENOMEM, "no memory for %d events", SYNTHETIC_MAX_EVENTS);
    out->size =
        EVENT_BYTES * synthesizer_record(worker, *seed, part == PART_TEST, (uint64_t)file->number,
                                         file->digits[0], out->bytes);
    return 0;
}

static const struct source_kind kind = {
    .origin = ORIGIN_SYNTHETIC,
    .worker_new = worker_new,
    .worker_free = worker_free,
    .read = read_listed,
    .close = free,
};

/* Names as wide as the largest number, so that the order of names is that of numbers. */
static int add_part(struct listing *listing, enum part part, uint64_t count, struct error *why)
{
    uint64_t per_digit[N_DIGITS], number = 0;
    synthetic_class_counts(part == PART_TEST, count, per_digit);
    int width = snprintf(NULL, 0, "%05" PRIu64, count);
    for (int digit = 0; digit < N_DIGITS; digit++)
        for (uint64_t i = 0; i < per_digit[digit]; i++) {
            char name[64];
            snprintf(name, sizeof name, "%s/%d/%0*" PRIu64 ".bin", part_folders[part], digit, width,
                     ++number);
            struct listing_file *file;
            int r = listing_add(listing, name, &file, why);
            if (r < 0)
                return r;
        }
    return 0;
}

int source_open_synthetic(const uint64_t counts[N_PARTS], uint64_t seed, struct source **ret,
                          struct error *why)
{
    struct listing listing = {0};
    int r = 0;
    for (enum part part = 0; r == 0 && part < N_PARTS; part++)
        r = add_part(&listing, part, counts[part], why);
    uint64_t *user = r == 0 ? malloc(sizeof *user) : NULL;
    if (r == 0 && !user)
        r = error_set(why, -ENOMEM, "no memory for a source");
    if (r < 0) {
        listing_free(&listing);
        return r;
    }
    *user = seed;
    return source_new(&kind, user, &listing, ret, why);
}
