/* SPDX-License-Identifier: Apache-2.0
 * Which parameters have a meaning beside which others: for what is refused, and for what a batch
 * says of itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/param.h"

/* Whether the parameter has a part in the bytes, by those that choose the form, `as` and `slice`.
 */
bool meaning_has(const uint64_t params[N_PARAMS], enum param param);

/* Whether all that are given (bits) do, and fit each other. Errors: -EINVAL, why names two that do
 * not. */
int meaning_check(const uint64_t params[N_PARAMS], uint64_t given, struct error *why);
