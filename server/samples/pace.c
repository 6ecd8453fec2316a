/* SPDX-License-Identifier: Apache-2.0
 * A long answer from maps, read from the disk a window at a time while it leaves. */
#include "server/samples/pace.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "server/samples/ahead.h"

/* A look costs a third of a microsecond: no hundredth of what sending as much does. */
enum { LOOK_BYTES = 128 * 1024, MOST_LOOKS = 4096 };

enum { READ_BYTES = 128 * 1024 }; /* at a time: they stay in a cache of the processor */

static uint64_t place_in(const struct split *split, const void *bytes)
{
    return (uint64_t)((const uint8_t *)bytes - split_bytes(split));
}

static bool is_there(const struct reply *reply, const struct iovec *part, size_t at)
{
    const uint8_t *bytes = (const uint8_t *)part->iov_base + at;
    const struct split *split = reply_lender(reply, bytes);
    return !split || split_is_cached(split, place_in(split, bytes), 1);
}

bool pace_is_there(const struct reply *reply)
{
    uint64_t step = reply->n_bytes / MOST_LOOKS, next = 0;
    if (step < LOOK_BYTES)
        step = LOOK_BYTES;
    for (size_t i = 0; i < reply->n_parts; i++) {
        for (; next < reply->parts[i].iov_len; next += step)
            if (!is_there(reply, &reply->parts[i], next))
                return false;
        next -= reply->parts[i].iov_len;
    }
    return true;
}

/* Do that with what is borrowed of `size` bytes behind the place, which moves on behind them. */
static void each(const struct reply *reply, struct pace_place *place, size_t size,
                 void (*act)(const struct split *split, const void *bytes, size_t size))
{
    for (; size > 0 && place->part < reply->n_parts; place->part++, place->skipped = 0) {
        const struct iovec *part = &reply->parts[place->part];
        const uint8_t *bytes = (const uint8_t *)part->iov_base + place->skipped;
        size_t left = part->iov_len - place->skipped, piece = left < size ? left : size;
        const struct split *split = piece > 0 ? reply_lender(reply, bytes) : NULL;
        if (split)
            act(split, bytes, piece);
        size -= piece;
        if (piece < left) {
            place->skipped += piece;
            return;
        }
    }
}

static void fetch(const struct split *split, const void *bytes, size_t size)
{
    (void)split;
    ahead_fetch(bytes, size);
}

/* Of a part that is longer than what is read at a time the kernel reads ahead by itself, and in
 * larger pages. */
static void fetch_short(const struct split *split, const void *bytes, size_t size)
{
    if (size <= READ_BYTES)
        fetch(split, bytes, size);
}

static void await(const struct split *split, const void *bytes, size_t size)
{
    uint8_t copy[READ_BYTES];
    struct error why;
    int r = 0;
    for (size_t at = 0; r == 0 && at < size; at += sizeof copy)
        r = split_read(split, place_in(split, bytes) + at, copy,
                       size - at < sizeof copy ? size - at : sizeof copy, &why);
}

void pace_await(const struct reply *reply, struct pace_place place)
{
    struct pace_place ahead = place;
    each(reply, &ahead, PACE_WINDOW_BYTES, fetch_short);
    each(reply, &place, PACE_WINDOW_BYTES, await);
    each(reply, &ahead, PACE_WINDOW_BYTES, fetch);
}

size_t pace_copy(const struct reply *reply, const void *from, void *out, size_t size)
{
    const struct split *split = reply_lender(reply, from);
    for (size_t n = 0; split && n < size;) {
        ssize_t more =
            split_copy_cached(split, place_in(split, from) + n, (uint8_t *)out + n, size - n);
        if (more == -EAGAIN)
            return n;
        if (more <= 0) /* it cannot be told, or the map's guard knows what to do */
            break;
        n += (size_t)more;
        if (n == size)
            return size;
    }
    memcpy(out, from, size);
    return size;
}
