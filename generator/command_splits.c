/* SPDX-License-Identifier: Apache-2.0
 * The command `splits`: from a source to source splits and 2NMNIST splits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/split.h"
#include "generator/commands.h"
#include "generator/folder.h"
#include "generator/metadata.h"
#include "generator/mixed_split.h"
#include "generator/progress.h"
#include "generator/published_split.h"
#include "generator/source.h"
#include "generator/source_split.h"
#include "generator/staging.h"
#include "generator/summary.h"
#include "generator/whole.h"

struct making {
    const struct choices *choices;
    struct source *source;
    struct staging *staging;
    struct summary summary;
};

static int make_source_split(struct making *making, enum part part, const char **ret_path,
                             struct error *why)
{
    const char *name = folder_split_name(FOLDER_SOURCE, part);
    double started_s = progress_clock_s();
    int r = staging_add(making->staging, folder_file_name(FOLDER_SOURCE, part), ret_path, why);
    if (r == 0)
        r = source_split_write(making->source, part, making->choices->n_jobs, name, *ret_path, why);
    return r < 0 ? r
                 : summary_add(&making->summary, name, *ret_path, progress_clock_s() - started_s,
                               why);
}

/* Mix the samples from a source split, or take them over where `source_path` is NULL. */
static int make_split(struct making *making, enum part part, const char *source_path,
                      struct error *why)
{
    const struct choices *choices = making->choices;
    const struct mixed_split how = {
        .part = part,
        .plan_seed = choices->plan_seed,
        .order = choices->order,
        .n_threads = choices->n_jobs,
        .label = folder_split_name(FOLDER_2NMNIST, part),
    };
    double started_s = progress_clock_s();
    const char *path;
    int r = staging_add(making->staging, folder_file_name(FOLDER_2NMNIST, part), &path, why);
    if (r == 0)
        r = source_path ? mixed_split_write(&how, source_path, path, why)
                        : published_split_write(making->source, part, how.order, how.n_threads,
                                                how.label, path, why);
    return r < 0 ? r
                 : summary_add(&making->summary, how.label, path, progress_clock_s() - started_s,
                               why);
}

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
    say_what_is_missing(making->source);
    int r = check_whole(making, why);
    if (r < 0)
        return r;
    for (enum part part = 0; part < N_PARTS; part++) {
        if (source_count(making->source, part) == 0)
            continue;
        const char *source_path = NULL;
        r = mixed ? 0 : make_source_split(making, part, &source_path, why);
        if (r == 0)
            r = make_split(making, part, source_path, why);
        if (r < 0)
            return r;
    }
    return staging_publish(making->staging, why);
}

static int run(const struct choices *choices, struct error *why)
{
    struct making making = {.choices = choices};
    int r = staging_open(choices->out, &making.staging, why);
    if (r == 0)
        r = open_source(&making, why);
    if (r == 0)
        r = make_all(&making, why);
    source_close(making.source);
    staging_close(making.staging);
    if (r == 0)
        summary_print(&making.summary);
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
        "done. One of Train and Test alone is enough, if it is whole.\n",
    .check = check,
    .run = run,
};
