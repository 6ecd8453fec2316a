/* SPDX-License-Identifier: Apache-2.0
 * From the text of a URL to checked values: query parameters, the variable parts of the path, the
 * split that they name, the form that they ask for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/view_words.h"
#include "server/pattern.h"
#include "server/request.h"
#include "server/samples/reply.h"

/* Those that say which part of a split is asked for; a parameter of them is a word of a view. */
#define ARGUMENTS_VIEW ((PARAM_BIT(PARAM_FOLD_SEED) << 1) - PARAM_BIT(PARAM_KIND))

static inline enum view_word arguments_view_word(enum param param)
{
    return (enum view_word)(param - PARAM_KIND);
}

/* Read all into `request`. `allowed` has the PARAM_BIT of each parameter that this path takes.
 * False: `reply` is the problem. */
bool arguments_read(struct request *request, struct reply *reply, uint64_t allowed,
                    const struct match *match);
