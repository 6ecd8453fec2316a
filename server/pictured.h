/* SPDX-License-Identifier: Apache-2.0
 * Which parameters go with pictures, and which pictures are too large to make. */
#pragma once

#include <stdbool.h>

#include "server/request.h"
#include "server/route.h"
#include "server/samples/reply.h"

/* Whether what is asked for goes with the format, and is not too much of it. The route and the
 * form are known. False: `reply` is the problem. */
bool pictured_check(struct request *request, struct reply *reply);

/* PARAM_BIT of each that goes with pictures alone, at that path. */
uint64_t pictured_params(const struct route *route);

/* Whether a contact sheet of n samples may be asked for. */
bool pictured_check_sheet(struct request *request, struct reply *reply, uint64_t n);
