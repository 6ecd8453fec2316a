/* SPDX-License-Identifier: Apache-2.0
 * Makes the splits of a run in a staging folder, and counts them. */
#include "generator/making.h"

#include <errno.h>
#include <inttypes.h>

#include "generator/folder.h"
#include "generator/mixed_split.h"
#include "generator/progress.h"
#include "generator/published_split.h"
#include "generator/source_split.h"

int making_source_split(struct making *making, enum part part, const char **ret_path,
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

/* A sample that is mixed already, if it is the one that the plan wants. */
static int take_mixed(const void *user, enum part part, uint64_t i, const struct plan_row *row,
                      struct buffer *out, struct error *why)
{
    const struct shares *shares = user;
    uint64_t n = shares_job(shares)->totals[FOLDER_2NMNIST][part];
    if (i >= n)
        return error_set(why, -EINVAL, "the parts have %" PRIu64 " samples; the plan has more", n);
    const int32_t *sources = shares_sample(shares, FOLDER_2NMNIST, part, i).sources;
    if (sources[0] != row->a || sources[1] != row->b)
        return error_set(why, -EINVAL,
                         "sample %" PRIu64 ": it was mixed from %" PRId32 ", %" PRId32
                         "; the plan wants %" PRId32 ", %" PRId32,
                         i, sources[0], sources[1], row->a, row->b);
    return shares_read(shares, FOLDER_2NMNIST, part, i, out, why);
}

int making_split(struct making *making, enum part part, const char *source_path, struct error *why)
{
    const struct choices *choices = making->choices;
    const struct mixed_split how = {
        .part = part,
        .plan_seed = choices->plan_seed,
        .order = choices->order,
        .n_threads = choices->n_jobs,
        .label = folder_split_name(FOLDER_2NMNIST, part),
        .take_mixed = making->shares ? take_mixed : NULL,
        .user = making->shares,
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
