/* SPDX-License-Identifier: Apache-2.0
 * The source that reads folders and zip archives: N-MNIST as it comes, or the published archive. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "generator/interrupt.h"
#include "generator/metadata.h"
#include "generator/progress.h"
#include "generator/source.h"
#include "generator/spool.h"
#include "generator/zip.h"

enum { MEGABYTE = 1000000 };

struct files {
    char *root; /* the folder that holds Train and Test */
    struct spool *spool;
};

/* What is being looked at while a source is opened. */
struct search {
    struct files *files;
    struct listing listing;
    const char *spool_folder;
    bool marked;          /* as simulated: SOURCE_SYNTHETIC_MARK */
    bool wanted[N_PARTS]; /* its folder or archive is there, so there must be something in it */
};

static void close_files(void *user)
{
    struct files *files = user;
    if (!files)
        return;
    spool_free(files->spool);
    free(files->root);
    free(files);
}

static int read_file(int fd, struct buffer *out, struct error *why)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_set(why, -errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(why, -EBADMSG, "it is no regular file");
    if (st.st_size > SOURCE_MAX_BYTES)
        return error_set(why, -EFBIG, "%jd bytes are more than the limit of %d",
                         (intmax_t)st.st_size, SOURCE_MAX_BYTES);
    size_t size = (size_t)st.st_size;
    if (buffer_reserve(out, size) < 0)
        return error_set(why, -ENOMEM, "no memory for %zu bytes", size);
    int r = file_read_all_at(fd, out->bytes, size, 0);
    if (r < 0)
        return error_set(why, r == -ENODATA ? -EIO : r, "cannot read: %s",
                         r == -ENODATA ? "it became shorter" : strerror(-r));
    out->size = size;
    return 0;
}

static int read_listed(const void *user, void *worker, enum part part,
                       const struct listing_file *file, struct buffer *out, struct error *why)
{
    const struct files *files = user;
    (void)worker;
    (void)part;
    if (file->spooled)
        return spool_read(files->spool, file->offset, file->size_bytes, out, why);
    char *path;
    if (asprintf(&path, "%s/%s", files->root, file->name) < 0)
        return error_set(why, -ENOMEM, "no memory for its path");
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO would wait for a writer */
    free(path);
    if (fd < 0)
        return error_set(why, -errno, "%s", strerror(errno));
    int r = read_file(fd, out, why);
    close(fd);
    return r;
}

static const struct source_kind recorded = {
    .origin = ORIGIN_RECORDED, .read = read_listed, .close = close_files};
static const struct source_kind published = {
    .origin = ORIGIN_PUBLISHED, .read = read_listed, .close = close_files};
static const struct source_kind synthetic = {
    .origin = ORIGIN_SYNTHETIC, .read = read_listed, .close = close_files};

static int spool_files(struct search *search, struct zip *zip, struct progress *progress,
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
        r = listing_add(&search->listing, path, &file, why);
        if (r == 0)
            r = interrupt_check(why);
        if (r < 0)
            return r;
        if (!file)
            continue;
        r = zip_read(zip, SOURCE_MAX_BYTES, buffer, why);
        if (r < 0)
            return error_prefix(why, r, "%s", file->name);
        r = spool_add(search->files->spool, buffer->bytes, buffer->size, &file->offset, why);
        if (r < 0)
            return r;
        file->spooled = true;
        file->size_bytes = buffer->size;
        progress_show(progress, zip_position(zip) / MEGABYTE);
    }
}

static int look_in_zip(struct search *search, const char *path, struct error *why)
{
    int r = 0;
    if (!search->files->spool)
        r = spool_new(search->spool_folder, &search->files->spool, why);
    struct zip *zip;
    if (r == 0)
        r = zip_open(path, &zip, why);
    if (r < 0)
        return r;
    const char *slash = strrchr(path, '/');
    struct progress progress;
    progress_start(&progress, slash ? slash + 1 : path, "MB", zip_size(zip) / MEGABYTE);
    struct buffer buffer = {0};
    r = spool_files(search, zip, &progress, &buffer, why);
    progress_end(&progress);
    buffer_free(&buffer);
    zip_close(zip);
    return r;
}

