/* SPDX-License-Identifier: Apache-2.0
 * One sample as NumPy's file: structured events, or a tensor. */
#include "common/npy.h"

#include "server/samples/encode.h"

static int add_header(struct reply *reply, const char *descr, const uint64_t *dims, unsigned n_dims,
                      struct error *why)
{
    void *header;
    int r = reply_alloc(reply, NPY_HEADER_MAX, &header, why);
    return r < 0 ? r : reply_borrow(reply, header, npy_header(header, descr, dims, n_dims), why);
}

static int add_events(const struct recipe *recipe, struct reply *reply, struct error *why)
{
    struct event_span events = recipe->parts[0];
    void *structured = NULL;
    int r;
    if (reply_skips(reply, recipe->kind == RECIPE_STORED))
        return reply_check(reply, encode_events_size(recipe) + NPY_HEADER_MAX, why);
    if (reply->head_only) {
        r = reply_check(reply, events.n_events * NPY_EVENT_BYTES, why);
        if (r < 0)
            return r;
    } else {
        r = encode_events(recipe, reply, &events, why);
        if (r == 0)
            r = reply_alloc(reply, events.n_events * NPY_EVENT_BYTES, &structured, why);
        if (r < 0)
            return r;
        npy_events(events.bytes, events.n_events, structured);
    }
    uint64_t n_events = events.n_events;
    r = add_header(reply, npy_event_descr, &n_events, 1, why);
    return r < 0 ? r : reply_borrow(reply, structured, n_events * NPY_EVENT_BYTES, why);
}

int encode_npy(const struct entry *entry, const struct form *form, const struct recipe *recipe,
               struct reply *reply, struct error *why)
{
    encode_about(entry, recipe, reply);
    if (form->as == FORM_EVENTS)
        return add_events(recipe, reply, why);
    struct encoded tensor;
    int r = encode_tensor(form, recipe, reply, &tensor, why);
    if (r < 0 || reply->unknown_length)
        return r;
    r = add_header(reply, tensor.row->descr, tensor.dims, TENSOR_DIMS, why);
    return r < 0 ? r : reply_borrow(reply, tensor.bytes, tensor.size, why);
}
