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

int encode_cut(const struct form *form, const struct recipe *recipe, struct reply *reply,
               struct cut *ret, struct error *why)
{
    struct event_span events;
    void *room = NULL;
    uint64_t room_size = cut_room(form, recipe->rule.order, recipe_max_events(recipe));
    int r = encode_events(recipe, reply, &events, why);
    if (r == 0 && room_size)
        r = reply_alloc(reply, room_size, &room, why);
    if (r < 0)
        return r;
    r = cut_events(form, events, room, ret, why);
    return r < 0 ? recipe_failed(recipe, r, why) : 0;
}

static void set_shape(struct encoded *encoded, const struct form *form, uint32_t n_frames)
{
    tensor_dims(encoded->row, form, n_frames, encoded->dims);
    encoded->size = tensor_size(encoded->row, form, n_frames);
}

/* What could be told ahead of making it. */
static int encode_head(const struct form *form, const struct recipe *recipe, struct reply *reply,
                       struct encoded *encoded, struct error *why)
{
    uint32_t n_frames;
    uint64_t events =
        encode_events_size(recipe) + cut_room(form, recipe->rule.order, recipe_max_events(recipe));
    if (reply_skips(reply, cut_is_certain(form, &n_frames)))
        return reply_check(reply, events, why);
    set_shape(encoded, form, n_frames);
    return reply_check(reply, events + encoded->size, why);
}

int encode_tensor(const struct form *form, const struct recipe *recipe, struct reply *reply,
                  struct encoded *ret, struct error *why)
{
    struct encoded encoded = {.row = tensor_row_of(form, false)};
    struct cut cut;
    void *bytes;
    int r;
    if (reply->head_only) {
        r = encode_head(form, recipe, reply, &encoded, why);
    } else {
        r = encode_cut(form, recipe, reply, &cut, why);
        if (r < 0)
            return r;
        set_shape(&encoded, form, cut.n_frames);
        r = reply_alloc(reply, encoded.size, &bytes, why);
        if (r < 0)
            return r;
        r = encoded.row->fill(form, &cut, cut.n_frames, NULL, bytes, why);
        if (r < 0)
            return recipe_failed(recipe, r, why);
        encoded.bytes = bytes;
        tally_add(TALLY_FRAMES, 1);
    }
    if (r == 0)
        *ret = encoded;
    return r;
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
