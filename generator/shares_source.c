/* SPDX-License-Identifier: Apache-2.0
 * The recordings in the parts of a run, as a source. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digits.h"
#include "generator/shares.h"

/* A file's offset is its place among those of its part. */
static int read_listed(const void *user, void *worker, enum part part,
                       const struct listing_file *file, struct buffer *out, struct error *why)
{
    const struct shares *const *shares = user;
    (void)worker;
    enum folder_kind kind =
        shares_job(*shares)->totals[FOLDER_SOURCE][part] > 0 ? FOLDER_SOURCE : FOLDER_2NMNIST;
    return shares_read(*shares, kind, part, file->offset, out, why);
}

static const struct source_kind kinds[] = {
    {.origin = ORIGIN_RECORDED, .read = read_listed, .close = free},
    {.origin = ORIGIN_PUBLISHED, .read = read_listed, .close = free},
    {.origin = ORIGIN_SYNTHETIC, .read = read_listed, .close = free},
};

static const struct source_kind *kind_of(const char *origin)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].origin, origin) == 0)
            return &kinds[i];
    return NULL;
}

/* Names that bring the files into the order in which they stand: what they were called was other,
 * and is not kept. */
static int name_it(enum folder_kind kind, enum part part, uint64_t i, const struct sample *sample,
                   char *ret, size_t size, struct error *why)
{
    uint8_t digits[N_DIGITS];
    unsigned n = digits_of(sample->labels, digits);
    if (n < 1 || n > (kind == FOLDER_SOURCE ? 1 : 2))
        return error_set(why, -EBADMSG, "%s %" PRIu64 " has %u labels",
                         folder_split_name(kind, part), i, n);
    if (kind == FOLDER_SOURCE)
        snprintf(ret, size, "%s/%u/%010" PRIu64 ".bin", part_folders[part], digits[0], i);
    else if (n == 1)
        snprintf(ret, size, "%s/%" PRIu64 "_%u.bin", part_folders[part], i, digits[0]);
    else
        snprintf(ret, size, "%s/%" PRIu64 "_%u-%u.bin", part_folders[part], i, digits[0],
                 digits[1]);
    return 0;
}

static int add(const struct shares *shares, enum folder_kind kind, enum part part, uint64_t i,
               struct listing *listing, struct error *why)
{
    char name[64];
    struct listing_file *file;
    const struct sample sample = shares_sample(shares, kind, part, i);
    int r = name_it(kind, part, i, &sample, name, sizeof name, why);
    if (r == 0)
        r = listing_add(listing, name, &file, why);
    if (r < 0)
        return r;
    file->offset = i;
    if (kind == FOLDER_SOURCE)
        file->number = sample.sources[0];
    return 0;
}

static int list(const struct shares *shares, struct listing *listing, struct error *why)
{
    const struct job *job = shares_job(shares);
    uint64_t n_recordings =
        job->totals[FOLDER_SOURCE][PART_TRAIN] + job->totals[FOLDER_SOURCE][PART_TEST];
    enum folder_kind kind = n_recordings > 0 ? FOLDER_SOURCE : FOLDER_2NMNIST;
    for (enum part part = 0; part < N_PARTS; part++)
        for (uint64_t i = 0; i < job->totals[kind][part]; i++) {
            int r = add(shares, kind, part, i, listing, why);
            if (r < 0)
                return r;
        }
    return 0;
}

int shares_source(const struct shares *shares, struct source **ret, struct error *why)
{
    const char *origin = shares_job(shares)->origin;
    const struct source_kind *kind = kind_of(origin);
    if (!kind)
        return error_set(why, -EBADMSG, "the parts' origin is \"%.32s\"", origin);
    struct listing listing = {0};
    const struct shares **user = NULL;
    int r = list(shares, &listing, why);
    if (r == 0 && !(user = malloc(sizeof *user)))
        r = error_set(why, -ENOMEM, "no memory for a source");
    if (r < 0) {
        listing_free(&listing);
        return r;
    }
    *user = shares;
    return source_new(kind, user, &listing, ret, why);
}
