/* SPDX-License-Identifier: Apache-2.0
 * The command `splits`: from a source to source splits and 2NMNIST splits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/split.h"
#include "generator/commands.h"
#include "generator/folder.h"
#include "generator/making.h"
#include "generator/metadata.h"
#include "generator/progress.h"
#include "generator/share_write.h"
#include "generator/whole.h"

static bool is_synthetic(const struct choices *choices)
{
    return strcmp(choices->from, "synthetic") == 0;
}

static int check(const struct choices *choices, struct error *why)
{
    if (choices->synthetic_given && !is_synthetic(choices))
        return error_set(why, -EINVAL, "--count and --seed are for \"--from synthetic\" alone");
    return 0;
}

static int open_source(struct making *making, struct error *why)
{
    const struct choices *choices = making->choices;
    int r = is_synthetic(choices)
                ? source_open_synthetic(choices->counts, choices->seed, &making->source, why)
                : source_open_files(choices->from, staging_folder(making->staging), &making->source,
                                    why);
    if (r == 0 && source_content(making->source) == CONTENT_SAMPLES && choices->plan_given)
        return error_set(why, -EINVAL,
                         "--plan: the samples of the published archive are mixed already");
    return r;
}

static void say_what_is_missing(const struct source *source)
{
    for (enum part part = 0; part < N_PARTS; part++)
        if (source_count(source, part) == 0)
            fprintf(stderr, "There is no %s here: only %s is made.\n", part_folders[part],
                    part_splits[N_PARTS - 1 - part]);
}

/* A set of another size is another data set, which is not to pass for N-MNIST by mistake. */
static int check_whole(const struct making *making, struct error *why)
{
    enum folder_kind kind =
        source_content(making->source) == CONTENT_SAMPLES ? FOLDER_2NMNIST : FOLDER_SOURCE;
    bool whole = true;
    if (strcmp(source_origin(making->source), ORIGIN_SYNTHETIC) == 0)
        return 0;
    for (enum part part = 0; part < N_PARTS; part++) {
        struct error differences;
        struct whole_count count = whole_count_listing(source_listing(making->source), part);
        if (count.n_samples == 0 || whole_check(&count, kind, part, &differences) == 0)
            continue;
        fprintf(stderr, "%s\n", differences.text);
        whole = false;
    }
    if (whole || making->choices->allow_partial)
        return 0;
    return error_set(why, -ENODATA, "%s: it is not whole; --allow-partial takes what is there",
                     making->choices->from);
}

static int make_all(struct making *making, struct error *why)
{
    bool mixed = source_content(making->source) == CONTENT_SAMPLES;
    int r;
    for (enum part part = 0; part < N_PARTS; part++) {
        if (source_count(making->source, part) == 0)
            continue;
        const char *source_path = NULL;
        r = mixed ? 0 : making_source_split(making, part, &source_path, why);
        if (r == 0)
            r = making_split(making, part, source_path, why);
        if (r < 0)
            return r;
    }
    r = staging_publish(making->staging, why);
    if (r == 0)
        summary_print(&making->summary);
    return r;
}

/* One part of all that, in a file of its own. */
static int make_share(struct making *making, struct error *why)
{
    const struct choices *choices = making->choices;
    const struct share_how how = {
        .share = choices->share,
        .plan_seed = choices->plan_seed,
        .order = choices->order,
        .seed = is_synthetic(choices) ? &choices->seed : NULL,
        .n_threads = choices->n_jobs,
    };
    double started_s = progress_clock_s();
    char name[SHARE_NAME_SIZE], number[PROGRESS_NUMBER_SIZE];
    const char *path;
    uint64_t n;
    share_file_name(how.share, name);
    int r = staging_add(making->staging, name, &path, why);
    if (r == 0)
        r = share_write(&how, making->source, path, &n, why);
    if (r == 0 && n > 0)
        r = staging_publish(making->staging, why);
    if (r < 0)
        return r;
    if (n > 0)
        printf("%s  %s recordings and samples  %.2f seconds\n", name, progress_number(n, number),
               progress_clock_s() - started_s);
    else
        printf("%s is not needed: there are fewer samples than parts\n", name);
    return 0;
}

static int make(struct making *making, struct error *why)
{
    say_what_is_missing(making->source);
    int r = check_whole(making, why);
    if (r < 0)
        return r;
    return making->choices->share.n > 0 ? make_share(making, why) : make_all(making, why);
}

static int run(const struct choices *choices, struct error *why)
{
    struct making making = {.choices = choices};
    int r = staging_open(choices->out, &making.staging, why);
    if (r == 0)
        r = open_source(&making, why);
    if (r == 0)
        r = make(&making, why);
    source_close(making.source);
    staging_close(making.staging);
    return r;
}

static const struct option_row options[] = {
    {"from", "PATH",
     "where the recordings are: a folder with Train and Test folders or with\n"
     "Train.zip and Test.zip (N-MNIST), in lower case as well; 2nmnist.zip, its folder or an "
     "exported\n"
     "tree (the published 2NMNIST); or the word \"synthetic\" (simulated)",
     choices_set_from, true},
    {"out", "DIR", "the folder for the splits, made where it is missing", choices_set_out, true},
    {"plan", "published|SEED",
     "who is mixed with whom: as in the published archive (default),\n"
     "or another, equally reproducible plan",
     choices_set_plan, false},
    {"order", "time|published",
     "merge the two digits by time and drop equal events (default), or leave\n"
     "them one behind the other as in the published archive",
     choices_set_order, false},
    {"part", "I/N",
     "make part I of N alone, in a file of its own; \"join\" makes the\n"
     "splits of all N",
     choices_set_part, false},
    {"allow-partial", NULL, "take a source that has other numbers of recordings than N-MNIST",
     choices_allow_partial, false},
    {"jobs", "N", "threads (default: one for each core); the result is the same", choices_set_jobs,
     false},
    {"count", "TRAIN,TEST", "synthetic: how many recordings (default: 60000,10000)",
     choices_set_count, false},
    {"seed", "N", "synthetic: another N, other recordings (default: 0)", choices_set_seed, false},
    {0},
};

const struct command command_splits = {
    .name = "splits",
    .summary = "make source splits and 2NMNIST splits from recordings",
    .options = options,
    .notes =
        "Writes nmnist-train, nmnist-test (the recordings) and train, test (the samples), each\n"
        "a .safetensors file. Splits that are there already are replaced only when all is\n"
        "done. One of Train and Test alone is enough, if it is whole. With --part writes\n"
        "splits-I-of-N.part instead; all N may be made at once, and on several machines.\n",
    .check = check,
    .run = run,
};
