/* SPDX-License-Identifier: Apache-2.0
 * What all parts of a run have in common: by it they are known to belong together, and joined. */
#include "generator/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

static const char SHARE[] = "part", MIXED_FROM[] = "mixed_from_sha256", TOTALS[] = "totals";

/* The strings that all parts share, and what they are to a reader. */
static const struct {
    const char *key, *what;
} common[] = {
    {"generator", "edition of the generator"},
    {"origin", "kind of source"},
    {"names_sha256", "list of recordings"},
    {"seed", "--seed"},
    {"plan", "--plan"},
    {"order", "--order"},
    {TOTALS, "number of recordings or samples"},
};

/* From the digit's folder on: how the folders above are called and spelt is the machine's. */
static int hash_names(const struct source *source, char ret[SHA256_HEX + 1], struct error *why)
{
    struct sha256 *hash;
    if (sha256_new(&hash) < 0)
        return error_set(why, -ENOMEM, "no memory for a hash");
    for (enum part part = 0; part < N_PARTS; part++) {
        for (size_t i = 0; i < source_count(source, part); i++) {
            const char *name = strchr(source_file(source, part, i)->name, '/');
            sha256_add(hash, name, strlen(name) + 1);
        }
        sha256_add(hash, "", 1);
    }
    sha256_hex(hash, ret);
    sha256_free(hash);
    return 0;
}

int job_of_source(const struct source *source, struct job *ret, struct error *why)
{
    struct job job = {.origin = source_origin(source)};
    enum folder_kind kind =
        source_content(source) == CONTENT_SAMPLES ? FOLDER_2NMNIST : FOLDER_SOURCE;
    int r = hash_names(source, job.names_sha256, why);
    if (r < 0)
        return r;
    for (enum part part = 0; part < N_PARTS; part++)
        job.totals[kind][part] = source_count(source, part);
    *ret = job;
    return 0;
}

size_t job_strings(const struct job *job, struct share share, const char *mixed_from,
                   struct job_texts *texts, struct meta ret[JOB_STRINGS_MAX])
{
    const uint64_t(*totals)[N_PARTS] = job->totals;
    snprintf(texts->share, sizeof texts->share, "%u/%u", share.i, share.n);
    snprintf(texts->totals, sizeof texts->totals, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
             totals[FOLDER_SOURCE][PART_TRAIN], totals[FOLDER_SOURCE][PART_TEST],
             totals[FOLDER_2NMNIST][PART_TRAIN], totals[FOLDER_2NMNIST][PART_TEST]);
    metadata_plan(job->plan_seed, texts->plan);
    const struct meta strings[] = {
        {SHARE, texts->share},
        {"kind", SPLIT_KIND_SOURCE}, /* a reader of splits knows no third kind */
        {"sensor", SENSOR_NMNIST},
        {"time_unit", SPLIT_TIME_UNIT},
        {"generator", metadata_generator()},
        {"origin", job->origin},
        {"names_sha256", job->names_sha256},
        {"seed", job->seed},
        {"plan", texts->plan},
        {"order", metadata_order(job->order)},
        {TOTALS, texts->totals},
        {MIXED_FROM, mixed_from},
    };
    _Static_assert(sizeof strings / sizeof *strings <= JOB_STRINGS_MAX, "room for all strings");
    memcpy(ret, strings, sizeof strings);
    return sizeof strings / sizeof *strings;
}

static int read_totals(const char *text, uint64_t ret[N_FOLDER_KINDS][N_PARTS], struct error *why)
{
    enum { N_TOTALS = N_FOLDER_KINDS * N_PARTS };
    struct numbers numbers;
    int r = number_parse_list("its number of samples", text, strlen(text), N_TOTALS, INT32_MAX,
                              &numbers, why);
    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    if (numbers.n == N_TOTALS)
        memcpy(ret, numbers.items, N_TOTALS * sizeof *numbers.items);
    else
        r = error_set(why, -EBADMSG, "its numbers of samples are \"%.64s\"", text);
    free(numbers.items);
    return r;
}

uint64_t job_share_size(const struct job *job, struct share share)
{
    uint64_t n = 0;
    for (enum folder_kind kind = 0; kind < N_FOLDER_KINDS; kind++)
        for (enum part part = 0; part < N_PARTS; part++) {
            struct share_range range = share_range(share, job->totals[kind][part]);
            n += range.end - range.begin;
        }
    return n;
}

int job_read(const struct split *part, struct share share, struct job *ret, struct error *why)
{
    char wanted[JOB_NUMBER_SIZE];
    snprintf(wanted, sizeof wanted, "%u/%u", share.i, share.n);
    if (strcmp(split_meta(part, SHARE), wanted) != 0)
        return error_set(why, -EBADMSG, "it says that it is part \"%.32s\", not %s",
                         split_meta(part, SHARE), wanted);
    struct job job = {.origin = split_meta(part, "origin")};
    snprintf(job.names_sha256, sizeof job.names_sha256, "%s", split_meta(part, "names_sha256"));
    snprintf(job.seed, sizeof job.seed, "%s", split_meta(part, "seed"));
    int r = read_totals(split_meta(part, TOTALS), job.totals, why);
    if (r == 0 && metadata_parse_plan(split_meta(part, "plan"), &job.plan_seed, why) < 0)
        r = -EBADMSG;
    if (r == 0 && metadata_parse_order(split_meta(part, "order"), &job.order, why) < 0)
        r = -EBADMSG;
    if (r == 0 && job_share_size(&job, share) != split_n_samples(part))
        r = error_set(why, -EBADMSG, "it holds %" PRIu64 " samples where it says %" PRIu64,
                      split_n_samples(part), job_share_size(&job, share));
    if (r == 0)
        *ret = job;
    return r;
}

const char *job_mixed_from(const struct split *part)
{
    return split_meta(part, MIXED_FROM);
}

int job_compare(const struct split *part, const struct split *other, struct error *why)
{
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        const char *a = split_meta(part, common[i].key), *b = split_meta(other, common[i].key);
        if (strcmp(a, b) != 0)
            return error_set(why, -EINVAL, "another %s: \"%.80s\", and there \"%.80s\"",
                             common[i].what, a, b);
    }
    return 0;
}
