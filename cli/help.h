/* SPDX-License-Identifier: Apache-2.0
 * --help and --version, made from the tables. */
#pragma once

#include "cli/options.h"

/* Print how to use the command; or the program, where it is NULL. */
void help_print(const struct command *command, const struct options *options);

void help_print_version(const struct command *command, const struct options *options);

/* "the epoch (0 to 4294967295; default 0)": all that the tables say of an option, for the command
 * (NULL: for all of them). */
const char *help_option(const struct option_row *row, const struct command *command, char *ret,
                        size_t size);
