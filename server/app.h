/* SPDX-License-Identifier: Apache-2.0
 * The daemon as a whole: from settings to a clean stop. */
#pragma once

#include "common/error.h"
#include "server/settings.h"

/* Serve until SIGTERM or SIGINT. Errors: those of opening the splits and the sockets. */
int app_run(const struct settings *settings, struct error *why);
