/* SPDX-License-Identifier: Apache-2.0
 * Answers of which a part can be asked for. */
#include "server/partial.h"

#include <inttypes.h>

#include "server/problem.h"
#include "server/validators.h"

struct partial partial_of(struct request *request, struct reply *reply, uint64_t size)
{
    struct partial partial = {.first = 0, .last = size - 1};
    bool in_part = request->method == METHOD_GET && validators_allow_range(request);
    partial.range =
        range_parse(in_part ? request->range : NULL, size, &partial.first, &partial.last);
    if (partial.range == RANGE_OUTSIDE) {
        problem(request, reply, PROBLEM_RANGE, "the file has %" PRIu64 " bytes", size);
        reply_set_header(reply, "Content-Range", "bytes */%" PRIu64, size);
        return partial;
    }
    if (partial.range == RANGE_PART) {
        reply->status = 206;
        reply_set_header(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                         partial.first, partial.last, size);
    }
    reply_set_header(reply, "Accept-Ranges", "bytes");
    return partial;
}
