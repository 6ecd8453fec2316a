/* SPDX-License-Identifier: Apache-2.0
 * A place in a stream, as a short text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"

enum { CURSOR_REVISION_DIGITS = 16, CURSOR_VIEW_MAX = 200 };

/* PART: samples of a list, shuffled for each epoch; LIST: the same in the order of the list; VIEW:
 * those of a view, shuffled as those of a list. */
enum cursor_kind { CURSOR_EPOCH, CURSOR_PAIRS, CURSOR_PART, CURSOR_LIST, CURSOR_VIEW };

struct cursor {
    enum cursor_kind kind;
    char split[WIRE_NAME_MAX + 1];
    char revision[CURSOR_REVISION_DIGITS + 1]; /* the first digits */
    /* The form of the samples: the order of their events (8 bits) and, behind that, the CRC-32C of
     * what filters them (0: nothing does); and what their times are rounded to. */
    uint64_t form, timestep_us;
    uint64_t seed, epoch;
    uint64_t size, last; /* of the global batches; 0 for pairs, which resume by pair */
    uint64_t next;       /* global batch; or pair */
    uint64_t part;       /* of PART, LIST and VIEW: how many samples (32 bits), and their CRC-32C */
    char view[CURSOR_VIEW_MAX + 1]; /* of VIEW: its words, as many as there is room for */
};

/* Errors: -ENOBUFS. */
int cursor_write(const struct cursor *cursor, char *ret, size_t size);

/* Errors: -EINVAL. */
int cursor_read(const char *text, struct cursor *ret, struct error *why);
