/* SPDX-License-Identifier: Apache-2.0
 * Whether a request is served at all: how much its address has asked for, and whose token it has.
 * Before anything of it is looked at, and for every path but those of health. */
#pragma once

#include <stdbool.h>

#include "server/request.h"
#include "server/samples/reply.h"

/* False: `reply`, whose address is set, is the answer (401, 429). True: request->caller is the name
 * of the token. */
bool access_check(struct request *request, struct reply *reply);

/* What the answer of a request costs its address. */
void access_charge(const struct request *request, const struct reply *reply);
