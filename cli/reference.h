/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, as sections of the manual page doc/twonmnist.1. */
#pragma once

#include "cli/options.h"

void reference_print(const struct command *command, const struct options *options);
