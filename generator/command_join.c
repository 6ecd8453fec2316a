/* SPDX-License-Identifier: Apache-2.0
 * The command `join`: from the parts that `splits --part` made to the splits. */
#include <errno.h>

#include "generator/commands.h"
#include "generator/making.h"

static int make_source_splits(struct making *making, const char *paths[N_PARTS], struct error *why)
{
    for (enum part part = 0; part < N_PARTS; part++) {
        if (source_count(making->source, part) == 0)
            continue;
        int r = making_source_split(making, part, &paths[part], why);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Before any sample is taken over: were they all mixed from these recordings? */
static int check_source_splits(const struct making *making, const char *const paths[N_PARTS],
                               struct error *why)
{
    struct split *splits[N_PARTS] = {NULL};
    int r = 0;
    for (enum part part = 0; r == 0 && part < N_PARTS; part++)
        if (paths[part])
            r = split_open(paths[part], &splits[part], why);
    if (r == 0)
        r = shares_check_mixed_from(making->shares, (const struct split *const *)splits, why);
    for (enum part part = 0; part < N_PARTS; part++)
        split_close(splits[part]);
    return r;
}

static int make_all(struct making *making, struct error *why)
{
    const char *paths[N_PARTS] = {NULL};
    int r = 0;
    if (source_content(making->source) == CONTENT_RECORDINGS) {
        r = make_source_splits(making, paths, why);
        if (r == 0)
            r = check_source_splits(making, paths, why);
    }
    for (enum part part = 0; r == 0 && part < N_PARTS; part++)
        if (source_count(making->source, part) > 0)
            r = making_split(making, part, paths[part], why);
    return r;
}

static int join(struct making *making, const char *folder, struct error *why)
{
    int r = staging_open(folder, &making->staging, why);
    if (r == 0)
        r = shares_source(making->shares, &making->source, why);
    if (r == 0)
        r = make_all(making, why);
    if (r == -EBADMSG)
        shares_find_damage(making->shares, why);
    if (r == 0)
        r = staging_publish(making->staging, why);
    source_close(making->source);
    staging_close(making->staging);
    return r;
}

static int run(const struct choices *choices, struct error *why)
{
    const char *folder = choices->operands[0];
    struct shares *shares;
    int r = shares_open(folder, &shares, why);
    if (r < 0)
        return r;
    struct choices as_made = *choices;
    as_made.plan_seed = shares_job(shares)->plan_seed;
    as_made.order = shares_job(shares)->order;
    struct making making = {.choices = &as_made, .shares = shares};
    r = join(&making, folder, why);
    if (r == 0)
        summary_print(&making.summary);
    shares_close(shares);
    return r;
}

static const struct option_row options[] = {
    {"jobs", "N", "threads (default: one for each core)", choices_set_jobs, false},
    {0},
};

const struct command command_join = {
    .name = "join",
    .summary = "make the splits from the parts in a folder",
    .operands = {"DIR"},
    .options = options,
    .notes =
        "DIR holds all N parts that \"splits --part I/N\" made of one source, whatever machines\n"
        "made them. Writes the splits beside them, byte for byte what \"splits\" alone would\n"
        "have made. Parts that are missing, damaged or of another run are named, and nothing\n"
        "is written then. The parts stay.\n",
    .run = run,
};
