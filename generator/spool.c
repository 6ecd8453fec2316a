/* SPDX-License-Identifier: Apache-2.0
 * A nameless temporary file that takes bytes in any order and gives them back by place. */
#include "generator/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

struct spool {
    int fd;
    uint64_t size_bytes;
    char *folder; /* for reasons */
};

int spool_new(const char *folder, struct spool **ret, struct error *why)
{
    struct spool *spool = calloc(1, sizeof *spool);
    char *name = NULL;
    if (!spool || !(spool->folder = strdup(folder)) || asprintf(&name, "%s/XXXXXX", folder) < 0) {
        if (spool)
            free(spool->folder);
        free(spool);
        return error_set(why, -ENOMEM, "no memory for a temporary file");
    }
    int r = 0;
    spool->fd = mkostemp(name, O_CLOEXEC);
    if (spool->fd < 0) {
        r = error_set(why, -errno, "%s: cannot make a temporary file: %s", folder, strerror(errno));
        free(spool->folder);
        free(spool);
    } else {
        unlink(name);
        *ret = spool;
    }
    free(name);
    return r;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    close(spool->fd);
    free(spool->folder);
    free(spool);
}

int spool_add(struct spool *spool, const void *bytes, size_t size, uint64_t *ret_offset,
              struct error *why)
{
    int r = file_write_all(spool->fd, bytes, size);
    if (r < 0)
        return error_set(why, r, "%s: cannot write what is unpacked: %s", spool->folder,
                         strerror(-r));
    *ret_offset = spool->size_bytes;
    spool->size_bytes += size;
    return 0;
}

int spool_read(const struct spool *spool, uint64_t offset, size_t size, struct buffer *out,
               struct error *why)
{
    if (buffer_reserve(out, size) < 0)
        return error_set(why, -ENOMEM, "no memory for %zu bytes", size);
    int r = file_read_all_at(spool->fd, out->bytes, size, offset);
    if (r < 0)
        return error_set(why, r == -ENODATA ? -EIO : r, "%s: cannot read what was unpacked: %s",
                         spool->folder, r == -ENODATA ? "it is shorter than it was" : strerror(-r));
    out->size = size;
    return 0;
}
