/* SPDX-License-Identifier: Apache-2.0
 * The command `check`: all that is wrong with a source at once, with nothing written. */
#include <errno.h>
#include <stdio.h>

#include "generator/commands.h"
#include "generator/pipeline.h"
#include "generator/progress.h"
#include "generator/source.h"
#include "generator/source_search.h"
#include "generator/whole.h"

struct checking {
    const struct search *search;
    enum part part;
    struct faults *faults;
};

/* Files in archives were checked while the archive was read. */
static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct checking *checking = user;
    const struct listing_file *file = &checking->search->listing.parts[checking->part].files[i];
    (void)worker;
    if (file->spooled)
        return 0;
    int r = source_read_file(checking->search->root, file, &item->raw, &item->fault);
    if (r == 0)
        r = source_check_file(file, &item->raw, &item->fault);
    if (r == -ENOMEM)
        return error_set(why, r, "%s", item->fault.text);
    return 0;
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    struct checking *checking = user;
    (void)i;
    (void)why;
    struct error fault = item->fault;
    if (fault.text[0])
        faults_add(checking->faults, &fault);
    return 0;
}

static int check_files(struct checking *checking, const struct choices *choices, struct error *why)
{
    const struct listing *listing = &checking->search->listing;
    const struct pipeline pipeline = {
        .label = part_folders[checking->part],
        .n_items = listing->parts[checking->part].n,
        .n_threads = choices->n_jobs,
        .user = checking,
        .make = make,
        .take = take,
    };
    for (size_t i = 0; i < pipeline.n_items; i++) {
        struct error fault;
        if (listing_check(listing, checking->part, i, &fault) < 0)
            faults_add(checking->faults, &fault);
    }
    return pipeline_run(&pipeline, why);
}

/* Exported samples of a simulation are as many as they are. */
static void check_whole(const struct checking *checking, const struct choices *choices)
{
    const struct listing *listing = &checking->search->listing;
    bool mixed = listing->content == CONTENT_SAMPLES;
    struct whole_count count = whole_count_listing(listing, checking->part);
    struct error fault = {0};
    char number[PROGRESS_NUMBER_SIZE];
    if (!(mixed && checking->search->marked))
        whole_check(&count, mixed ? FOLDER_2NMNIST : FOLDER_SOURCE, checking->part, &fault);
    if (fault.text[0] && !choices->allow_partial)
        faults_add(checking->faults, &fault);
    else if (fault.text[0])
        printf("%s\n", fault.text);
    else
        printf("%s is whole: %s %s\n", part_folders[checking->part],
               progress_number(count.n_samples, number), mixed ? "samples" : "recordings");
}

static int check_all(struct search *search, const struct choices *choices, struct error *why)
{
    int r = search_run(search, choices->operands[0], why);
    if (r < 0)
        return r;
    listing_sort(&search->listing, NULL); /* its faults are asked for one by one */
    for (enum part part = 0; r == 0 && part < N_PARTS; part++) {
        struct checking checking = {search, part, search->faults};
        if (search->listing.parts[part].n == 0)
            continue;
        r = check_files(&checking, choices, why);
        if (r == 0)
            check_whole(&checking, choices);
    }
    return r;
}

static int run(const struct choices *choices, struct error *why)
{
    struct faults faults = {0};
    struct search search = {.faults = &faults};
    int r = check_all(&search, choices, why);
    search_free(&search);
    faults_end(&faults);
    if (r < 0 || faults.n == 0)
        return r;
    char number[PROGRESS_NUMBER_SIZE];
    return error_set(why, -EBADMSG, "%s: %s fault%s", choices->operands[0],
                     progress_number(faults.n, number), faults.n == 1 ? "" : "s");
}

static const struct option_row options[] = {
    {"allow-partial", NULL, "a source that is not whole is none the worse", choices_allow_partial,
     false},
    {"jobs", "N", "threads (default: one for each core)", choices_set_jobs, false},
    {0},
};

const struct command command_check = {
    .name = "check",
    .summary = "list all that is wrong with a source of recordings",
    .operands = {"PATH"},
    .options = options,
    .notes =
        "Reads what \"splits --from PATH\" would, and writes nothing. Shows the first 100 faults\n"
        "and how many more there are, and exits with 1 if there is one.\n",
    .run = run,
};
