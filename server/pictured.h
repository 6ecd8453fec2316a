/* SPDX-License-Identifier: Apache-2.0
 * Which parameters go with pictures, and which pictures are too large to make. */
#pragma once

#include <stdbool.h>

#include "server/request.h"
#include "server/samples/reply.h"

/* Whether what is asked for goes with the format, and is not too much of it. The route and the
 * form are known. False: `reply` is the problem. */
bool pictured_check(struct request *request, struct reply *reply);

/* Whether that many pixels may be asked for. */
bool pictured_check_pixels(struct request *request, struct reply *reply, uint64_t pixels);
