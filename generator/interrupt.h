/* SPDX-License-Identifier: Apache-2.0
 * Ctrl-C and SIGTERM: asked for between samples, so that nothing half written stays behind. */
#pragma once

#include <stdbool.h>

#include "common/error.h"

void interrupt_catch(void);

/* 0, or -EINTR once a signal came. Any thread. */
int interrupt_check(struct error *why);
