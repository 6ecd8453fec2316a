/* SPDX-License-Identifier: Apache-2.0
 * Which parameters go with pictures, and which pictures are too large to make. */
#include "server/pictured.h"

#include <inttypes.h>

#include "common/picture.h"
#include "server/arguments.h"
#include "server/problem.h"
#include "server/route.h"

bool pictured_check_pixels(struct request *request, struct reply *reply, uint64_t pixels)
{
    if (pixels > PICTURE_PIXELS_MAX)
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", PICTURE_PIXELS_MAX,
                       "this picture has %" PRIu64 " pixels; the limit is %d: less of scale, strip "
                       "or frames goes",
                       pixels, PICTURE_PIXELS_MAX);
    return pixels <= PICTURE_PIXELS_MAX;
}

/* A page of rows has nothing but its own: events stand in its picture alone. */
static uint64_t pictures_alone(const struct request *request)
{
    if (request->route->serves == SERVES_DOCUMENT)
        return ARGUMENTS_PICTURE | ARGUMENTS_FILTERS | PARAM_BIT(PARAM_ORDER);
    return ARGUMENTS_PICTURE;
}

static bool check_none(struct request *request, struct reply *reply)
{
    uint64_t given = request->given & pictures_alone(request);
    if (given)
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s goes with " WIRE_PNG ", not with %s",
                param_rows[__builtin_ctzll(given)].name, format_rows[request->format].extension);
    return !given;
}

bool pictured_check(struct request *request, struct reply *reply)
{
    const struct form_picture *picture = &request->form.picture;
    if (request->format != FORMAT_PNG)
        return check_none(request, reply);
    if (picture->strip > 1 && picture->frames > 1) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "strip does not go with frames");
        return false;
    }
    return request->route->serves != SERVES_SAMPLE ||
           pictured_check_pixels(request, reply, encode_png_pixels(&request->form));
}
