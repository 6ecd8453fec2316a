/* SPDX-License-Identifier: Apache-2.0
 * A number for each name of a token, to count by. Once given it stays, whatever becomes of the
 * token; there are no more than CALLERS_MAX, so that metrics stay bounded. Any thread, without a
 * lock. */
#pragma once

#include "server/metrics.h"

/* The name's number; CALLERS_OTHER where none is left. */
unsigned callers_number(const char *name);

/* The name, or NULL where the number was not given. */
const char *callers_name(unsigned number);
