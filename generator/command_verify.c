/* SPDX-License-Identifier: Apache-2.0
 * The command `verify`: is every split in a folder what it should be? */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clean.h"
#include "common/sha256.h"
#include "generator/check.h"
#include "generator/commands.h"
#include "generator/folder.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/progress.h"
#include "generator/whole.h"

enum { MAX_SHOWN = 10, MAX_SPLITS = N_FOLDER_KINDS * N_PARTS };

/* The lines at the end, by which two laboratories see whether they have the same. */
struct digests {
    struct digest {
        const char *name;
        char revision[SHA256_HEX + 1];
        char about[160];
    } rows[MAX_SPLITS];
    unsigned n;
};

struct verification {
    const struct choices *choices;
    const char *name;
    struct check check;
    struct split *source;
    const char *unchecked; /* why the mix could not be checked, or NULL */
    uint64_t n_faults;
};

static void show_fault(struct verification *v, struct error *fault)
{
    if (v->n_faults++ == 0)
        printf("%-13s FAULTY\n", v->name);
    clean_line(fault->text); /* it may show strings of the file's header */
    if (v->n_faults <= MAX_SHOWN)
        printf("  %s\n", fault->text);
}

static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct verification *v = user;
    return check_sample(&v->check, i, worker, &item->raw, &item->events, &item->fault, why);
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    struct verification *v = user;
    (void)why;
    if (item->fault.text[0]) {
        struct error line = item->fault;
        error_prefix(&line, 0, "sample %" PRIu64, i);
        show_fault(v, &line);
    }
    return 0;
}

/* Is the source split beside it the one it was mixed from, and does the plan have as many samples?
 * Where not, *fault says so, and the samples cannot be held against it. */
static int prepare_recordings(struct verification *v, struct error *fault, struct error *why)
{
    struct check *check = &v->check;
    uint32_t seed;
    if (metadata_parse_plan(split_meta(check->split, "plan"), &seed, fault) < 0)
        return error_prefix(fault, 0, "its metadata's plan");
    if (recordings_new(v->source, &check->recordings, fault) < 0)
        return error_prefix(fault, 0, "its source split");
    if (recordings_check_source(&check->recordings, check->split, fault) < 0)
        return 0;
    size_t n_rows;
    int r = recordings_plan(&check->recordings, seed, &check->rows, &n_rows, why);
    if (r == 0 && n_rows != split_n_samples(check->split))
        error_set(fault, 0, "it has %" PRIu64 " samples; by the plan there are %zu",
                  split_n_samples(check->split), n_rows);
    return r;
}

static int prepare(struct verification *v, enum part part, struct error *fault, struct error *why)
{
    const struct split *split = v->check.split;
    if (strcmp(split_meta(split, "kind"), SPLIT_KIND_SOURCE) == 0)
        return 0;
    if (metadata_parse_order(split_meta(split, "order"), &v->check.order, fault) < 0)
        return error_prefix(fault, 0, "its metadata's order");
    if (!*split_meta(split, "source_sha256")) {
        v->unchecked = "from the published archive: there is no source split to mix it from";
        return 0;
    }
    int r = folder_open_split(v->choices->operands[0], FOLDER_SOURCE, part, &v->source, why);
    if (r == -ENOENT) {
        v->unchecked = "its source split is not in this folder";
        return 0;
    }
    if (r < 0)
        return error_set(fault, 0, "its source split is damaged, see there");
    return prepare_recordings(v, fault, why);
}

static int check_samples(struct verification *v, struct error *why)
{
    const struct pipeline pipeline = {
        .label = v->name,
        .n_items = split_n_samples(v->check.split),
        .n_threads = v->choices->n_jobs,
        .user = v,
        .worker_new = recordings_worker_new,
        .worker_free = recordings_worker_free,
        .make = make,
        .take = take,
    };
    return pipeline_run(&pipeline, why);
}

static void show_end(const struct verification *v)
{
    if (v->n_faults > MAX_SHOWN)
        printf("  ... and %" PRIu64 " more\n", v->n_faults - MAX_SHOWN);
    if (v->n_faults > 0)
        return;
    char number[PROGRESS_NUMBER_SIZE];
    printf("%-13s ok  %9s samples: header, data, index, checksums, events, labels%s\n", v->name,
           progress_number(split_n_samples(v->check.split), number),
           v->check.recordings.source ? ", plan, mix" : "");
    if (v->unchecked)
        printf("  the mix could not be checked: %s\n", v->unchecked);
}

/* The hash of all data, which has to be made from its beginning to its end: beside the samples,
 * where there may be more than one thread. */
struct whole {
    const struct split *split;
    struct error fault, why;
    int result;
    pthread_t thread;
    bool has_thread;
};

static void *hash_whole(void *user)
{
    struct whole *whole = user;
    whole->result = check_data(whole->split, &whole->fault, &whole->why);
    return NULL;
}

static void begin_whole(struct whole *whole, const struct verification *v)
{
    *whole = (struct whole){.split = v->check.split};
    whole->has_thread =
        v->choices->n_jobs != 1 && pthread_create(&whole->thread, NULL, hash_whole, whole) == 0;
}

