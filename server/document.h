/* SPDX-License-Identifier: Apache-2.0
 * Answers of text that are kept, as they are and as gzip. */
#pragma once

#include "server/request.h"
#include "server/samples/reply.h"

/* In a check: the answer comes as gzip where the client takes it. */
void document_offer_gzip(struct request *request);

/* Whether the entry's text is there already. */
bool document_is_made(const struct request *request, enum entry_text text);

/* In a handler: answer with the entry's text, or with the problem in making it. */
void document_answer(struct request *request, struct reply *reply, enum entry_text text);

/* The same with the text about `state` (see latest_add()). */
struct document_state {
    const void *bytes;
    size_t size;
};

void document_answer_latest(struct request *request, struct reply *reply, struct latest *latest,
                            const struct document_state *state, kept_maker *make, const void *user);
