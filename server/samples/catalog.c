/* SPDX-License-Identifier: Apache-2.0
 * All splits that are served: opened together, replaced together, dropped when unused. */
#include "server/samples/catalog.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/samples/guard.h"

/* Length of the split's name in the file's, 0 where it is not a split's file. */
static size_t stem_length(const char *file)
{
    size_t n = strlen(file), suffix = strlen(SPLIT_SUFFIX);
    if (n <= suffix || n - suffix > CATALOG_NAME_MAX ||
        strcmp(file + n - suffix, SPLIT_SUFFIX) != 0)
        return 0;
    for (size_t i = 0; i < n - suffix; i++)
        if (!isalnum((unsigned char)file[i]) && file[i] != '-' && file[i] != '_')
            return 0;
    return n - suffix;
}

static int is_split_file(const struct dirent *entry)
{
    return stem_length(entry->d_name) > 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_files(struct dirent **files, int n)
{
    for (int i = 0; i < n; i++)
        free(files[i]);
    free(files);
}

static void entry_free(struct entry *entry)
{
    if (entry->split)
        guard_forget(split_bytes(entry->split));
    split_close(entry->split);
    free(entry);
}

static uint64_t count_pairs(const struct split *split)
{
    const uint8_t *labels = split_labels(split);
    uint64_t n_pairs = 0;
    for (uint64_t i = 0; i < split_n_samples(split); i++) {
        unsigned digits = 0;
        for (unsigned d = 0; d < N_DIGITS; d++)
            digits += labels[i * N_DIGITS + d];
        n_pairs += digits > 1;
    }
    return n_pairs;
}

static int open_entry(struct entry *entry, const char *path, struct error *why)
{
    if (stat(path, &entry->file) < 0)
        return error_set(why, -errno, "%s: %s", path, strerror(errno));
    int r = split_open(path, &entry->split, why);
    if (r < 0)
        return r;
    struct split *split = entry->split;
    r = guard_watch(split_bytes(split), split_size(split), &entry->damaged);
    if (r < 0)
        return error_set(why, r, "%s: more maps than can be watched", path);

    bool published = strcmp(split_meta(split, "order"), "published") == 0;
    entry->order = published ? MIX_PUBLISHED : MIX_TIME;
    entry->is_source = strcmp(split_meta(split, "kind"), SPLIT_KIND_SOURCE) == 0;
    entry->n_pairs = count_pairs(split);
    error_set(&entry->no_pairs, 0, "it is not a source split");
    entry->has_pairs =
        entry->is_source && pairs_init(&entry->pairs, split_labels(split), split_n_samples(split),
                                       &entry->no_pairs) == 0;
    return 0;
}

static int add_entry(struct catalog *catalog, const char *folder, const char *file,
                     struct error *why)
{
    char *path = NULL;
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry || asprintf(&path, "%s/%s", folder, file) < 0) {
        free(entry);
        return error_set(why, -ENOMEM, "%s/%s: no memory", folder, file);
    }
    memcpy(entry->name, file, stem_length(file));
    int r = open_entry(entry, path, why);
    free(path);
    if (r < 0)
        entry_free(entry);
    else
        catalog->entries[catalog->n_entries++] = entry;
    return r;
}

static void *hash_entry(void *user)
{
    struct entry *entry = user;
    sha256_hex_of(split_bytes(entry->split), split_size(entry->split), entry->revision);
    return NULL;
}

