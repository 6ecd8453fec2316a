/* SPDX-License-Identifier: Apache-2.0
 * A folder of splits: which file is which. */
#include "generator/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *kind;
    const char *names[N_PARTS], *files[N_PARTS];
} kinds[] = {
    [FOLDER_SOURCE] = {SPLIT_KIND_SOURCE,
                       {"nmnist-train", "nmnist-test"},
                       {"nmnist-train" SPLIT_SUFFIX, "nmnist-test" SPLIT_SUFFIX}},
    [FOLDER_2NMNIST] = {SPLIT_KIND_2NMNIST,
                        {"train", "test"},
                        {"train" SPLIT_SUFFIX, "test" SPLIT_SUFFIX}},
};

const char *folder_split_name(enum folder_kind kind, enum part part)
{
    return kinds[kind].names[part];
}

const char *folder_file_name(enum folder_kind kind, enum part part)
{
    return kinds[kind].files[part];
}

int folder_check(const char *folder, struct error *why)
{
    struct stat st;
    if (stat(folder, &st) < 0)
        return error_set(why, -errno, "%s: %s", folder, strerror(errno));
    return S_ISDIR(st.st_mode) ? 0 : error_set(why, -ENOTDIR, "%s: not a folder", folder);
}

int folder_open_split(const char *folder, enum folder_kind kind, enum part part, struct split **ret,
                      struct error *why)
{
    char *path;
    if (asprintf(&path, "%s/%s", folder, folder_file_name(kind, part)) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    struct split *split;
    int r = split_open(path, &split, why);
    if (r == 0 && strcmp(split_meta(split, "kind"), kinds[kind].kind) != 0) {
        r = error_set(why, -EBADMSG, "%s: its kind is \"%s\", not \"%s\"", path,
                      split_meta(split, "kind"), kinds[kind].kind);
        split_close(split);
    }
    free(path);
    if (r == 0)
        *ret = split;
    return r;
}
