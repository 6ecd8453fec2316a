/* SPDX-License-Identifier: Apache-2.0
 * The parts of a run of `splits` in a folder: all of them there, whole, and of one run. */
#include "generator/shares.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clean.h"
#include "common/crc32c.h"
#include "generator/interrupt.h"

struct shares {
    const char *folder; /* the caller's */
    unsigned n;
    struct split *splits[SHARE_MAX]; /* of part i at i - 1; NULL where there is nothing in it */
    struct job job;
};

/* Names of files, as many as a reason has room for. */
struct names {
    char text[512];
    unsigned n;
};

static void names_add(struct names *names, struct share share)
{
    enum { SHOWN = 8 };
    char name[SHARE_NAME_SIZE];
    size_t length = strlen(names->text);
    share_file_name(share, name);
    if (names->n < SHOWN)
        snprintf(names->text + length, sizeof names->text - length, "%s%s", names->n ? ", " : "",
                 name);
    else if (names->n == SHOWN)
        snprintf(names->text + length, sizeof names->text - length, ", ...");
    names->n++;
}

static struct share nth(const struct shares *shares, unsigned i)
{
    return (struct share){.i = i, .n = shares->n};
}

/* ---- Opening ---- */

/* How many parts there are to be, by the names of files. */
static int count(struct shares *shares, struct error *why)
{
    DIR *listed = opendir(shares->folder);
    if (!listed)
        return error_set(why, -errno, "%s: %s", shares->folder, strerror(errno));
    int r = 0;
    struct share first = {0}, share;
    for (struct dirent *found; r == 0 && (found = readdir(listed));) {
        if (!share_of_file_name(found->d_name, &share))
            continue;
        if (first.n && first.n != share.n)
            r = error_set(why, -EINVAL,
                          "%s: parts of %u and parts of %u (splits-%u-of-%u.part, "
                          "splits-%u-of-%u.part): remove those that are not meant",
                          shares->folder, first.n, share.n, first.i, first.n, share.i, share.n);
        first = share;
    }
    closedir(listed);
    if (r == 0 && first.n == 0)
        r = error_set(why, -ENOENT, "%s: there is no part in it (splits-1-of-<N>.part)",
                      shares->folder);
    shares->n = first.n;
    return r;
}