static bool is_folder(int at, const char *path)
{
    struct stat st;
    return fstatat(at, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Take in the files of root/relative, and of the folders in it while `depth` lasts. */
static int look_in_folder(struct search *search, const char *relative, int depth, struct error *why)
{
    char *path;
    if (asprintf(&path, "%s/%s", search->files->root, relative) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    DIR *folder = opendir(path);
    int r = folder ? 0 : error_set(why, -errno, "%s: %s", path, strerror(errno));
    free(path);
    struct dirent *found;
    while (r == 0 && (found = readdir(folder))) {
        if (found->d_name[0] == '.')
            continue;
        char *name;
        if (asprintf(&name, "%s/%s", relative, found->d_name) < 0) {
            r = error_set(why, -ENOMEM, "no memory for a path");
            break;
        }
        struct listing_file *file;
        bool maybe_folder = found->d_type != DT_REG;
        if (maybe_folder && is_folder(dirfd(folder), found->d_name))
            r = depth > 0 ? look_in_folder(search, name, depth - 1, why) : 0;
        else
            r = listing_add(&search->listing, name, &file, why);
        free(name);
    }
    if (folder)
        closedir(folder);
    return r;
}

/* Take in a part from its folder or its archive in files->root, if it is there. */
static int look_for_part(struct search *search, enum part part, bool *found, struct error *why)
{
    char *folder = NULL, *zip = NULL, *mark = NULL;
    int r = 0;
    if (asprintf(&folder, "%s/%s", search->files->root, part_folders[part]) < 0 ||
        asprintf(&zip, "%s.zip", folder) < 0 ||
        asprintf(&mark, "%s/%s", search->files->root, SOURCE_SYNTHETIC_MARK) < 0)
        r = error_set(why, -ENOMEM, "no memory for a path");
    else if (is_folder(AT_FDCWD, folder))
        r = look_in_folder(search, part_folders[part], 1, why);
    else if (is_file(zip))
        r = look_in_zip(search, zip, why);
    else
        goto done;
    search->marked |= mark && is_file(mark);
    search->wanted[part] = true;
    *found = true;
done:
    free(mark);
    free(zip);
    free(folder);
    return r;
}

static int set_root(struct search *search, const char *path, const char *below, struct error *why)
{
    free(search->files->root);
    search->files->root = NULL;
    return asprintf(&search->files->root, "%s%s", path, below) < 0
               ? error_set(why, -ENOMEM, "no memory for a path")
               : 0;
}

/* `path` may itself be a Train or a Test folder. */
static int look_as_part(struct search *search, const char *path, bool *found, struct error *why)
{
    char *copy = strdup(path), *name = copy ? basename(copy) : NULL;
    int r = copy ? 0 : error_set(why, -ENOMEM, "no memory for a path");
    for (enum part part = 0; copy && part < N_PARTS; part++)
        if (strcmp(name, part_folders[part]) == 0) {
            char *parent = strdup(path);
            r = parent ? set_root(search, dirname(parent), "", why)
                       : error_set(why, -ENOMEM, "no memory for a path");
            free(parent);
            if (r == 0)
                r = look_for_part(search, part, found, why);
            break;
        }
    free(copy);
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
    if (r == 0 && is_file(search->files->root))
        return look_in_zip(search, search->files->root, why);
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

/* An exported tree of simulated samples says so in a file. */
static const struct source_kind *kind_of(const struct search *search)
{
    if (search->listing.content == CONTENT_RECORDINGS)
        return &recorded;
    return search->marked ? &synthetic : &published;
}

int source_open_files(const char *path, const char *spool_folder, struct source **ret,
                      struct error *why)
{
    struct search search = {.files = calloc(1, sizeof *search.files), .spool_folder = spool_folder};
    if (!search.files)
        return error_set(why, -ENOMEM, "no memory for a source");
    int r;
    if (is_folder(AT_FDCWD, path))
        r = look_everywhere(&search, path, why);
    else if (access(path, R_OK) < 0)
        r = error_set(why, -errno, "%s: %s", path, strerror(errno));
    else
        r = look_in_zip(&search, path, why);
    if (r == 0)
        r = check_found(&search, path, why);
    if (r < 0) {
        listing_free(&search.listing);
        close_files(search.files);
        return r;
    }
    return source_new(kind_of(&search), search.files, &search.listing, ret, why);
}
