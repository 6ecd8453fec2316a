/* SPDX-License-Identifier: Apache-2.0
 * One split file as it is held: opened, watched over, and held against its checksums. */
#include "server/samples/holding.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/crc32c.h"
#include "server/samples/guard.h"
#include "server/samples/tally.h"

/* As many places as find one in twenty missing, nearly always; apart by what no size is a multiple
 * of. */
enum { PROBES = 64 };
#define PROBE_STEP UINT64_C(11400714819323198485)

int holding_open(const char *path, struct holding **ret, struct error *why)
{
    struct holding *holding = calloc(1, sizeof *holding);
    if (!holding)
        return error_set(why, -ENOMEM, "%s: no memory to hold it", path);
    atomic_init(&holding->n_users, 1);
    atomic_init(&holding->bad_sample, HOLDING_NO_SAMPLE);
    int r = split_open(path, &holding->split, why);
    if (r == 0) {
        r = guard_watch(split_bytes(holding->split), split_size(holding->split), &holding->damaged);
        if (r < 0)
            error_set(why, r, "%s: no memory to watch over it", path);
    }
    if (r < 0) {
        holding_unref(holding);
        return r;
    }
    *ret = holding;
    return 0;
}

struct holding *holding_ref(struct holding *holding)
{
    atomic_fetch_add(&holding->n_users, 1);
    return holding;
}

void holding_unref(struct holding *holding)
{
    if (!holding || atomic_fetch_sub(&holding->n_users, 1) != 1)
        return;
    if (holding->split)
        guard_forget(split_bytes(holding->split));
    split_close(holding->split);
    free(holding);
}

bool holding_check(struct holding *holding)
{
    if (!holding->damaged && !split_is_intact(holding->split))
        holding->damaged = true;
    return !holding->damaged;
}

void holding_glance(struct holding *holding)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (atomic_load(&holding->looked_ms) == now_ms)
        return;
    atomic_store(&holding->looked_ms, now_ms);
    holding_check(holding);
}

/* Places that are not those of the last second. */
static bool probe(const struct split *split, uint64_t now_s)
{
    uint64_t place = now_s * PROBE_STEP;
    for (int i = 0; i < PROBES; i++, place += PROBE_STEP)
        if (!split_is_cached(split, place % split_size(split), 1))
            return true;
    return false;
}

bool holding_is_cold(struct holding *holding)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint64_t now_s = (uint64_t)now.tv_sec + 1;
    if (atomic_load(&holding->probed_s) != now_s &&
        atomic_exchange(&holding->probed_s, now_s) != now_s)
        atomic_store(&holding->cold, probe(holding->split, now_s));
    return atomic_load(&holding->cold);
}

/* A file that was written to is damaged in a way that is seen already. */
int holding_blame(struct holding *holding, uint64_t i, uint32_t crc, struct error *why)
{
    uint64_t none = HOLDING_NO_SAMPLE;
    tally_add(TALLY_FAULTS, 1);
    if (holding_check(holding)) {
        atomic_compare_exchange_strong(&holding->bad_sample, &none, i);
        holding->damaged = true;
    }
    return error_set(why, -EBADMSG,
                     "sample %" PRIu64 " is damaged: its CRC-32C is %08" PRIx32
                     " instead of %08" PRIx32,
                     i, crc, split_sample(holding->split, i).checksum);
}

int holding_vouch(struct holding *holding, uint64_t i, struct error *why)
{
    if (atomic_load(&holding->verified))
        return 0;
    struct sample sample = split_sample(holding->split, i);
    uint32_t crc = crc32c(0, sample.events.bytes, sample.events.n_events * EVENT_BYTES);
    tally_add(TALLY_CHECKS, 1);
    return crc == sample.checksum ? 0 : holding_blame(holding, i, crc, why);
}

bool holding_has_crc32c(const struct holding *holding)
{
    return atomic_load(&holding->file_crc) & HOLDING_CRC_KNOWN;
}

uint32_t holding_crc32c(struct holding *holding)
{
    if (!holding_has_crc32c(holding))
        atomic_store(&holding->file_crc, HOLDING_CRC_KNOWN | split_crc32c(holding->split));
    return (uint32_t)atomic_load(&holding->file_crc);
}

bool holding_is_of(const struct holding *holding, const struct stat *file)
{
    const struct stat *own = split_file(holding->split);
    return !holding->damaged && own->st_dev == file->st_dev && own->st_ino == file->st_ino &&
           own->st_size == file->st_size && own->st_mtim.tv_sec == file->st_mtim.tv_sec &&
           own->st_mtim.tv_nsec == file->st_mtim.tv_nsec;
}
