/* SPDX-License-Identifier: Apache-2.0
 * Answers of which a part can be asked for: Range, and what is said in return. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/range.h"
#include "server/request.h"
#include "server/samples/reply.h"

/* The bytes that are asked for of a body of `size`, both ends included; all of them, unless it is
 * RANGE_PART. Says so in the headers; RANGE_OUTSIDE is a problem already. */
struct partial {
    enum range_result range;
    uint64_t first, last;
};
struct partial partial_of(struct request *request, struct reply *reply, uint64_t size);
