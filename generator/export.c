/* SPDX-License-Identifier: Apache-2.0
 * The command `export`: the file tree of the published archive, byte for byte as its authors'
 * generator writes it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "generator/commands.h"
#include "generator/folder.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/recipe.h"

enum { REMOVE_DESCRIPTORS = 16 };

static const char tree[] = "2nmnist";

struct job {
    const struct split *split;
    struct recipe recipe;
    int folder; /* where the files go */
};

static struct plan_row row_of(const struct job *job, uint64_t i)
{
    const int32_t *sources = split_sample(job->split, i).sources;
    return (struct plan_row){sources[0], sources[1]};
}

static int make(void *context, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct job *job = context;
    const struct plan_row row = row_of(job, i);
    int r = recipe_check_row(&job->recipe, &row, why);
    if (r == 0)
        r = recipe_mix(&job->recipe, &row, worker, MIX_PUBLISHED, &item->events, why);
    return r < 0 ? error_prefix(why, r, "sample %" PRIu64, i) : 0;
}

static int write_file(int folder, const char *name, const struct buffer *bytes, struct error *why)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(why, -errno, "%s: %s", name, strerror(errno));
    size_t written = 0;
    ssize_t n = 0;
    while (written < bytes->size && n >= 0) {
        n = write(fd, bytes->bytes + written, bytes->size - written);
        if (n < 0 && errno == EINTR)
            n = 0;
        written += n > 0 ? (size_t)n : 0;
    }
    int r = n < 0 ? error_set(why, -errno, "%s: cannot write: %s", name, strerror(errno)) : 0;
    if (close(fd) < 0 && r == 0)
        r = error_set(why, -errno, "%s: cannot write: %s", name, strerror(errno));
    return r;
}

static int take(void *context, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct job *job = context;
    const struct plan_row row = row_of(job, i);
    char name[PLAN_NAME_SIZE];
    plan_name(name, i, &row, job->recipe.digits);
    return write_file(job->folder, name, &item->events, why);
}

static int export_split(struct job *job, const char *label, unsigned n_threads, struct error *why)
{
    const struct pipeline pipeline = {
        .label = label,
        .n_items = split_n_samples(job->split),
        .n_threads = n_threads,
        .context = job,
        .worker_new = recipe_worker_new,
        .worker_free = recipe_worker_free,
        .make = make,
        .take = take,
    };
    return pipeline_run(&pipeline, why);
}

/* Make data/<part> below the tree that is being written. Returns a descriptor. */
static int make_part_folder(const char *root, enum part part, struct error *why)
{
    char *data = NULL, *folder = NULL;
    int fd = -1;
    if (asprintf(&data, "%s/data", root) < 0)
        data = NULL;
    else if (asprintf(&folder, "%s/%s", data, part_folders[part]) < 0)
        folder = NULL;
    if (!data || !folder)
        error_set(why, -ENOMEM, "no memory for a path");
    else if ((mkdir(data, 0777) < 0 && errno != EEXIST) || mkdir(folder, 0777) < 0 ||
             (fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        error_set(why, -errno, "%s: %s", folder, strerror(errno));
    int r = fd >= 0 ? fd : folder ? -errno : -ENOMEM;
    free(data);
    free(folder);
    return r;
}

static int export_part(const struct folder *folder, const struct folder_split *found,
                       enum part part, const char *root, unsigned n_threads, struct error *why)
{
    const struct split *source = folder_source(folder, found->split);
    if (!source)
        return error_set(why, -ENODATA,
                         "%s: its source split is not in the folder, so the order of its digits is "
                         "not known",
                         found->name);
    struct job job = {.split = found->split, .folder = -1};
    int r = recipe_new(source, &job.recipe, why);
    if (r < 0)
        return r;
    job.folder = make_part_folder(root, part, why);
    r = job.folder;
    if (r >= 0) {
        r = export_split(&job, found->name, n_threads, why);
        close(job.folder);
    }
    if (r == 0)
        printf("%s: %" PRIu64 " files\n", found->name, split_n_samples(found->split));
    recipe_free(&job.recipe);
    return r < 0 ? error_prefix(why, r, "%s", found->name) : 0;
}

static int export_all(const struct folder *folder, const char *root, unsigned n_threads,
                      struct error *why)
{
    unsigned n_exported = 0;
    for (enum part part = 0; part < N_PARTS; part++)
        for (size_t i = 0; i < folder->n; i++) {
            const struct folder_split *found = &folder->splits[i];
            if (strcmp(split_meta(found->split, "kind"), SPLIT_KIND_2NMNIST) != 0 ||
                strcmp(split_meta(found->split, "split"), part_splits[part]) != 0)
                continue;
            int r = export_part(folder, found, part, root, n_threads, why);
            if (r < 0)
                return r;
            n_exported++;
        }
    return n_exported ? 0 : error_set(why, -ENODATA, "there is no 2NMNIST split in the folder");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* The tree is written under another name and renamed when it is whole. */
static int export_into(const struct folder *folder, const char *out, unsigned n_threads,
                       struct error *why)
{
    char *whole = NULL, *temporary = NULL;
    int r = 0;
    if (asprintf(&whole, "%s/%s", out, tree) < 0 ||
        asprintf(&temporary, "%s/.%s-XXXXXX", out, tree) < 0)
        r = error_set(why, -ENOMEM, "no memory for a path");
    else if (mkdir(out, 0777) < 0 && errno != EEXIST)
        r = error_set(why, -errno, "%s: %s", out, strerror(errno));
    else if (access(whole, F_OK) == 0)
        r = error_set(why, -EEXIST, "%s is there already, and is not written over", whole);
    else if (!mkdtemp(temporary))
        r = error_set(why, -errno, "%s: cannot write here: %s", out, strerror(errno));
    if (r == 0) {
        r = export_all(folder, temporary, n_threads, why);
        if (r == 0 && (chmod(temporary, 0755) < 0 || rename(temporary, whole) < 0))
            r = error_set(why, -errno, "%s: %s", whole, strerror(errno));
        if (r < 0)
            nftw(temporary, remove_one, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    }
    free(whole);
    free(temporary);
    return r;
}

static int run(const struct settings *settings, struct error *why)
{
    struct folder folder;
    int r = folder_open(settings->operands[0], &folder, why);
    if (r < 0)
        return r;
    r = export_into(&folder, settings->operands[1], settings->n_jobs, why);
    folder_close(&folder);
    return r;
}

static const struct option_row options[] = {
    {"jobs", "N", "threads (default: one for each core)", settings_parse_jobs, false},
    {0},
};

const struct command command_export = {
    .name = "export",
    .summary = "write splits as the published archive's file tree",
    .operands = {"DIR", "OUT"},
    .options = options,
    .notes = "Writes OUT/2nmnist/data/{Train,Test}/<i>_<first>[-<second>].bin, in published order\n"
             "whatever the order of the splits, for use with the dataset authors' own scripts.\n",
    .run = run,
};
