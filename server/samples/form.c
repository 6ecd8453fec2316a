/* SPDX-License-Identifier: Apache-2.0
 * In which form samples are wanted. */
#include "server/samples/form.h"

#include <errno.h>

bool form_is_plain_frames(const struct form *form)
{
    return form->as == FORM_FRAMES && form->slice.slice == SLICE_TIMESTEP && !form->is_voxel &&
           !form->filter.merge_polarity && form->frames.values == FRAMES_U8;
}

bool form_needs_time(const struct form *form, struct error *why)
{
    bool sliced =
        form->as != FORM_EVENTS && (form->is_voxel || form->slice.slice != SLICE_TIMESTEP);
    if (form->is_filtered)
        error_set(why, -EINVAL, "stabilize, t0, t1, denoise and polarity");
    else if (sliced)
        error_set(why, -EINVAL, "every slice but timestep");
    return form->is_filtered || sliced;
}

struct tensor_shape form_shape(const struct form *form)
{
    bool counts = form->slice.slice != SLICE_TIMESTEP;
    return (struct tensor_shape){
        .geometry = form->frames.geometry,
        .channels = form->filter.merge_polarity ? 1 : SENSOR_POLARITIES,
        .overlap = counts ? FRAMES_SUM : form->frames.overlap,
    };
}
