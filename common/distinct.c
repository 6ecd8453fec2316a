/* SPDX-License-Identifier: Apache-2.0
 * Drops events that are equal to an earlier one. */
#include "common/distinct.h"

#include <string.h>

#include "common/event_codec.h"

enum { ALONE = 16 }; /* events that the plain loop takes before the vector code tries again */

/* The number that stands for time 0 in this call. */
static uint32_t begin(struct distinct *distinct)
{
    if (distinct->passed > UINT32_MAX - 2 * (EVENT_T_MAX + 1u)) {
        memset(distinct->last, 0, sizeof distinct->last);
        distinct->passed = 0;
    }
    uint32_t zero = distinct->passed + 1;
    distinct->passed += EVENT_T_MAX + 1;
    return zero;
}

/* 1 when the event is new at its time, else 0. */
static uint32_t note(struct distinct *distinct, uint32_t zero, uint64_t key)
{
    uint32_t now = zero + key_time(key), *last = &distinct->last[key_place(key)];
    uint32_t fresh = *last != now;
    *last = now;
    return fresh;
}

/* Every event is written, but the next one takes its place if it was not new: no branch. */
size_t distinct_keys(struct distinct *distinct, uint64_t *keys, size_t n)
{
    uint32_t zero = begin(distinct);
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = keys[i];
        keys[n_kept] = key;
        n_kept += note(distinct, zero, key);
    }
    return n_kept;
}

/* Two at most: the vector code stops before a third event at one time. */
static void note_packed(struct distinct *distinct, uint32_t zero, const uint64_t *end,
                        size_t n_packed, uint64_t next)
{
    for (size_t i = 1; i <= n_packed && key_time(end[-(ptrdiff_t)i]) == key_time(next); i++)
        note(distinct, zero, end[-(ptrdiff_t)i]);
}

size_t distinct_pack(struct distinct *distinct, const uint64_t *keys, size_t n, uint8_t *out)
{
    uint32_t zero = begin(distinct);
    uint8_t *at = out;
    for (const uint64_t *key = keys, *end = keys + n; key < end;) {
        size_t n_packed = event_pack_distinct_keys(key, (size_t)(end - key), at);
        key += n_packed;
        at += n_packed * EVENT_BYTES;
        if (key < end)
            note_packed(distinct, zero, key, n_packed, *key);
        for (const uint64_t *stop = end - key < ALONE ? end : key + ALONE; key < stop; key++) {
            key_pack(*key, at);
            at += note(distinct, zero, *key) * EVENT_BYTES;
        }
    }
    return (size_t)(at - out) / EVENT_BYTES;
}
