/* SPDX-License-Identifier: Apache-2.0
 * The splits of a folder, opened together. */
#include "generator/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_split_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name), suffix = strlen(SPLIT_SUFFIX);
    return n > suffix && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + n - suffix, SPLIT_SUFFIX) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add(struct folder *folder, const char *path, const char *file, struct error *why)
{
    if (folder->n == FOLDER_MAX_SPLITS)
        return error_set(why, -E2BIG, "%s: more than %d splits", path, FOLDER_MAX_SPLITS);
    struct folder_split *found = &folder->splits[folder->n];
    char *whole = NULL;
    found->name = strndup(file, strlen(file) - strlen(SPLIT_SUFFIX));
    if (!found->name || asprintf(&whole, "%s/%s", path, file) < 0) {
        free(found->name);
        return error_set(why, -ENOMEM, "no memory for a path");
    }
    int r = split_open(whole, &found->split, why);
    free(whole);
    if (r < 0) {
        free(found->name);
        return r;
    }
    if (strcmp(split_meta(found->split, "kind"), SPLIT_KIND_SOURCE) == 0)
        sha256_hex_of(split_bytes(found->split), split_size(found->split), found->sha256);
    folder->n++;
    return 0;
}

int folder_open(const char *path, struct folder *ret, struct error *why)
{
    struct dirent **files = NULL;
    int n = scandir(path, &files, is_split_file, by_bytes);
    if (n < 0)
        return error_set(why, -errno, "%s: %s", path, strerror(errno));
    struct folder folder = {0};
    int r = n > 0 ? 0
                  : error_set(why, -ENODATA, "%s: there is no split (*%s) in this folder", path,
                              SPLIT_SUFFIX);
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add(&folder, path, files[i]->d_name, why);
        free(files[i]);
    }
    free(files);
    if (r < 0)
        folder_close(&folder);
    else
        *ret = folder;
    return r;
}

void folder_close(struct folder *folder)
{
    for (size_t i = 0; i < folder->n; i++) {
        split_close(folder->splits[i].split);
        free(folder->splits[i].name);
    }
    folder->n = 0;
}

const struct split *folder_source(const struct folder *folder, const struct split *split)
{
    const char *sha256 = split_meta(split, "source_sha256");
    for (size_t i = 0; *sha256 && i < folder->n; i++)
        if (strcmp(folder->splits[i].sha256, sha256) == 0)
            return folder->splits[i].split;
    return NULL;
}