static void hash_entries(struct catalog *catalog)
{
    pthread_t threads[CATALOG_MAX_SPLITS];
    bool started[CATALOG_MAX_SPLITS];
    for (size_t i = 0; i < catalog->n_entries; i++) {
        started[i] = pthread_create(&threads[i], NULL, hash_entry, catalog->entries[i]) == 0;
        if (!started[i])
            hash_entry(catalog->entries[i]);
    }
    for (size_t i = 0; i < catalog->n_entries; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
}

static const struct entry *find_source(const struct catalog *catalog, const struct entry *entry)
{
    const char *sha256 = split_meta(entry->split, "source_sha256");
    for (size_t i = 0; i < catalog->n_entries; i++)
        if (catalog->entries[i]->is_source && strcmp(catalog->entries[i]->revision, sha256) == 0)
            return catalog->entries[i];
    return NULL;
}

/* What a request would read out of bounds is found here, once. */
static int check_sources(const struct entry *entry, struct error *why)
{
    const int32_t *sources = split_sources(entry->split);
    uint64_t n = split_n_samples(entry->source->split);
    for (uint64_t i = 0; i < 2 * split_n_samples(entry->split); i++)
        if (sources[i] < -(int32_t)(i % 2) || (sources[i] >= 0 && (uint64_t)sources[i] >= n))
            return error_set(
                why, -EBADMSG, "split %s: sample %ju names recording %d; split %s has %ju",
                entry->name, (uintmax_t)(i / 2), sources[i], entry->source->name, (uintmax_t)n);
    return 0;
}

static int link_sources(struct catalog *catalog, struct error *why)
{
    for (size_t i = 0; i < catalog->n_entries; i++) {
        struct entry *entry = catalog->entries[i];
        entry->source = entry->is_source ? NULL : find_source(catalog, entry);
        int r = entry->source ? check_sources(entry, why) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int open_all(struct catalog *catalog, const char *folder, struct dirent **files, int n,
                    struct error *why)
{
    if (n == 0)
        return error_set(why, -ENODATA, "%s: there is no split (*%s) in this folder", folder,
                         SPLIT_SUFFIX);
    if (n > CATALOG_MAX_SPLITS)
        return error_set(why, -E2BIG, "%s: %d splits; the limit is %d", folder, n,
                         CATALOG_MAX_SPLITS);
    for (int i = 0; i < n; i++) {
        int r = add_entry(catalog, folder, files[i]->d_name, why);
        if (r < 0)
            return r;
    }
    hash_entries(catalog);
    return link_sources(catalog, why);
}

int catalog_open(const char *folder, struct catalog **ret, struct error *why)
{
    struct dirent **files = NULL;
    int n = scandir(folder, &files, is_split_file, by_bytes);
    if (n < 0)
        return error_set(why, -errno, "%s: %s", folder, strerror(errno));
    struct catalog *catalog = calloc(1, sizeof *catalog);
    int r = -ENOMEM;
    if (catalog) {
        atomic_init(&catalog->n_users, 1);
        r = open_all(catalog, folder, files, n, why);
    }
    free_files(files, n);
    if (r < 0) {
        catalog_unref(catalog);
        return r;
    }
    *ret = catalog;
    return 0;
}

struct catalog *catalog_ref(struct catalog *catalog)
{
    atomic_fetch_add(&catalog->n_users, 1);
    return catalog;
}

void catalog_unref(struct catalog *catalog)
{
    if (!catalog || atomic_fetch_sub(&catalog->n_users, 1) != 1)
        return;
    for (size_t i = 0; i < catalog->n_entries; i++)
        entry_free(catalog->entries[i]);
    free(catalog);
}

struct entry *catalog_find(const struct catalog *catalog, const char *name, size_t n)
{
    for (size_t i = 0; i < catalog->n_entries; i++) {
        struct entry *entry = catalog->entries[i];
        if (strlen(entry->name) == n && memcmp(entry->name, name, n) == 0)
            return entry;
    }
    return NULL;
}

static bool is_file_of(const struct entry *entry, const char *folder, const char *file)
{
    size_t stem = stem_length(file);
    if (strlen(entry->name) != stem || memcmp(entry->name, file, stem) != 0)
        return false;
    char *path;
    if (asprintf(&path, "%s/%s", folder, file) < 0)
        return true;
    struct stat now;
    const struct stat *then = &entry->file;
    bool same = stat(path, &now) == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
                now.st_size == then->st_size && now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
    free(path);
    return same;
}

bool catalog_is_stale(const struct catalog *catalog, const char *folder)
{
    struct dirent **files = NULL;
    int n = scandir(folder, &files, is_split_file, by_bytes);
    if (n < 0)
        return false;
    bool stale = (size_t)n != catalog->n_entries;
    for (int i = 0; !stale && i < n; i++)
        stale = !is_file_of(catalog->entries[i], folder, files[i]->d_name);
    free_files(files, n);
    return stale;
}
