/* SPDX-License-Identifier: Apache-2.0
 * The strings in a split's header: what it is, what it was made from, and how. */
#include "generator/metadata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "common/split.h"

/* Not the program's version: that would change the digest of every split with every release. To be
 * raised when the same input gives other bytes. */
#define GENERATOR "twonmnist-generate, edition 2"

static const char *const orders[] = {[MIX_TIME] = "time", [MIX_PUBLISHED] = "published"};

#define CITATION_NMNIST                                                                       \
    "N-MNIST: Orchard, Jayawant, Cohen, Thakor: Converting static image datasets to spiking " \
    "neuromorphic datasets using saccades. Front. Neurosci. 9:437 (2015), "                   \
    "doi:10.3389/fnins.2015.00437"
#define CITATION_2NMNIST \
    "2NMNIST: Jurado et al., IJCNN (2023), doi:10.1109/IJCNN54540.2023.10191787"

/* Of the data that was read: N-MNIST as its authors deposited it, and the published archive of its
 * mixtures. The citations are of the papers. */
#define DOI_NMNIST  "10.17632/468j46mzdv.1"
#define DOI_2NMNIST "10.5281/zenodo.7847750"

static const struct {
    const char *origin, *kind, *licence, *doi, *citation;
} rights[] = {
    {ORIGIN_RECORDED, SPLIT_KIND_SOURCE, "CC-BY-SA-4.0", DOI_NMNIST, CITATION_NMNIST},
    {ORIGIN_RECORDED, SPLIT_KIND_2NMNIST, "CC-BY-SA-4.0", DOI_NMNIST,
     CITATION_2NMNIST "; " CITATION_NMNIST},
    {ORIGIN_PUBLISHED, SPLIT_KIND_2NMNIST, "CC-BY-SA-4.0", DOI_2NMNIST,
     CITATION_2NMNIST "; " CITATION_NMNIST},
    {ORIGIN_SYNTHETIC, SPLIT_KIND_SOURCE, "Apache-2.0", NULL,
     "Synthetic: simulated by twonmnist-generate, not recorded; a stand-in for N-MNIST"},
    {ORIGIN_SYNTHETIC, SPLIT_KIND_2NMNIST, "Apache-2.0", NULL,
     "Synthetic: mixed by twonmnist-generate from simulated recordings; a stand-in for "
     "2NMNIST"},
};

size_t metadata_strings(const struct metadata *metadata, struct meta ret[METADATA_MAX])
{
    const char *licence = NULL, *doi = NULL, *citation = NULL;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (strcmp(rights[i].origin, metadata->origin) == 0 &&
            strcmp(rights[i].kind, metadata->kind) == 0) {
            licence = rights[i].licence;
            doi = rights[i].doi;
            citation = rights[i].citation;
        }
    const struct meta all[] = {
        {"split", part_splits[metadata->part]},
        {"kind", metadata->kind},
        {"sensor", SENSOR_NMNIST},
        {"time_unit", SPLIT_TIME_UNIT},
        {"plan", metadata->plan},
        {"order", metadata->order},
        {"origin", metadata->origin},
        {"source_sha256", metadata->source_sha256},
        {"licence", licence},
        {"doi", doi},
        {"citation", citation},
        {"generator", GENERATOR},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value)
            ret[n++] = all[i];
    return n;
}

const char *metadata_generator(void)
{
    return GENERATOR;
}

void metadata_plan(uint32_t seed, char ret[METADATA_PLAN_SIZE])
{
    if (seed == PLAN_PUBLISHED_SEED)
        snprintf(ret, METADATA_PLAN_SIZE, "published");
    else
        snprintf(ret, METADATA_PLAN_SIZE, "%" PRIu32, seed);
}

int metadata_parse_plan(const char *text, uint32_t *ret_seed, struct error *why)
{
    uint64_t seed = PLAN_PUBLISHED_SEED;
    if (strcmp(text, "published") != 0 &&
        number_parse("", text, strlen(text), 0, UINT32_MAX, &seed, NULL) < 0)
        return error_set(why, -EINVAL, "\"%s\" is neither \"published\" nor a seed from 0 to %u",
                         text, UINT32_MAX);
    *ret_seed = (uint32_t)seed;
    return 0;
}

const char *metadata_order(enum mix_order order)
{
    return orders[order];
}

int metadata_parse_order(const char *text, enum mix_order *ret, struct error *why)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(text, orders[i]) == 0) {
            *ret = (enum mix_order)i;
            return 0;
        }
    return error_set(why, -EINVAL, "\"%s\" is neither \"time\" nor \"published\"", text);
}
