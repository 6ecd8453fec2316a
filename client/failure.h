/* SPDX-License-Identifier: Apache-2.0
 * The text behind tnm_last_error(), one for each thread. */
#pragma once

#include "common/error.h"

/* Keep the reason for the caller's thread; returns `code`. */
int failure_keep(int code, const struct error *why);

int failure_set(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
