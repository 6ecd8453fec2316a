/* SPDX-License-Identifier: Apache-2.0
 * What the encoders share. */
#include "server/samples/encode.h"

#include <stdlib.h>
#include <string.h>

#include "common/digits.h"
#include "common/wire.h"
#include "server/samples/decimal.h"
#include "server/samples/tally.h"

enum { SOURCES_TEXT_SIZE = MIX_MAX_DIGITS * (DECIMAL_U32_MAX + sizeof ", -") + DECIMAL_SLACK };

uint64_t encode_events_size(const struct recipe *recipe)
{
    return recipe->kind == RECIPE_STORED ? 0 : recipe_max_events(recipe) * EVENT_BYTES;
}

int encode_events(const struct recipe *recipe, struct reply *reply, struct event_span *ret,
                  struct error *why)
{
    *ret = recipe->parts[0];
    if (recipe->kind == RECIPE_STORED)
        return recipe_vouch(recipe, why);
    void *bytes;
    int r = reply_alloc(reply, encode_events_size(recipe), &bytes, why);
    ret->bytes = bytes;
    return r < 0 ? r : recipe_make(recipe, bytes, &ret->n_events, why);
}

int encode_frames(const struct form *form, const struct recipe *recipe, struct reply *reply,
                  const uint8_t **ret, struct error *why)
{
    struct event_span events;
    void *frames;
    *ret = NULL;
    if (reply->head_only)
        return reply_check(reply, encode_events_size(recipe) + frames_size(&form->frames), why);
    int r = encode_events(recipe, reply, &events, why);
    if (r == 0)
        r = reply_alloc(reply, frames_size(&form->frames), &frames, why);
    if (r < 0)
        return r;
    frames_fill(&form->frames, events, frames);
    tally_add(TALLY_FRAMES, 1);
    *ret = frames;
    return 0;
}

void encode_about(const struct entry *entry, const struct recipe *recipe, struct reply *reply)
{
    char digits[DIGITS_TEXT_SIZE], sources[SOURCES_TEXT_SIZE], *at = sources;
    digits_text(recipe->labels, ", ", digits);
    for (unsigned i = 0; i < recipe->n_sources; i++) {
        int32_t source = recipe->sources[i];
        at = i ? stpcpy(at, ", ") : at;
        at = source < 0 ? stpcpy(at, "-") : at;
        at = decimal_put(at, (uint32_t)llabs(source));
    }
    *at = '\0';
    if (digits[0]) /* an empty value is no header */
        reply_add_header(reply, WIRE_LABELS, digits);
    reply_add_header(reply, WIRE_SOURCES, sources);
    reply_add_header(reply, WIRE_REVISION, entry->revision);
}
