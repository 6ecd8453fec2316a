/* SPDX-License-Identifier: Apache-2.0
 * Answers of text that are kept. */
#include "server/document.h"

#include "server/description.h"
#include "server/problem.h"

void document_offer_gzip(struct request *request)
{
    request->codable = true;
    request->coded = format_takes_gzip(request->accept_encoding);
}

static enum kept_coding coding_of(const struct request *request)
{
    return request->coded ? KEPT_GZIP : KEPT_PLAIN;
}

bool document_is_made(const struct request *request, enum entry_text text)
{
    return kept_is_made(&request->entry->texts[text]);
}

void document_answer(struct request *request, struct reply *reply, enum entry_text text)
{
    struct error why;
    int r = description_keep(request->entry, text, &why);
    if (r == 0)
        r = kept_add(&request->entry->texts[text], coding_of(request), reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}

void document_answer_latest(struct request *request, struct reply *reply, struct latest *latest,
                            const struct document_state *state, kept_maker *make, const void *user)
{
    struct error why;
    int r =
        latest_add(latest, state->bytes, state->size, coding_of(request), make, user, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
