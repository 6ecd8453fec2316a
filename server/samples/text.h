/* SPDX-License-Identifier: Apache-2.0
 * A growing piece of text, for answers whose arrays of numbers are too long for a JSON library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/request.h"
#include "server/samples/reply.h"

struct text {
    char *at; /* not terminated */
    size_t used, size;
    bool failed; /* no memory: everything after is ignored */
};

void text_add(struct text *text, const char *piece);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_u64(struct text *text, uint64_t value);
void text_free(struct text *text);

/* Make the text the body of `reply`, or the reply a problem; the text is empty afterwards. */
void text_finish(struct text *text, const struct request *request, struct reply *reply);
