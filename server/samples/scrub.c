/* SPDX-License-Identifier: Apache-2.0
 * Reads all of a split, and holds it against its checksums. */
#include "server/samples/scrub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/sha256.h"
#include "server/samples/ahead.h"
#include "server/samples/tally.h"

enum { PIECE_BYTES = 1 << 20 };

struct scrub {
    struct holding *holding;
    uint8_t *piece;
    struct sha256 *hash;      /* of the data */
    struct sha256 *file_hash; /* of the whole file, the first time; or NULL */
    uint64_t at, end;         /* in the file */
    uint64_t sample;          /* the next that is not complete */
    uint64_t sample_bytes;    /* of it, so far */
    uint32_t sample_crc;
};

static uint64_t bytes_of(const struct split *split, uint64_t sample)
{
    const uint64_t *offsets = split_offsets(split);
    return (offsets[sample + 1] - offsets[sample]) * EVENT_BYTES;
}

/* Events from where the last call ended. */
static int add_events(struct scrub *scrub, const uint8_t *bytes, size_t size, struct error *why)
{
    struct holding *holding = scrub->holding;
    uint64_t n_samples = split_n_samples(holding->split);
    while (scrub->sample < n_samples) {
        uint64_t missing = bytes_of(holding->split, scrub->sample) - scrub->sample_bytes;
        size_t n = size < missing ? size : (size_t)missing;
        scrub->sample_crc = crc32c(scrub->sample_crc, bytes, n);
        scrub->sample_bytes += n;
        bytes += n;
        size -= n;
        if (n < missing)
            return 0;
        tally_add(TALLY_CHECKS, 1);
        if (scrub->sample_crc != split_sample(holding->split, scrub->sample).checksum)
            return holding_blame(holding, scrub->sample, scrub->sample_crc, why);
        scrub->sample++;
        scrub->sample_bytes = 0;
        scrub->sample_crc = 0;
    }
    return 0;
}

/* Have mapped what was just read, too: who asks for a sample first does not wait for each page of
 * it. Not of a split that might not stay in memory. */
static void touch(const struct split *split, uint64_t at, size_t size)
{
    uint64_t n_pages = split_size(split) / (uint64_t)sysconf(_SC_PAGESIZE);
    if (n_pages <= (uint64_t)sysconf(_SC_PHYS_PAGES) / 4)
        ahead_await(split_bytes(split) + at, size);
}

static int read_piece(struct scrub *scrub, struct error *why)
{
    const struct split *split = scrub->holding->split;
    uint64_t left = scrub->end - scrub->at, events_start = split_events_start(split);
    size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    int r = split_read(split, scrub->at, scrub->piece, size, why);
    if (r < 0)
        return r;
    sha256_add(scrub->hash, scrub->piece, size);
    if (scrub->file_hash)
        sha256_add(scrub->file_hash, scrub->piece, size);
    uint64_t index = events_start > scrub->at ? events_start - scrub->at : 0;
    if (index < size)
        r = add_events(scrub, scrub->piece + index, size - (size_t)index, why);
    if (r == 0)
        touch(split, scrub->at, size);
    scrub->at += size;
    return r;
}

static int check_hash(struct scrub *scrub, struct error *why)
{
    const char *said = split_meta(scrub->holding->split, "data_sha256");
    char found[SHA256_HEX + 1];
    sha256_hex(scrub->hash, found);
    if (strcmp(found, said) != 0)
        return error_set(why, -EBADMSG, "its data has SHA-256 %.12s... instead of %.12s...", found,
                         said);
    return 0;
}

static int read_all(struct scrub *scrub, scrub_go_on *go_on, void *user, struct error *why)
{
    uint64_t start = split_data_start(scrub->holding->split);
    if (scrub->file_hash) /* the header's own hash is the split's revision, so it is what it was */
        sha256_add(scrub->file_hash, split_bytes(scrub->holding->split), start);
    for (scrub->at = start; scrub->at < scrub->end;) {
        atomic_store(&scrub->holding->scrubbed_bytes, scrub->at - start);
        if (!go_on(user, scrub->at - start))
            return error_set(why, -ECANCELED, "it was stopped");
        int r = read_piece(scrub, why);
        if (r < 0)
            return r;
    }
    atomic_store(&scrub->holding->scrubbed_bytes, scrub->at - start);
    return check_hash(scrub, why);
}

/* What it found holds for the file as it was opened; one that was written to is none of that. */
static int conclude(struct scrub *scrub, int r, struct error *why)
{
    struct holding *holding = scrub->holding;
    struct timespec now;
    if (r == -ECANCELED || r == -ENOMEM)
        return r;
    if (!split_is_intact(holding->split))
        r = error_set(why, -EBADMSG, "it was written to or cut short since it was opened");
    if (r == 0 && scrub->file_hash)
        sha256_hex(scrub->file_hash, holding->file_sha256);
    if (r == 0)
        holding->verified = true;
    else
        holding->damaged = true;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_store(&holding->scrubbed_s, (int64_t)now.tv_sec);
    return r;
}

int scrub_run(struct holding *holding, scrub_go_on *go_on, void *user, struct error *why)
{
    struct scrub scrub = {.holding = holding, .end = split_size(holding->split)};
    bool is_first = !atomic_load(&holding->verified);
    int r;
    scrub.piece = malloc(PIECE_BYTES);
    if (scrub.piece && sha256_new(&scrub.hash) == 0 &&
        (!is_first || sha256_new(&scrub.file_hash) == 0))
        r = read_all(&scrub, go_on, user, why);
    else
        r = error_set(why, -ENOMEM, "no memory to read it");
    r = conclude(&scrub, r, why);
    sha256_free(scrub.file_hash);
    sha256_free(scrub.hash);
    free(scrub.piece);
    return r;
}