/* Errors: as split_open() and job_read(); the name stands before. */
static int open_one(struct shares *shares, struct share share, struct job *ret, struct error *why)
{
    char name[SHARE_NAME_SIZE], *path;
    share_file_name(share, name);
    if (asprintf(&path, "%s/%s", shares->folder, name) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    int r = split_open(path, &shares->splits[share.i - 1], why);
    if (r == 0)
        r = job_read(shares->splits[share.i - 1], share, ret, why);
    if (r < 0 && shares->splits[share.i - 1])
        error_prefix(why, r, "%s", path);
    free(path);
    return r;
}

static bool is_fatal(int r)
{
    return r < 0 && r != -ENOENT && r != -EBADMSG && r != -ENOTSUP;
}

/* The parts that are there, of which shares->job is that of the first. */
static int open_all(struct shares *shares, struct names *damaged, struct error *why)
{
    bool first = true;
    for (unsigned i = 1; i <= shares->n; i++) {
        struct job job;
        struct error fault;
        int r = open_one(shares, nth(shares, i), &job, &fault);
        if (is_fatal(r)) {
            *why = fault;
            return r;
        }
        if (r < 0 && r != -ENOENT) {
            clean_line(fault.text); /* it may show strings of the file's header */
            fprintf(stderr, "%s\n", fault.text);
            names_add(damaged, nth(shares, i));
        }
        if (r == 0 && first)
            shares->job = job;
        first = first && r < 0;
    }
    return 0;
}

/* With more parts than samples, some parts are none. */
static void find_missing(const struct shares *shares, struct names *missing)
{
    for (unsigned i = 1; i <= shares->n; i++)
        if (!shares->splits[i - 1] && job_share_size(&shares->job, nth(shares, i)) > 0)
            names_add(missing, nth(shares, i));
}

static int compare_all(const struct shares *shares, struct error *why)
{
    unsigned first = 0;
    for (unsigned i = 1; i <= shares->n; i++) {
        if (!shares->splits[i - 1])
            continue;
        if (!first)
            first = i;
        int r = job_compare(shares->splits[i - 1], shares->splits[first - 1], why);
        if (r < 0)
            return error_prefix(why, r,
                                "%s: splits-%u-of-%u.part does not belong to "
                                "splits-%u-of-%u.part: it has",
                                shares->folder, i, shares->n, first, shares->n);
    }
    return 0;
}

static int open_set(struct shares *shares, struct error *why)
{
    struct names damaged = {.text = ""}, missing = {.text = ""};
    int r = count(shares, why);
    if (r == 0)
        r = open_all(shares, &damaged, why);
    if (r < 0)
        return r;
    if (damaged.n > 0)
        return error_set(why, -EBADMSG, "%s: of %u parts %u are damaged, make them again: %s",
                         shares->folder, shares->n, damaged.n, damaged.text);
    r = compare_all(shares, why);
    if (r < 0)
        return r;
    find_missing(shares, &missing);
    return missing.n == 0 ? 0
                          : error_set(why, -ENODATA, "%s: of %u parts %u are missing: %s",
                                      shares->folder, shares->n, missing.n, missing.text);
}

int shares_open(const char *folder, struct shares **ret, struct error *why)
{
    struct shares *shares = calloc(1, sizeof *shares);
    if (!shares)
        return error_set(why, -ENOMEM, "no memory for parts");
    shares->folder = folder;
    int r = open_set(shares, why);
    if (r < 0)
        shares_close(shares);
    else
        *ret = shares;
    return r;
}

void shares_close(struct shares *shares)
{
    if (!shares)
        return;
    for (unsigned i = 0; i < shares->n; i++)
        split_close(shares->splits[i]);
    free(shares);
}

const struct job *shares_job(const struct shares *shares)
{
    return &shares->job;
}

/* ---- Samples ---- */

/* Where a kind's range begins in a part's file. */
static uint64_t range_start(const struct shares *shares, struct share share, enum folder_kind kind,
                            enum part part)
{
    uint64_t at = 0;
    for (unsigned k = 0; k < (unsigned)kind * N_PARTS + part; k++) {
        struct share_range range = share_range(share, shares->job.totals[k / N_PARTS][k % N_PARTS]);
        at += range.end - range.begin;
    }
    return at;
}

/* The part's file, and where in it the i-th stands. */
static const struct split *find(const struct shares *shares, enum folder_kind kind, enum part part,
                                uint64_t i, struct share *ret_share, uint64_t *ret_at)
{
    uint64_t total = shares->job.totals[kind][part];
    struct share share = share_holding(shares->n, i, total);
    *ret_at = range_start(shares, share, kind, part) + i - share_range(share, total).begin;
    *ret_share = share;
    return shares->splits[share.i - 1];
}

struct sample shares_sample(const struct shares *shares, enum folder_kind kind, enum part part,
                            uint64_t i)
{
    struct share share;
    uint64_t at;
    const struct split *split = find(shares, kind, part, i, &share, &at);
    return split_sample(split, at);
}

static int read_at(const struct split *split, uint64_t at, struct buffer *out, struct error *why)
{
    struct sample sample = split_sample(split, at);
    size_t size = sample.events.n_events * EVENT_BYTES;
    if (buffer_reserve(out, size) < 0)
        return error_set(why, -ENOMEM, "no memory for %zu bytes", size);
    uint64_t place = split_events_start(split) + split_offsets(split)[at] * EVENT_BYTES;
    int r = split_read(split, place, out->bytes, size, why);
    if (r == 0 && crc32c(0, out->bytes, size) != sample.checksum)
        r = error_set(why, -EBADMSG, "sample %" PRIu64 " has another checksum", at);
    if (r == 0)
        out->size = size;
    return r;
}

int shares_read(const struct shares *shares, enum folder_kind kind, enum part part, uint64_t i,
                struct buffer *out, struct error *why)
{
    struct share share;
    uint64_t at;
    const struct split *split = find(shares, kind, part, i, &share, &at);
    int r = read_at(split, at, out, why);
    return r < 0
               ? error_prefix(why, r, "%s: splits-%u-of-%u.part", shares->folder, share.i, share.n)
               : 0;
}

/* ---- Checks ---- */

/* False where a sample names no recording. */
static bool add_checksums(const struct shares *shares, struct share share, enum part part,
                          const struct split *recordings, struct sha256 *hash)
{
    struct share_range range = share_range(share, shares->job.totals[FOLDER_2NMNIST][part]);
    for (uint64_t i = range.begin; i < range.end; i++) {
        const int32_t *sources = shares_sample(shares, FOLDER_2NMNIST, part, i).sources;
        for (int k = 0; k < 2 && (k == 0 || sources[k] >= 0); k++) {
            if (sources[k] < 0 || (uint64_t)sources[k] >= split_n_samples(recordings))
                return false;
            uint32_t checksum = split_sample(recordings, (uint64_t)sources[k]).checksum;
            sha256_add(hash, &checksum, sizeof checksum);
        }
    }
    return true;
}

static bool is_mixed_from(const struct shares *shares, struct share share,
                          const struct split *const splits[N_PARTS], struct sha256 *hash)
{
    bool all = true;
    for (enum part part = 0; all && part < N_PARTS; part++)
        all = !splits[part] || add_checksums(shares, share, part, splits[part], hash);
    char digest[SHA256_HEX + 1];
    sha256_hex(hash, digest);
    return all && strcmp(digest, job_mixed_from(shares->splits[share.i - 1])) == 0;
}

int shares_check_mixed_from(const struct shares *shares, const struct split *const splits[N_PARTS],
                            struct error *why)
{
    struct names others = {.text = ""};
    struct sha256 *hash;
    if (sha256_new(&hash) < 0)
        return error_set(why, -ENOMEM, "no memory for a hash");
    for (unsigned i = 1; i <= shares->n; i++)
        if (shares->splits[i - 1] && !is_mixed_from(shares, nth(shares, i), splits, hash))
            names_add(&others, nth(shares, i));
    sha256_free(hash);
    if (others.n == 0)
        return 0;
    return error_set(why, -EINVAL,
                     "%s: the samples of %s were mixed from other recordings than all parts "
                     "together hold: a part was made from another source",
                     shares->folder, others.text);
}

static int check_one(const struct split *split, struct buffer *buffer, struct error *why)
{
    int r = 0;
    for (uint64_t i = 0; r == 0 && i < split_n_samples(split); i++) {
        r = read_at(split, i, buffer, why);
        if (r == 0)
            r = interrupt_check(why);
    }
    return r;
}

int shares_find_damage(const struct shares *shares, struct error *why)
{
    struct names damaged = {.text = ""};
    struct buffer buffer = {0};
    int r = 0;
    for (unsigned i = 1; !is_fatal(r) && i <= shares->n; i++) {
        struct error fault;
        if (!shares->splits[i - 1])
            continue;
        r = check_one(shares->splits[i - 1], &buffer, &fault);
        if (r == -EBADMSG)
            names_add(&damaged, nth(shares, i));
        else if (r < 0)
            *why = fault;
    }
    buffer_free(&buffer);
    if (is_fatal(r) || damaged.n == 0)
        return r;
    return error_set(why, -EBADMSG, "%s: of %u parts %u are damaged, make them again: %s",
                     shares->folder, shares->n, damaged.n, damaged.text);
}
