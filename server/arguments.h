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

/* Those that shape pictures alone. */
#define ARGUMENTS_PICTURE \
    (PARAM_BIT(PARAM_SCALE) | PARAM_BIT(PARAM_STRIP) | PARAM_BIT(PARAM_FRAMES))

/* Those that say which events of a sample are kept. */
#define ARGUMENTS_FILTERS                                                     \
    (PARAM_BIT(PARAM_STABILIZE) | PARAM_BIT(PARAM_T0) | PARAM_BIT(PARAM_T1) | \
     PARAM_BIT(PARAM_DENOISE) | PARAM_BIT(PARAM_POLARITY))

static inline enum view_word arguments_view_word(enum param param)
{
    return (enum view_word)(param - PARAM_KIND);
}

/* Read all into `request`. `allowed` has the PARAM_BIT of each parameter that this path takes.
 * False: `reply` is the problem. */
bool arguments_read(struct request *request, struct reply *reply, uint64_t allowed,
                    const struct match *match);
