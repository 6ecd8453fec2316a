/* SPDX-License-Identifier: Apache-2.0
 * Reads a zip archive from front to end without unpacking it. The one door to libarchive. */
#include "generator/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCK_BYTES = 1 << 18, CHUNK_BYTES = 1 << 16 };

struct zip {
    struct archive *archive;
    char *path; /* for reasons */
    uint64_t size_bytes;
};

static int fault(const struct zip *zip, struct error *why)
{
    const char *reason = archive_error_string(zip->archive);
    return error_set(why, -EBADMSG, "%s: no zip archive, damaged, or cut off: %s", zip->path,
                     reason ? reason : "unknown");
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
        *zip = (struct zip){.archive = archive_read_new(),
                            .path = strdup(path),
                            .size_bytes = (uint64_t)st.st_size};
    if (!zip || !zip->archive || !zip->path) {
        zip_close(zip);
        return error_set(why, -ENOMEM, "%s: no memory", path);
    }
    /* The reader that goes by the directory at the end, not the streaming one: that would take an
     * archive cut off between two files for a whole one. */
    archive_read_support_format_zip_seekable(zip->archive);
    if (archive_read_open_filename(zip->archive, path, BLOCK_BYTES) != ARCHIVE_OK) {
        int r = fault(zip, why);
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

int zip_next(struct zip *zip, const char **ret_path, struct error *why)
{
    for (;;) {
        struct archive_entry *entry;
        int r = archive_read_next_header(zip->archive, &entry);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return fault(zip, why);
        const char *path = archive_entry_pathname(entry);
        if (archive_entry_filetype(entry) != AE_IFREG || !path)
            continue;
        *ret_path = path;
        return 1;
    }
}

int zip_read(struct zip *zip, size_t max_bytes, struct buffer *out, struct error *why)
{
    out->size = 0;
    for (;;) {
        if (buffer_reserve(out, out->size + CHUNK_BYTES) < 0)
            return error_set(why, -ENOMEM, "no memory for %zu bytes", out->size + CHUNK_BYTES);
        ssize_t n = archive_read_data(zip->archive, out->bytes + out->size, CHUNK_BYTES);
        if (n < 0)
            return fault(zip, why);
        if (n == 0)
            return 0;
        out->size += (size_t)n;
        if (out->size > max_bytes)
            return error_set(why, -EFBIG, "longer than the limit of %zu bytes", max_bytes);
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
