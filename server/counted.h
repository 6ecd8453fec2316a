/* SPDX-License-Identifier: Apache-2.0
 * What was counted of requests, as series: those alone that there are. Any thread. */
#pragma once

#include <stdio.h>

#include "server/metrics.h"

void counted_requests(FILE *out, enum metric metric);
void counted_durations(FILE *out, enum metric metric);
void counted_sizes(FILE *out, enum metric metric);
void counted_waits(FILE *out, enum metric metric);
void counted_callers(FILE *out, enum metric metric);
