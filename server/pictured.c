/* SPDX-License-Identifier: Apache-2.0
 * Which parameters go with pictures, and which pictures are too large to make. */
#include "server/pictured.h"

#include <inttypes.h>

#include "common/picture.h"
#include "server/arguments.h"
#include "server/problem.h"

enum { SHEET_SCALE = 3 /* ten side by side are as wide as a page */ };

static bool check_pixels(struct request *request, struct reply *reply, uint64_t pixels)
{
    if (pixels > PICTURE_PIXELS_MAX)
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", PICTURE_PIXELS_MAX,
                       "this picture has %" PRIu64 " pixels; the limit is %d: less of scale, strip "
                       "or frames goes",
                       pixels, PICTURE_PIXELS_MAX);
    return pixels <= PICTURE_PIXELS_MAX;
}

bool pictured_check_sheet(struct request *request, struct reply *reply, uint64_t n)
{
    if (n == 0 || n > PICTURE_SHEET_MAX)
        problem_number(request, reply, n ? PROBLEM_TOO_LARGE : PROBLEM_NO_SUCH_SAMPLE, "limit",
                       PICTURE_SHEET_MAX,
                       "a contact sheet of %" PRIu64 " samples; it has one at least and %d at most",
                       n, PICTURE_SHEET_MAX);
    return n > 0 && n <= PICTURE_SHEET_MAX &&
           check_pixels(request, reply, encode_png_sheet_pixels(&request->form, n));
}

/* A page of rows has nothing but its own: events stand in its picture alone. */
uint64_t pictured_params(const struct route *route)
{
    if (route->serves == SERVES_DOCUMENT)
        return ARGUMENTS_PICTURE | ARGUMENTS_FILTERS | PARAM_BIT(PARAM_ORDER);
    return ARGUMENTS_PICTURE;
}

static bool check_none(struct request *request, struct reply *reply)
{
    uint64_t given = request->given & pictured_params(request->route);
    if (given)
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s goes with " WIRE_PNG ", not with %s",
                param_rows[__builtin_ctzll(given)].name, format_rows[request->format].extension);
    return !given;
}

bool pictured_check(struct request *request, struct reply *reply)
{
    struct form_picture *picture = &request->form.picture;
    if (request->format != FORMAT_PNG)
        return check_none(request, reply);
    if (picture->strip > 1 && picture->frames > 1) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "strip does not go with frames");
        return false;
    }
    if (request->route->serves == SERVES_SAMPLE)
        return check_pixels(request, reply, encode_png_pixels(&request->form));
    if (!request_gave(request, PARAM_SCALE))
        picture->scale = SHEET_SCALE;
    return true; /* how many samples it has is not known yet */
}
