/* SPDX-License-Identifier: Apache-2.0
 * Whether a request's head can be read in one way only (RFC 9112): a proxy in front must not see
 * another request than we do. libmicrohttpd reads nearly everything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "server/problem.h"

/* The head's lines, as they come by. All pointers go into the memory that the head was received in,
 * where each end of a line has become two zeros. */
struct framing {
    const char *start, *version;
    const char *next; /* where the next line has to begin */
    unsigned n_hosts, n_lengths, n_codings;
    const char *length, *coding;
    bool broken; /* a line is not of the form "name: value" CR LF */
};

/* A request line "`method` `target` `version`"; `target` is a copy. */
void framing_begin(struct framing *ret, const char *method, const char *target,
                   const char *version);

void framing_add(struct framing *framing, const char *name, size_t name_size, const char *value,
                 size_t value_size);

/* After the last line of a head of `size` bytes. False: it is refused for this reason. */
bool framing_check(const struct framing *framing, size_t size, enum problem_kind *ret_kind,
                   const char **ret_words);
