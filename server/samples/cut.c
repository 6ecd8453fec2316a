/* SPDX-License-Identifier: Apache-2.0
 * The events of one sample on their way to a tensor. */
#include "server/samples/cut.h"

#include <errno.h>

#include "common/event_order.h"
#include "server/samples/scratch.h"

static bool is_cut(const struct form *form)
{
    return form->as != FORM_EVENTS && !form->is_voxel && !form_is_plain_frames(form);
}

bool cut_is_fixed(const struct form *form, uint32_t *ret_n)
{
    if (is_cut(form))
        return slices_are_fixed(&form->slice, ret_n);
    *ret_n = form->frames.bins;
    return true;
}

bool cut_is_certain(const struct form *form, uint32_t *ret_n)
{
    enum slice slice = form->slice.slice;
    uint32_t n;
    if (!cut_is_fixed(form, &n) || n > FRAMES_BINS_MAX || form->is_voxel ||
        slice == SLICE_TIME_BINS || slice == SLICE_TIME)
        return false;
    *ret_n = n;
    return true;
}

bool cut_overlaps(const struct form *form)
{
    const struct slice_rule *rule = &form->slice;
    switch (rule->slice) {
    case SLICE_WINDOW:
        return rule->stride_us < rule->timestep_us;
    case SLICE_EVENT_COUNT:
        return rule->stride_events < rule->n_events;
    case SLICE_TIME_BINS:
        return rule->bin_overlap > 0;
    default:
        return false;
    }
}

uint64_t cut_room(const struct form *form, enum mix_order order, uint64_t n_events)
{
    return is_cut(form) && order == MIX_PUBLISHED ? n_events * EVENT_BYTES : 0;
}

/* Frames by timestep are of sets of events: they are the same in whatever order those came. */
static int put_in_order(const struct form *form, struct event_span *events, uint8_t *room,
                        struct error *why)
{
    if (form->slice.slice != SLICE_TIMESTEP || event_is_ordered(*events) || !room)
        return 0;
    if (event_put_in_order(*events, room) < 0)
        return error_set(why, -ENOMEM, "no memory to order %zu events", events->n_events);
    events->bytes = room;
    return 0;
}

int cut_events(const struct form *form, struct event_span events, uint8_t *room, struct cut *ret,
               struct error *why)
{
    struct cut cut = {.n_frames = form->frames.bins};
    const struct tensor_shape shape = form_shape(form);
    if (form->as == FORM_SPARSE && !sparse_fits(&shape))
        return error_set(why, -EINVAL, "its sensor has more than the %d places of sparse frames",
                         SPARSE_PLACES_MAX);
    if (is_cut(form)) {
        struct slices *slices = scratch_slices();
        int r = slices ? put_in_order(form, &events, room, why)
                       : error_set(why, -ENOMEM, "no memory to cut %zu events", events.n_events);
        if (r == 0)
            r = slices_cut(&form->slice, events, slices, why);
        if (r < 0)
            return r == -E2BIG ? -EFBIG : r;
        cut.slices = slices;
        cut.n_frames = slices->n;
    }
    cut.events = events;
    *ret = cut;
    return 0;
}
