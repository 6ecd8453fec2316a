/* SPDX-License-Identifier: Apache-2.0
 * What must be true of a split, and of each of its samples. */
#include "generator/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/digits.h"
#include "common/event.h"
#include "common/sha256.h"
#include "generator/interrupt.h"

static bool is_source(const struct check *check)
{
    return strcmp(split_meta(check->split, "kind"), SPLIT_KIND_SOURCE) == 0;
}

static unsigned count_labels(const struct sample *sample)
{
    uint8_t digits[N_DIGITS];
    return digits_of(sample->labels, digits);
}

/* Put the sample's events into `copy`, and let it borrow them from there. They are read, not looked
 * at in the map: each page of that costs more than to copy it, since it is needed once. */
static int read_events(const struct check *check, uint64_t i, struct buffer *copy,
                       struct sample *sample, struct error *why)
{
    size_t size = sample->events.n_events * EVENT_BYTES;
    uint64_t at = split_events_start(check->split) + split_offsets(check->split)[i] * EVENT_BYTES;
    if (buffer_reserve(copy, size) < 0)
        return error_set(why, -ENOMEM, "no memory for %zu bytes", size);
    int r = split_read(check->split, at, copy->bytes, size, why);
    copy->size = r < 0 ? 0 : size;
    sample->events.bytes = copy->bytes;
    return r;
}

static int check_checksum(const struct sample *sample, struct error *fault)
{
    uint32_t sum = crc32c(0, sample->events.bytes, sample->events.n_events * EVENT_BYTES);
    if (sum == sample->checksum)
        return 0;
    return error_set(fault, -EBADMSG, "its events have checksum %08" PRIx32 ", not %08" PRIx32, sum,
                     sample->checksum);
}

static int check_labels(const struct check *check, const struct sample *sample, struct error *fault)
{
    unsigned n = count_labels(sample), limit = is_source(check) ? 1 : 2;
    if (n < 1 || n > limit)
        return error_set(fault, -EBADMSG, "it has %u labels, not %s", n,
                         limit == 1 ? "1" : "1 or 2");
    return 0;
}

static void check_events(const struct check *check, const struct sample *sample,
                         struct buffer *copy, struct error *fault)
{
    bool two_in_a_row = check->order == MIX_PUBLISHED && count_labels(sample) == 2;
    size_t n_events;
    if (event_check(copy->bytes, copy->size, two_in_a_row ? 1 : 0, &n_events, fault) < 0)
        return;
    if (n_events == 0)
        error_set(fault, 0, "it holds no events");
    else if (n_events != sample->events.n_events)
        error_set(fault, 0, "it holds time-overflow markers");
}

static void check_no_sources(const struct check *check, const struct sample *sample,
                             struct error *fault)
{
    bool number = is_source(check);
    if ((number ? sample->sources[0] < 0 : sample->sources[0] < -1) || sample->sources[1] < -1 ||
        (number && sample->sources[1] != -1))
        error_set(fault, 0, "its sources are %" PRId32 ", %" PRId32 "%s", sample->sources[0],
                  sample->sources[1], number ? ", not a number and -1" : "");
}

static int check_against_source(const struct check *check, uint64_t i, const struct sample *sample,
                                struct mixer *mixer, struct buffer *mixed, struct error *fault,
                                struct error *why)
{
    const struct plan_row *row = &check->rows[i];
    if (sample->sources[0] != row->a || sample->sources[1] != row->b) {
        error_set(fault, 0,
                  "its sources are %" PRId32 ", %" PRId32 "; by the plan they are %" PRId32
                  ", %" PRId32,
                  sample->sources[0], sample->sources[1], row->a, row->b);
        return 0;
    }
    uint8_t labels[N_DIGITS];
    recordings_labels(&check->recordings, row, labels);
    if (memcmp(labels, sample->labels, N_DIGITS) != 0) {
        error_set(fault, 0, "its labels are not those of its sources");
        return 0;
    }
    int r = recordings_mix(&check->recordings, row, mixer, check->order, mixed, why);
    if (r < 0)
        return r;
    if (mixed->size != sample->events.n_events * EVENT_BYTES ||
        memcmp(mixed->bytes, sample->events.bytes, mixed->size) != 0)
        error_set(fault, 0, "its events are not the mix of its sources");
    return 0;
}

int check_sample(const struct check *check, uint64_t i, struct mixer *mixer, struct buffer *raw,
                 struct buffer *mixed, struct error *fault, struct error *why)
{
    struct sample sample = split_sample(check->split, i);
    int r = read_events(check, i, raw, &sample, why);
    if (r < 0 || check_checksum(&sample, fault) < 0 || check_labels(check, &sample, fault) < 0)
        return r;
    check_events(check, &sample, raw, fault);
    if (fault->text[0])
        return 0;
    if (check->recordings.source)
        return check_against_source(check, i, &sample, mixer, mixed, fault, why);
    check_no_sources(check, &sample, fault);
    return 0;
}

static int hash_data(const struct split *split, struct sha256 *hash, void *piece, size_t piece_size,
                     struct error *why)
{
    uint64_t at = split_data_start(split), end = split_size(split);
    int r = 0;
    while (r == 0 && at < end) {
        size_t size = end - at < piece_size ? (size_t)(end - at) : piece_size;
        r = split_read(split, at, piece, size, why);
        if (r == 0)
            sha256_add(hash, piece, size);
        if (r == 0)
            r = interrupt_check(why);
        at += size;
    }
    return r;
}

int check_data(const struct split *split, struct error *fault, struct error *why)
{
    enum { PIECE = 1 << 18 };
    const char *said = split_meta(split, "data_sha256");
    char found[SHA256_HEX + 1];
    struct sha256 *hash = NULL;
    void *piece = malloc(PIECE);
    int r = piece && sha256_new(&hash) == 0 ? hash_data(split, hash, piece, PIECE, why)
                                            : error_set(why, -ENOMEM, "no memory for a hash");
    free(piece);
    if (hash)
        sha256_hex(hash, found);
    sha256_free(hash);
    if (r == 0 && strcmp(found, said) != 0)
        error_set(fault, 0, "its data has SHA-256 %.12s..., its header says %.12s...", found, said);
    return r;
}
