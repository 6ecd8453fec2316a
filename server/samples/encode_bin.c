/* SPDX-License-Identifier: Apache-2.0
 * One sample as plain bytes: packed events (AER40), or the values of a tensor. */
#include "server/samples/encode.h"

static int add_events(const struct recipe *recipe, struct reply *reply, struct error *why)
{
    bool stored = recipe->kind == RECIPE_STORED;
    if (reply_skips(reply, stored))
        return reply_check(reply, encode_events_size(recipe), why);
    struct event_span events;
    int r = encode_events(recipe, reply, &events, why);
    if (r < 0)
        return r;
    size_t size = events.n_events * EVENT_BYTES;
    return stored ? reply_borrow_known(reply, events.bytes, size, recipe->checksum, why)
                  : reply_borrow(reply, events.bytes, size, why);
}

int encode_bin(const struct entry *entry, const struct form *form, const struct recipe *recipe,
               struct reply *reply, struct error *why)
{
    encode_about(entry, recipe, reply);
    if (form->as == FORM_EVENTS)
        return add_events(recipe, reply, why);
    struct encoded tensor;
    int r = encode_tensor(form, recipe, reply, &tensor, why);
    return r < 0 || reply->unknown_length ? r : reply_borrow(reply, tensor.bytes, tensor.size, why);
}
