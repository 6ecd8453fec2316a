/* SPDX-License-Identifier: Apache-2.0
 * Finds the files of a source: in folders and zip archives, wherever the archive was unpacked. */
#include "generator/source_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "generator/interrupt.h"
#include "generator/progress.h"
#include "generator/source.h"
#include "generator/zip.h"

enum { MEGABYTE = 1000000 };

static bool is_folder(int at, const char *path)
{
    struct stat st;
    return fstatat(at, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(int at, const char *path)
{
    struct stat st;
    return fstatat(at, path, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static int no_memory(struct error *why)
{
    return error_set(why, -ENOMEM, "no memory for a path");
}

/* Take in the file, if it is one of ours; *ret is NULL otherwise. */
static int add_file(struct search *search, const char *path, struct listing_file **ret,
                    struct error *why)
{
    *ret = NULL;
    if (++search->n_files > SEARCH_MAX_FILES)
        return error_set(why, -EFBIG, "%s: more than the limit of %d files", path,
                         SEARCH_MAX_FILES);
    int r = listing_add(&search->listing, path, ret, why);
    return faults_take(search->faults, r, why);
}

/* ---- Archives ---- */

/* Keep the bytes of the file, or see at once whether they are good. */
static int keep(struct search *search, struct listing_file *file, struct buffer *buffer,
                struct error *why)
{
    search->n_bytes += buffer->size;
    if (search->n_bytes > SEARCH_MAX_BYTES)
        return error_set(why, -EFBIG,
                         "%s: with it the unpacked files exceed the limit of %" PRIu64 " bytes",
                         file->name, SEARCH_MAX_BYTES);
    file->spooled = true;
    file->size_bytes = buffer->size;
    if (search->faults)
        return faults_take(search->faults, source_check_file(file, buffer, why), why);
    return spool_add(search->spool, buffer->bytes, buffer->size, &file->offset, why);
}

static int read_archive(struct search *search, struct zip *zip, struct progress *progress,
                        struct buffer *buffer, struct error *why)
{
    for (;;) {
        const char *path;
        int r = zip_next(zip, &path, why);
        if (r <= 0)
            return r;
        const char *slash = strrchr(path, '/');
        search->marked |= strcmp(slash ? slash + 1 : path, SOURCE_SYNTHETIC_MARK) == 0;
        struct listing_file *file;
        r = add_file(search, path, &file, why);
        if (r == 0)
            r = interrupt_check(why);
        if (r < 0)
            return r;
        if (!file)
            continue;
        r = zip_read(zip, SOURCE_MAX_BYTES, buffer, why);
        if (r < 0) {
            file->spooled = true; /* there is no file of its own */
            r = faults_take(search->faults, error_prefix(why, r, "%s", file->name), why);
        } else {
            r = keep(search, file, buffer, why);
        }
        if (r < 0)
            return r;
        progress_show(progress, zip_position(zip) / MEGABYTE);
    }
}

static int look_in_zip(struct search *search, const char *path, struct error *why)
{
    int r = 0;
    if (!search->spool && !search->faults)
        r = spool_new(search->spool_folder, &search->spool, why);
    struct zip *zip;
    if (r == 0)
        r = zip_open(path, &zip, why);
    if (r < 0)
        return faults_take(search->faults, r, why);
    const char *slash = strrchr(path, '/');
    struct progress progress;
    progress_start(&progress, slash ? slash + 1 : path, "MB", zip_size(zip) / MEGABYTE);
    struct buffer buffer = {0};
    r = read_archive(search, zip, &progress, &buffer, why);
    progress_end(&progress);
    buffer_free(&buffer);
    zip_close(zip);
    return faults_take(search->faults, r, why);
}

/* ---- Folders ---- */

/* Take in the files of root/relative, and of the folders in it while `depth` lasts. */
static int look_in_folder(struct search *search, const char *relative, int depth, struct error *why)
{
    char *path;
    if (asprintf(&path, "%s/%s", search->root, relative) < 0)
        return no_memory(why);
    DIR *folder = opendir(path);
    int r = folder ? 0 : error_set(why, -errno, "%s: %s", path, strerror(errno));
    free(path);
    struct dirent *found;
    while (r == 0 && (found = readdir(folder))) {
        if (found->d_name[0] == '.')
            continue;
        char *name;
        if (asprintf(&name, "%s/%s", relative, found->d_name) < 0) {
            r = no_memory(why);
            break;
        }
        struct listing_file *file;
        bool maybe_folder = found->d_type != DT_REG;
        if (maybe_folder && is_folder(dirfd(folder), found->d_name))
            r = depth > 0 ? look_in_folder(search, name, depth - 1, why) : 0;
        else
            r = add_file(search, name, &file, why);
        free(name);
    }
    if (folder)
        closedir(folder);
    return faults_take(search->faults, r, why);
}

static bool is_one(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The part's name with this ending, in the spelling that is there: *ret_path is where, NULL where
 * it is not, and *ret_name is the name in it. Errors: -EEXIST there are two. */
static int find_spelling(const char *root, enum part part, const char *ending,
                         bool (*is_it)(int at, const char *path), char **ret_path,
                         const char **ret_name, struct error *why)
{
    char *found = NULL;
    int r = 0;
    for (int i = 0; r == 0 && i < PART_SPELLINGS; i++) {
        const char *name = part_spellings[part][i];
        char *path;
        if (asprintf(&path, "%s/%s%s", root, name, ending) < 0) {
            r = no_memory(why);
        } else if (is_it(AT_FDCWD, path) && !found) {
            found = path;
            *ret_name = name;
            continue;
        } else if (found && is_it(AT_FDCWD, path) && !is_one(found, path)) {
            r = error_set(why, -EEXIST, "%s and %s: which of the two is meant?", found, path);
        }
        if (r != -ENOMEM)
            free(path);
    }
    if (r < 0)
        free(found);
    else
        *ret_path = found;
    return r;
}

static int look_for_mark(struct search *search, struct error *why)
{
    char *mark;
    if (asprintf(&mark, "%s/%s", search->root, SOURCE_SYNTHETIC_MARK) < 0)
        return no_memory(why);
    search->marked |= is_file(AT_FDCWD, mark);
    free(mark);
    return 0;
}

/* Take in a part from its folder or its archive in search->root, if it is there. */
static int look_for_part(struct search *search, enum part part, bool *found, struct error *why)
{
    char *folder = NULL, *zip = NULL;
    const char *name;
    int r = find_spelling(search->root, part, "", is_folder, &folder, &name, why);
    if (r == 0 && !folder)
        r = find_spelling(search->root, part, ".zip", is_file, &zip, &name, why);
    if (r == 0 && folder)
        r = look_in_folder(search, name, 1, why);
    else if (r == 0 && zip)
        r = look_in_zip(search, zip, why);
    if (r == 0 && (folder || zip)) {
        search->wanted[part] = *found = true;
        r = look_for_mark(search, why);
    }
    free(zip);
    free(folder);
    return r;
}

static int set_root(struct search *search, const char *path, const char *below, struct error *why)
{
    free(search->root);
    search->root = NULL;
    return asprintf(&search->root, "%s%s", path, below) < 0 ? no_memory(why) : 0;
}

/* Take in the folder `name`, a Train or a Test, which is in `parent`. */
static int take_part(struct search *search, const char *parent, const char *name, bool *found,
                     struct error *why)
{
    for (enum part part = 0; part < N_PARTS; part++)
        for (int i = 0; i < PART_SPELLINGS; i++) {
            if (strcmp(name, part_spellings[part][i]) != 0)
                continue;
            search->wanted[part] = *found = true;
            int r = set_root(search, parent, "", why);
            if (r == 0)
                r = look_in_folder(search, name, 1, why);
            return r < 0 ? r : look_for_mark(search, why);
        }
    return 0;
}

/* `path` may itself be a Train or a Test folder. */
static int look_as_part(struct search *search, const char *path, bool *found, struct error *why)
{
    char *name = strdup(path), *parent = strdup(path);
    int r = name && parent ? take_part(search, dirname(parent), basename(name), found, why)
                           : no_memory(why);
    free(parent);
    free(name);
    return r;
}

static int look_everywhere(struct search *search, const char *path, struct error *why)
{
    static const char *const places[] = {"", "/data", "/2nmnist/data", "/2nmnist"};
    bool found = false;
    int r = 0;
    for (size_t i = 0; r == 0 && !found && i < sizeof places / sizeof *places; i++) {
        r = set_root(search, path, places[i], why);
        for (enum part part = 0; r == 0 && part < N_PARTS; part++)
            r = look_for_part(search, part, &found, why);
    }
    if (r == 0 && !found)
        r = look_as_part(search, path, &found, why);
    if (r < 0 || found)
        return r;
    r = set_root(search, path, "/2nmnist.zip", why);
    if (r == 0 && is_file(AT_FDCWD, search->root))
        return look_in_zip(search, search->root, why);
    return r < 0 ? r
                 : error_set(why, -EBADMSG,
                             "%s: no data here: neither a Train or Test folder, nor Train.zip, "
                             "Test.zip or 2nmnist.zip",
                             path);
}

static int check_found(const struct search *search, const char *path, struct error *why)
{
    size_t n = 0;
    for (int part = 0; part < N_PARTS; part++) {
        n += search->listing.parts[part].n;
        if (search->wanted[part] && search->listing.parts[part].n == 0)
            return error_set(why, -EBADMSG,
                             "%s: there is nothing in %s: no %s/<digit>/<number>.bin", path,
                             part_folders[part], part_folders[part]);
    }
    return n > 0 ? 0
                 : error_set(why, -EBADMSG,
                             "%s: no recordings (Train/<digit>/<number>.bin) and no samples "
                             "(Train/<i>_<digit>[-<digit>].bin) in it",
                             path);
}

int search_run(struct search *search, const char *path, struct error *why)
{
    int r;
    if (is_folder(AT_FDCWD, path))
        r = look_everywhere(search, path, why);
    else if (access(path, R_OK) < 0)
        r = error_set(why, -errno, "%s: %s", path, strerror(errno));
    else
        r = look_in_zip(search, path, why);
    if (r == 0 && (!search->faults || search->faults->n == 0))
        r = check_found(search, path, why);
    return r;
}

void search_free(struct search *search)
{
    spool_free(search->spool);
    listing_free(&search->listing);
    free(search->root);
    *search = (struct search){0};
}
