/* SPDX-License-Identifier: Apache-2.0
 * Writes a split as WebDataset shards, byte for byte those that the daemon answers with. */
#include "generator/shard_export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/file.h"
#include "common/shard.h"
#include "common/wire.h"
#include "generator/buffer.h"
#include "generator/interrupt.h"
#include "generator/progress.h"

struct export
{
    const struct split *split;
    struct shard_rule rule;
    struct buffer buffer; /* a sample, with what stands around it */
    struct progress progress;
};

static int read_events(const struct export *export, uint64_t i, const struct sample *sample,
                       uint8_t *out, struct error *why)
{
    size_t size = sample->events.n_events * EVENT_BYTES;
    uint64_t at = split_events_start(export->split) + split_offsets(export->split)[i] * EVENT_BYTES;
    int r = split_read(export->split, at, out, size, why);
    if (r == 0 && crc32c(0, out, size) != sample->checksum)
        r = error_set(why, -EBADMSG, "it has another checksum");
    return r < 0 ? error_prefix(why, r, "sample %" PRIu64, i) : 0;
}

static int write_sample(struct export *export, int fd, uint64_t i, struct error *why)
{
    struct buffer *buffer = &export->buffer;
    const struct sample sample = split_sample(export->split, i);
    size_t size = sample.events.n_events * EVENT_BYTES;
    if (buffer_reserve(buffer, SHARD_BEFORE + size + SHARD_AFTER_MAX) < 0)
        return error_set(why, -ENOMEM, "no memory for %zu bytes", size);
    int r = shard_before(&export->rule, i, size, buffer->bytes);
    if (r < 0)
        return error_set(why, r, "sample %" PRIu64 " is more than a tar archive takes", i);
    buffer->size = (size_t)r + size;
    r = read_events(export, i, &sample, buffer->bytes + r, why);
    if (r < 0)
        return r;
    buffer->size += shard_after(&export->rule, i, size, sample.labels, sample.sources,
                                buffer->bytes + buffer->size);
    r = file_write_all(fd, buffer->bytes, buffer->size);
    if (r < 0)
        return error_set(why, r, "cannot write: %s", strerror(-r));
    progress_show(&export->progress, i + 1);
    return interrupt_check(why);
}

static int write_shard(struct export *export, int fd, struct shard_range range, struct error *why)
{
    static const uint8_t end[USTAR_END];
    int r = 0;
    for (uint64_t i = range.first; r == 0 && i < range.first + range.n; i++)
        r = write_sample(export, fd, i, why);
    if (r < 0)
        return r;
    r = file_write_all(fd, end, sizeof end);
    return r < 0 ? error_set(why, r, "cannot write: %s", strerror(-r)) : 0;
}

static int write_file(struct export *export, int folder, uint64_t shard, struct shard_range range,
                      struct error *why)
{
    char name[SHARD_NAME_SIZE + sizeof "." WIRE_TAR];
    shard_name(export->rule.split, shard, name);
    strcat(name, "." WIRE_TAR);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int r = fd < 0 ? error_set(why, -errno, "cannot make it: %s", strerror(errno))
                   : write_shard(export, fd, range, why);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = error_set(why, -errno, "cannot write: %s", strerror(errno));
    return r < 0 ? error_prefix(why, r, "%s", name) : 0;
}

int shard_export(const struct split *split, const char *name, uint64_t per_shard, int folder,
                 uint64_t *ret_n, struct error *why)
{
    struct export export = {
        .split = split,
        .rule = {.split = name,
                 .revision = split_revision(split),
                 .ending = WIRE_BIN,
                 .has_class = strcmp(split_meta(split, "kind"), SPLIT_KIND_SOURCE) == 0},
    };
    uint64_t n_samples = split_n_samples(split), n = shard_count(n_samples, per_shard);
    int r = 0;
    progress_start(&export.progress, name, "samples", n_samples);
    for (uint64_t shard = 0; r == 0 && shard < n; shard++)
        r = write_file(&export, folder, shard, shard_range(shard, n_samples, per_shard), why);
    progress_end(&export.progress);
    buffer_free(&export.buffer);
    if (r == 0)
        *ret_n = n;
    return r;
}
