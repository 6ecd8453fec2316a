/* SPDX-License-Identifier: Apache-2.0
 * From the text of a URL to checked values: query parameters, the variable parts of the path, the
 * split that they name, the form that they ask for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/pattern.h"
#include "server/request.h"
#include "server/samples/reply.h"

/* Read all into `request`. `allowed` has the PARAM_BIT of each parameter that this path takes.
 * False: `reply` is the problem. */
bool arguments_read(struct request *request, struct reply *reply, uint64_t allowed,
                    const struct match *match);