/* After the samples: what is wrong with one of them says more than that the whole is. */
static int end_whole(struct whole *whole, struct verification *v, struct error *why)
{
    if (whole->has_thread)
        pthread_join(whole->thread, NULL);
    else
        hash_whole(whole);
    if (whole->result < 0)
        *why = whole->why;
    else if (whole->fault.text[0])
        show_fault(v, &whole->fault);
    return whole->result;
}

static int check_all(struct verification *v, struct error *why)
{
    struct whole whole;
    struct error samples_why;
    begin_whole(&whole, v);
    int samples = check_samples(v, &samples_why), r = end_whole(&whole, v, why);
    if (samples < 0)
        *why = samples_why;
    return samples < 0 ? samples : r;
}

static void describe(const struct split *split, enum folder_kind kind, enum part part, char *ret,
                     size_t size)
{
    bool mixed = kind == FOLDER_2NMNIST;
    const char *what, *plan = split_meta(split, "plan");
    struct whole_count count = whole_count_split(split);
    if (strcmp(split_meta(split, "origin"), ORIGIN_SYNTHETIC) == 0)
        what = "synthetic";
    else if (mixed && strcmp(plan, "published") != 0)
        what = "of N-MNIST";
    else if (whole_check(&count, kind, part, NULL) == 0)
        what = mixed ? "all of 2NMNIST" : "all of N-MNIST";
    else
        what = mixed ? "NOT all of 2NMNIST" : "NOT all of N-MNIST";
    snprintf(ret, size, mixed ? "%s, plan %.20s, order %.20s" : "%s", what, plan,
             split_meta(split, "order"));
}

static void digests_add(struct digests *digests, const struct split *split, enum folder_kind kind,
                        enum part part)
{
    struct digest *row = &digests->rows[digests->n++];
    row->name = folder_split_name(kind, part);
    snprintf(row->revision, sizeof row->revision, "%s", split_revision(split));
    describe(split, kind, part, row->about, sizeof row->about);
}

static void digests_show(const struct digests *digests)
{
    if (digests->n > 0)
        printf("Revisions, the same wherever the same splits were made:\n");
    for (unsigned i = 0; i < digests->n; i++)
        printf("%-13s %s  %s\n", digests->rows[i].name, digests->rows[i].revision,
               digests->rows[i].about);
}

/* Returns -EBADMSG where it found faults, which are then shown. */
static int verify_split(const struct choices *choices, enum folder_kind kind, enum part part,
                        struct digests *digests, struct error *why)
{
    struct verification v = {.choices = choices, .name = folder_split_name(kind, part)};
    struct error fault = {0};
    struct split *split = NULL;
    int r = folder_open_split(choices->operands[0], kind, part, &split, &fault);
    if (r == -ENOENT)
        return r;
    v.check.split = split;
    r = r < 0 ? 0 : prepare(&v, part, &fault, why);
    if (r == 0 && fault.text[0])
        show_fault(&v, &fault);
    /* Without its plan a sample can still be held against its own checksum. */
    if (fault.text[0]) {
        recordings_free(&v.check.recordings);
        v.unchecked = NULL;
    }
    if (r == 0 && split)
        r = check_all(&v, why);
    if (r == 0)
        show_end(&v);
    if (r == 0 && v.n_faults == 0)
        digests_add(digests, split, kind, part);
    free(v.check.rows);
    recordings_free(&v.check.recordings);
    split_close(v.source);
    split_close(split);
    return r == 0 && v.n_faults > 0 ? -EBADMSG : r;
}

static int run(const struct choices *choices, struct error *why)
{
    const char *folder = choices->operands[0];
    unsigned n_found = 0, n_faulty = 0;
    struct digests digests = {.n = 0};
    int r = folder_check(folder, why);
    if (r < 0)
        return r;
    for (enum folder_kind kind = 0; kind < N_FOLDER_KINDS; kind++)
        for (enum part part = 0; part < N_PARTS; part++) {
            r = verify_split(choices, kind, part, &digests, why);
            if (r == -ENOENT)
                continue;
            if (r < 0 && r != -EBADMSG)
                return r;
            n_found++;
            n_faulty += r < 0;
            fflush(stdout);
        }
    digests_show(&digests);
    if (n_found == 0)
        return error_set(why, -ENOENT, "%s: there is no split in it (train%s, nmnist-train%s, ...)",
                         folder, SPLIT_SUFFIX, SPLIT_SUFFIX);
    return n_faulty == 0 ? 0
                         : error_set(why, -EBADMSG, "%s: %u of %u splits are faulty", folder,
                                     n_faulty, n_found);
}

static const struct option_row options[] = {
    {"jobs", "N", "threads (default: one for each core)", choices_set_jobs, false},
    {0},
};

const struct command command_verify = {
    .name = "verify",
    .summary = "check every sample of the splits in a folder",
    .operands = {"DIR"},
    .options = options,
    .notes =
        "Checks header, index, every checksum, the events, labels against sources, that each\n"
        "sample is what the plan and the source split say, and the SHA-256 of all data. Shows\n"
        "the first 10 faults of each split, and exits with 1 if there is one. Ends with the\n"
        "revision of each good split, the same wherever it was made from the same recordings.\n",
    .run = run,
};
