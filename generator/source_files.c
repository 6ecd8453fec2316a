/* SPDX-License-Identifier: Apache-2.0
 * The source that reads folders and zip archives: N-MNIST as it comes, or the published archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "generator/metadata.h"
#include "generator/source.h"
#include "generator/source_search.h"

struct files {
    char *root; /* the folder that holds Train and Test */
    struct spool *spool;
};

static void close_files(void *user)
{
    struct files *files = user;
    spool_free(files->spool);
    free(files->root);
    free(files);
}

static int read_opened(int fd, struct buffer *out, struct error *why)
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

static int read_file(const char *root, const char *name, struct buffer *out, struct error *why)
{
    char *path;
    if (asprintf(&path, "%s/%s", root, name) < 0)
        return error_set(why, -ENOMEM, "no memory for its path");
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO would wait for a writer */
    free(path);
    if (fd < 0)
        return error_set(why, -errno, "%s", strerror(errno));
    int r = read_opened(fd, out, why);
    close(fd);
    return r;
}

int source_read_file(const char *root, const struct listing_file *file, struct buffer *out,
                     struct error *why)
{
    int r = read_file(root, file->name, out, why);
    return r < 0 ? error_prefix(why, r, "%s", file->name) : 0;
}

static int read_listed(const void *user, void *worker, enum part part,
                       const struct listing_file *file, struct buffer *out, struct error *why)
{
    const struct files *files = user;
    (void)worker;
    (void)part;
    return file->spooled ? spool_read(files->spool, file->offset, file->size_bytes, out, why)
                         : read_file(files->root, file->name, out, why);
}

static const struct source_kind recorded = {
    .origin = ORIGIN_RECORDED, .read = read_listed, .close = close_files};
static const struct source_kind published = {
    .origin = ORIGIN_PUBLISHED, .read = read_listed, .close = close_files};
static const struct source_kind synthetic = {
    .origin = ORIGIN_SYNTHETIC, .read = read_listed, .close = close_files};

/* An exported tree of simulated samples says so in a file. */
static const struct source_kind *kind_of(const struct search *search)
{
    if (search->listing.content == CONTENT_RECORDINGS)
        return &recorded;
    return search->marked ? &synthetic : &published;
}

/* A source of what was found, which is taken out of `search`. */
static int take_over(struct search *search, struct source **ret, struct error *why)
{
    struct files *files = malloc(sizeof *files);
    if (!files)
        return error_set(why, -ENOMEM, "no memory for a source");
    *files = (struct files){.root = search->root, .spool = search->spool};
    struct listing listing = search->listing;
    const struct source_kind *kind = kind_of(search);
    *search = (struct search){.faults = search->faults};
    return source_new(kind, files, &listing, ret, why);
}

int source_open_files(const char *path, const char *spool_folder, struct source **ret,
                      struct error *why)
{
    struct search search = {.spool_folder = spool_folder};
    int r = search_run(&search, path, why);
    if (r == 0)
        r = take_over(&search, ret, why);
    search_free(&search);
    return r;
}
