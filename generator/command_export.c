/* SPDX-License-Identifier: Apache-2.0
 * The command `export`: the published file tree, for the dataset authors' own training scripts; or
 * WebDataset shards. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "generator/commands.h"
#include "generator/folder.h"
#include "generator/metadata.h"
#include "generator/pipeline.h"
#include "generator/progress.h"
#include "generator/recordings.h"
#include "generator/shard_export.h"
#include "generator/source.h"
#include "generator/staging.h"

static const char TREE[] = "2nmnist", DATA[] = "data", SHARDS[] = "shards";

static const char SYNTHETIC_NOTE[] = "These samples were simulated, not recorded: a stand-in.\n";

struct tree_export {
    struct split *split, *source;
    struct recordings recordings;
    int folder; /* where the part's files go */
};

static struct plan_row row_of(const struct tree_export *export, uint64_t i)
{
    const int32_t *sources = split_sample(export->split, i).sources;
    return (struct plan_row){.a = sources[0], .b = sources[1]};
}

/* Always mixed anew, whatever order the split is stored in: a name says which digit came first, and
 * only the source split knows. */
static int make(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why)
{
    const struct tree_export *export = user;
    struct plan_row row = row_of(export, i);
    int r = recordings_check_row(&export->recordings, &row, why);
    if (r == 0)
        r = recordings_mix(&export->recordings, &row, worker, MIX_PUBLISHED, &item->events, why);
    return r < 0 ? error_prefix(why, r, "sample %" PRIu64, i) : 0;
}

static int write_file(int folder, const char *name, const void *bytes, size_t size,
                      struct error *why)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int r = fd < 0 ? -errno : file_write_all(fd, bytes, size);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    return r < 0 ? error_set(why, r, "%s: cannot write: %s", name, strerror(-r)) : 0;
}

static int take(void *user, uint64_t i, const struct work_item *item, struct error *why)
{
    const struct tree_export *export = user;
    struct plan_row row = row_of(export, i);
    char name[PLAN_NAME_SIZE];
    plan_name(name, i, &row, export->recordings.digits);
    return write_file(export->folder, name, item->events.bytes, item->events.size, why);
}

static int open_folder(int parent, const char *name, int *ret, struct error *why)
{
    if (mkdirat(parent, name, 0777) < 0 && errno != EEXIST)
        return error_set(why, -errno, "%s: cannot make the folder: %s", name, strerror(errno));
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(why, -errno, "%s: %s", name, strerror(errno));
    *ret = fd;
    return 0;
}

static int open_splits(struct tree_export *export, const char *folder, enum part part,
                       struct error *why)
{
    int r = folder_open_split(folder, FOLDER_2NMNIST, part, &export->split, why);
    if (r < 0)
        return r;
    const char *name = folder_file_name(FOLDER_2NMNIST, part);
    if (split_sample(export->split, 0).sources[0] < 0)
        return error_set(why, -EINVAL,
                         "%s/%s: it was made from the published tree, and without source split the "
                         "tree cannot be made of it",
                         folder, name);
    r = folder_open_split(folder, FOLDER_SOURCE, part, &export->source, why);
    if (r == 0)
        r = recordings_new(export->source, &export->recordings, why);
    if (r == 0)
        r = recordings_check_source(&export->recordings, export->split, why);
    return r == -ENOENT ? error_prefix(why, -ENODATA, "the source split of %s is needed", name) : r;
}

static int export_samples(struct tree_export *export, const struct choices *choices, enum part part,
                          int data, struct error *why)
{
    const struct pipeline pipeline = {
        .label = part_splits[part],
        .n_items = split_n_samples(export->split),
        .n_threads = choices->n_jobs,
        .user = export,
        .worker_new = recordings_worker_new,
        .worker_free = recordings_worker_free,
        .make = make,
        .take = take,
    };
    int r = open_folder(data, part_folders[part], &export->folder, why);
    if (r < 0)
        return r;
    r = pipeline_run(&pipeline, why);
    close(export->folder);
    bool synthetic = strcmp(split_meta(export->split, "origin"), ORIGIN_SYNTHETIC) == 0;
    if (r == 0 && synthetic && faccessat(data, SOURCE_SYNTHETIC_MARK, F_OK, 0) < 0)
        r = write_file(data, SOURCE_SYNTHETIC_MARK, SYNTHETIC_NOTE, strlen(SYNTHETIC_NOTE), why);
    char number[PROGRESS_NUMBER_SIZE];
    if (r == 0)
        printf("%-6s %9s files\n", part_folders[part], progress_number(pipeline.n_items, number));
    return r;
}

/* Errors: -ENOENT the part is not in the folder of splits. */
static int export_part(const struct choices *choices, enum part part, int data, struct error *why)
{
    struct tree_export export = {0};
    int r = open_splits(&export, choices->operands[0], part, why);
    if (r == 0)
        r = export_samples(&export, choices, part, data, why);
    recordings_free(&export.recordings);
    split_close(export.source);
    split_close(export.split);
    return r;
}

