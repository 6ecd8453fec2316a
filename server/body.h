/* SPDX-License-Identifier: Apache-2.0
 * The body of a POST: {"indices": [3, 1, 2]}. */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "common/number.h"

/* Errors: -EINVAL what is wrong with it; -E2BIG more than `most` indices; -ENOMEM. */
int body_indices(const char *body, size_t size, size_t most, struct numbers *ret,
                 struct error *why);
