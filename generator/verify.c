/* SPDX-License-Identifier: Apache-2.0
 * The command `verify`: every checksum, every label, and every mix made once more. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "generator/commands.h"
#include "generator/folder.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/recipe.h"

enum { MAX_SHOWN = 10 };

/* One split under examination. */
struct job {
    const char *name;
    const struct split *split;
    bool is_source;
    bool mixed_here; /* its source is in the folder too: recipe, rows and order hold */
    struct recipe recipe;
    struct plan_row *rows;
    size_t n_rows;
    enum mix_order order;
    uint64_t n_faults;
};

static int check_checksum(const struct sample *sample, struct error *fault)
{
    uint32_t crc = crc32c(0, sample->events.bytes, sample->events.n_events * EVENT_BYTES);
    if (crc == sample->checksum)
        return 0;
    return error_set(fault, -EBADMSG,
                     "the checksum of its events is %08" PRIx32 "; the index says %08" PRIx32, crc,
                     sample->checksum);
}

/* What has no source here must at least be events in order. */
static int check_events(const struct job *job, const struct sample *sample, struct work_item *item,
                        struct error *fault)
{
    unsigned n_digits = 0;
    for (unsigned digit = 0; digit < N_DIGITS; digit++)
        n_digits += sample->labels[digit];
    if (n_digits < 1 || n_digits > (job->is_source ? 1 : 2))
        return error_set(fault, -EBADMSG, "it has %u labels", n_digits);
    size_t size = sample->events.n_events * EVENT_BYTES, n_events;
    if (buffer_assign(&item->events, sample->events.bytes, size) < 0)
        return error_set(fault, -ENOMEM, "no memory for %zu bytes", size);
    return event_check(item->events.bytes, size, n_digits - 1, &n_events, fault);
}

static int check_mix(const struct job *job, uint64_t i, const struct sample *sample,
                     struct mixer *mixer, struct work_item *item, struct error *fault)
{
    const struct plan_row row = {sample->sources[0], sample->sources[1]};
    int r = recipe_check_row(&job->recipe, &row, fault);
    if (r < 0)
        return r;
    if (row.a != job->rows[i].a || row.b != job->rows[i].b)
        return error_set(fault, -EBADMSG,
                         "its sources are %" PRId32 ", %" PRId32 "; the plan says %" PRId32
                         ", %" PRId32,
                         row.a, row.b, job->rows[i].a, job->rows[i].b);
    uint8_t labels[N_DIGITS];
    recipe_labels(&job->recipe, &row, labels);
    if (memcmp(labels, sample->labels, N_DIGITS) != 0)
        return error_set(fault, -EBADMSG, "its labels are not those of its sources");
    r = recipe_mix(&job->recipe, &row, mixer, job->order, &item->events, fault);
    if (r < 0)
        return r;
    if (item->events.size != sample->events.n_events * EVENT_BYTES ||
        memcmp(item->events.bytes, sample->events.bytes, item->events.size) != 0)
        return error_set(fault, -EBADMSG, "its events are not the mix of its sources");
    return 0;
}

static int make(void *context, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct job *job = context;
    struct sample sample = split_sample(job->split, i);
    (void)why;
    item->fault.text[0] = '\0';
    if (check_checksum(&sample, &item->fault) < 0)
        return 0;
    if (job->mixed_here)
        check_mix(job, i, &sample, worker, item, &item->fault);
    else
        check_events(job, &sample, item, &item->fault);
    return 0;
}

static int take(void *context, uint64_t i, const struct work_item *item, struct error *why)
{
    struct job *job = context;
    (void)why;
    if (item->fault.text[0] && job->n_faults++ < MAX_SHOWN)
        printf("%s: sample %" PRIu64 ": %s\n", job->name, i, item->fault.text);
    return 0;
}

/* Find out what the split should hold; says what is wrong with it as a whole. */
static int prepare(struct job *job, const struct split *source, struct error *why)
{
    uint32_t seed;
    int r = metadata_parse_plan(split_meta(job->split, "plan"), &seed, why);
    if (r == 0)
        r = metadata_parse_order(split_meta(job->split, "order"), &job->order, why);
    if (r == 0)
        r = recipe_new(source, &job->recipe, why);
    if (r == 0)
        r = recipe_plan(&job->recipe, seed, &job->rows, &job->n_rows, why);
    if (r == 0 && job->n_rows != split_n_samples(job->split))
        r = error_set(why, -EBADMSG, "it has %" PRIu64 " samples; its plan has %zu",
                      split_n_samples(job->split), job->n_rows);
    return r;
}

static const char *what_was_checked(const struct job *job)
{
    if (job->mixed_here)
        return "checksums, labels, plan and mixes";
    if (job->is_source)
        return "checksums, labels and events";
    return "checksums, labels and events; its source is not here, so not its mixes";
}

static int verify_split(struct job *job, const struct split *source, unsigned n_threads,
                        struct error *why)
{
    job->is_source = strcmp(split_meta(job->split, "kind"), SPLIT_KIND_SOURCE) == 0;
    job->mixed_here = source != NULL;
    struct error whole = {0};
    if (source && prepare(job, source, &whole) < 0) {
        printf("%s: %s\n", job->name, whole.text);
        job->n_faults = 1;
        return 0;
    }
    const struct pipeline pipeline = {
        .label = job->name,
        .n_items = split_n_samples(job->split),
        .n_threads = n_threads,
        .context = job,
        .worker_new = recipe_worker_new,
        .worker_free = recipe_worker_free,
        .make = make,
        .take = take,
    };
    int r = pipeline_run(&pipeline, why);
    if (r == 0 && job->n_faults == 0)
        printf("%s: %" PRIu64 " samples are sound (%s)\n", job->name, pipeline.n_items,
               what_was_checked(job));
    else if (r == 0)
        printf("%s: %" PRIu64 " of %" PRIu64 " samples are at fault\n", job->name, job->n_faults,
               pipeline.n_items);
    return r;
}

static int run(const struct settings *settings, struct error *why)
{
    struct folder folder;
    uint64_t n_faults = 0;
    int r = folder_open(settings->operands[0], &folder, why);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < folder.n; i++) {
        struct job job = {.name = folder.splits[i].name, .split = folder.splits[i].split};
        r = verify_split(&job, folder_source(&folder, job.split), settings->n_jobs, why);
        n_faults += job.n_faults;
        free(job.rows);
        recipe_free(&job.recipe);
    }
    folder_close(&folder);
    if (r == 0 && n_faults > 0)
        r = error_set(why, -EBADMSG, "%s: %" PRIu64 " faults", settings->operands[0], n_faults);
    return r;
}

static const struct option_row options[] = {
    {"jobs", "N", "threads (default: one for each core)", settings_parse_jobs, false},
    {0},
};

const struct command command_verify = {
    .name = "verify",
    .summary = "check splits against their checksums, plan and source",
    .operands = {"DIR"},
    .options = options,
    .notes = "Exit status 1 and the first faults by sample where something is wrong.\n",
    .run = run,
};