/* Errors: -ENOENT the split is not in the folder. */
static int export_split(const struct choices *choices, enum folder_kind kind, enum part part,
                        int folder, struct error *why)
{
    const char *name = folder_split_name(kind, part);
    char number[PROGRESS_NUMBER_SIZE];
    struct split *split;
    uint64_t n;
    int r = folder_open_split(choices->operands[0], kind, part, &split, why);
    if (r < 0)
        return r;
    r = shard_export(split, name, choices->per_shard, folder, &n, why);
    split_close(split);
    if (r == 0)
        printf("%-13s %6s shards\n", name, progress_number(n, number));
    return r;
}

static int export_splits(const struct choices *choices, int folder, struct error *why)
{
    int n_found = 0;
    for (enum folder_kind kind = 0; kind < N_FOLDER_KINDS; kind++)
        for (enum part part = 0; part < N_PARTS; part++) {
            int r = export_split(choices, kind, part, folder, why);
            if (r < 0 && r != -ENOENT)
                return r;
            n_found += r == 0;
        }
    return n_found > 0 ? 0
                       : error_set(why, -ENOENT, "%s: there is no split in it (train%s, ...)",
                                   choices->operands[0], SPLIT_SUFFIX);
}

static int export_shards(const struct choices *choices, const char *path, struct error *why)
{
    int folder;
    int r = open_folder(AT_FDCWD, path, &folder, why);
    if (r < 0)
        return r;
    r = export_splits(choices, folder, why);
    if (r == 0 && syncfs(folder) < 0)
        r = error_set(why, -errno, "%s: cannot sync: %s", path, strerror(errno));
    close(folder);
    return r;
}

/* Errors: -EEXIST there is something of that name, other than an empty folder. */
static int check_free(const char *out, const char *name, struct error *why)
{
    char *path;
    if (asprintf(&path, "%s/%s", out, name) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    int r = 0;
    DIR *folder = opendir(path);
    if (!folder && errno != ENOENT)
        r = error_set(why, -errno, "%s: %s", path, strerror(errno));
    for (struct dirent *found; r == 0 && folder && (found = readdir(folder));)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            r = error_set(why, -EEXIST, "%s: it is there and not empty; remove it first", path);
    if (folder)
        closedir(folder);
    free(path);
    return r;
}

static int export_tree(const struct choices *choices, const char *tree, struct error *why)
{
    int top = -1, data = -1, n_found = 0;
    int r = open_folder(AT_FDCWD, tree, &top, why);
    if (r == 0)
        r = open_folder(top, DATA, &data, why);
    for (enum part part = 0; r == 0 && part < N_PARTS; part++) {
        r = export_part(choices, part, data, why);
        n_found += r == 0;
        if (r == -ENOENT)
            r = 0;
    }
    if (r == 0 && n_found == 0)
        r = error_set(why, -ENOENT, "%s: there is no split in it (train%s, test%s)",
                      choices->operands[0], SPLIT_SUFFIX, SPLIT_SUFFIX);
    if (r == 0 && syncfs(top) < 0) /* one call for tens of thousands of files */
        r = error_set(why, -errno, "%s: cannot sync: %s", tree, strerror(errno));
    if (data >= 0)
        close(data);
    if (top >= 0)
        close(top);
    return r;
}

static int check(const struct choices *choices, struct error *why)
{
    if (choices->per_shard_given && choices->format != EXPORT_WEBDATASET)
        return error_set(why, -EINVAL, "--per-shard is for \"--format webdataset\" alone");
    return 0;
}

static int run(const struct choices *choices, struct error *why)
{
    bool tree = choices->format == EXPORT_TREE;
    const char *out = choices->operands[1], *name = tree ? TREE : SHARDS, *path;
    struct staging *staging;
    int r = folder_check(choices->operands[0], why);
    if (r == 0)
        r = check_free(out, name, why);
    if (r == 0)
        r = staging_open(out, &staging, why);
    if (r < 0)
        return r;
    r = staging_add(staging, name, &path, why);
    if (r == 0)
        r = (tree ? export_tree : export_shards)(choices, path, why);
    if (r == 0)
        r = staging_publish(staging, why);
    staging_close(staging);
    return r;
}

static const struct option_row options[] = {
    {"format", "tree|webdataset",
     "the published file tree (default), or tar archives for\n"
     "readers of WebDataset",
     choices_set_format, false},
    {"per-shard", "N", "webdataset: samples in an archive (default: 1000)", choices_set_per_shard,
     false},
    {"jobs", "N", "threads (default: one for each core)", choices_set_jobs, false},
    {0},
};

const struct command command_export = {
    .name = "export",
    .summary = "write the published file tree, or WebDataset shards, from the splits in a folder",
    .operands = {"DIR", "OUT"},
    .options = options,
    .notes =
        "Writes OUT/2nmnist/data/{Train,Test}/<i>_<digit>[-<digit>].bin, byte for byte as the\n"
        "dataset authors' generator would. DIR must hold the source splits too. OUT/2nmnist\n"
        "must not be there, or be empty. With --format webdataset writes the shards of all\n"
        "splits, OUT/shards/2nmnist-<split>-<number>.tar, as the daemon answers with them.\n",
    .check = check,
    .run = run,
};
