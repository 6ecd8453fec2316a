/* SPDX-License-Identifier: Apache-2.0
 * Reads a zip archive from front to end without unpacking it. The one door to libarchive. */
#include "generator/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCK_BYTES = 1 << 18, CHUNK_BYTES = 1 << 16 };

struct zip {
    struct archive *archive;
    char *path; /* for reasons */
    uint64_t size_bytes;
    uint64_t n_headers; /* gone by, those of folders too */
    int64_t told_bytes; /* how long the current file is by its header; -1 it does not say */
    unsigned n_damaged;
    bool is_stuck; /* libarchive goes no further after damage */
};

static int fault(const struct zip *zip, struct error *why)
{
    const char *reason = archive_error_string(zip->archive);
    return error_set(why, -EBADMSG, "%s: no zip archive, damaged, or cut off: %s", zip->path,
                     reason ? reason : "unknown");
}

/* The reader that goes by the directory at the end, not the streaming one: that would take an
 * archive cut off between two files for a whole one. */
static int open_archive(struct zip *zip, struct error *why)
{
    zip->archive = archive_read_new();
    if (!zip->archive)
        return error_set(why, -ENOMEM, "%s: no memory", zip->path);
    archive_read_support_format_zip_seekable(zip->archive);
    if (archive_read_open_filename(zip->archive, zip->path, BLOCK_BYTES) != ARCHIVE_OK)
        return fault(zip, why);
    return 0;
}

int zip_open(const char *path, struct zip **ret, struct error *why)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_set(why, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) /* opening a FIFO would wait for a writer */
        return error_set(why, -EBADMSG, "%s: it is no regular file", path);
    struct zip *zip = calloc(1, sizeof *zip);
    if (zip)
        *zip = (struct zip){.path = strdup(path), .size_bytes = (uint64_t)st.st_size};
    int r = !zip || !zip->path ? error_set(why, -ENOMEM, "%s: no memory", path)
                               : open_archive(zip, why);
    if (r < 0) {
        zip_close(zip);
        return r;
    }
    *ret = zip;
    return 0;
}

void zip_close(struct zip *zip)
{
    if (!zip)
        return;
    if (zip->archive)
        archive_read_free(zip->archive);
    free(zip->path);
    free(zip);
}

/* 1, or 0 at the end. */
static int next_header(struct zip *zip, struct archive_entry **ret, struct error *why)
{
    int r = archive_read_next_header(zip->archive, ret);
    if (r == ARCHIVE_EOF)
        return 0;
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
        return fault(zip, why);
    zip->n_headers++;
    return 1;
}

/* Open it anew, and go by what was seen. */
static int get_unstuck(struct zip *zip, struct error *why)
{
    uint64_t n_seen = zip->n_headers;
    if (++zip->n_damaged > ZIP_MAX_DAMAGED)
        return error_set(why, -EBADMSG,
                         "%s: over %d damaged files; what lies behind them was not looked at",
                         zip->path, ZIP_MAX_DAMAGED);
    archive_read_free(zip->archive);
    zip->is_stuck = false;
    zip->n_headers = 0;
    int r = open_archive(zip, why);
    while (r == 0 && zip->n_headers < n_seen) {
        struct archive_entry *entry;
        r = next_header(zip, &entry, why);
        r = r > 0 ? 0 : r == 0 ? error_set(why, -EBADMSG, "%s: it became shorter", zip->path) : r;
    }
    return r;
}

int zip_next(struct zip *zip, const char **ret_path, struct error *why)
{
    int r = zip->is_stuck ? get_unstuck(zip, why) : 0;
    if (r < 0)
        return r;
    for (;;) {
        struct archive_entry *entry;
        r = next_header(zip, &entry, why);
        if (r <= 0)
            return r;
        const char *path = archive_entry_pathname(entry);
        if (archive_entry_filetype(entry) != AE_IFREG || !path)
            continue;
        zip->told_bytes = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
        *ret_path = path;
        return 1;
    }
}

static int too_long(size_t max_bytes, struct error *why)
{
    return error_set(why, -EFBIG, "longer than the limit of %zu bytes", max_bytes);
}

int zip_read(struct zip *zip, size_t max_bytes, struct buffer *out, struct error *why)
{
    out->size = 0;
    if (zip->told_bytes > 0 && (uint64_t)zip->told_bytes > max_bytes)
        return too_long(max_bytes, why);
    for (;;) {
        if (buffer_reserve(out, out->size + CHUNK_BYTES) < 0)
            return error_set(why, -ENOMEM, "no memory for %zu bytes", out->size + CHUNK_BYTES);
        ssize_t n = archive_read_data(zip->archive, out->bytes + out->size, CHUNK_BYTES);
        if (n < 0) {
            zip->is_stuck = true;
            return fault(zip, why);
        }
        if (n == 0)
            return 0;
        out->size += (size_t)n;
        if (out->size > max_bytes)
            return too_long(max_bytes, why);
    }
}

uint64_t zip_position(const struct zip *zip)
{
    int64_t position = archive_filter_bytes(zip->archive, -1);
    return position < 0 ? 0 : (uint64_t)position;
}

uint64_t zip_size(const struct zip *zip)
{
    return zip->size_bytes;
}
