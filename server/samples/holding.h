/* SPDX-License-Identifier: Apache-2.0
 * One split file as it is held: opened, watched over, and held against its checksums. Catalogs that
 * serve it share it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/sha256.h"
#include "common/split.h"

#define HOLDING_CRC_KNOWN ((uint64_t)1 << 32)
#define HOLDING_NO_SAMPLE UINT64_MAX

struct holding {
    atomic_uint n_users;
    struct split *split;
    atomic_bool damaged;              /* the file is no longer what it was made as; for ever */
    atomic_bool verified;             /* once all of it was what its checksums say; then there is */
    char file_sha256[SHA256_HEX + 1]; /* of the whole file, "" before */
    atomic_uint_fast64_t bad_sample;  /* the first that was found not to be, or HOLDING_NO_SAMPLE */
    atomic_bool told;                 /* that sample was named in the log */
    atomic_uint_fast64_t probed_s;    /* when holding_is_cold() looked last */
    atomic_bool cold;
    atomic_uint_fast64_t looked_ms;   /* when holding_glance() looked at the file last */
    atomic_uint_fast64_t file_crc;    /* split_crc32c(), once known, with HOLDING_CRC_KNOWN */

    /* The last scrub, or the one that runs. */
    atomic_uint_fast64_t scrubbed_bytes;
    atomic_uint_fast64_t scrubbed_ms; /* when it ended, on the monotonic clock; 0: none did */
    atomic_int_fast64_t scrubbed_s;   /* the same since the epoch */
};

/* Open the file, and watch its map before a byte of it is read. The caller has the first reference.
 * Errors: split_open(); -ENOMEM. */
int holding_open(const char *path, struct holding **ret, struct error *why);

/* Any thread. */
struct holding *holding_ref(struct holding *holding);
void holding_unref(struct holding *holding);

/* Look at the file, and mark the holding as damaged where it was cut short or written to since it
 * was opened. False where it is damaged. Costs one system call. Any thread. */
bool holding_check(struct holding *holding);

/* holding_check(), unless that was done in this tick of the clock already (some milliseconds): for
 * each request, at hardly any cost. Any thread. */
void holding_glance(struct holding *holding);

/* Whether some of the file is not in memory, by a few places that are looked at each second. Any
 * thread. */
bool holding_is_cold(struct holding *holding);

/* Hold the events of sample i against their checksum, unless all of the split was since it was
 * opened: before something is made of them that gets a checksum of its own. Any thread.
 * Errors: -EBADMSG holding_blame(). */
int holding_vouch(struct holding *holding, uint64_t i, struct error *why);

/* Mark the holding as damaged, since the CRC-32C of sample i's events is `crc`. Returns -EBADMSG;
 * why says which. Any thread. */
int holding_blame(struct holding *holding, uint64_t i, uint32_t crc, struct error *why);

/* split_crc32c(), put together once; and whether that was done. Any thread. */
uint32_t holding_crc32c(struct holding *holding);
bool holding_has_crc32c(const struct holding *holding);

/* Whether it is a sound holding of the file that `file` describes. */
bool holding_is_of(const struct holding *holding, const struct stat *file);
