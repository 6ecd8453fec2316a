/* SPDX-License-Identifier: Apache-2.0
 * The words of the command line, read and checked by the tables. */
#pragma once

#include "cli/commands.h"

/* Read the words: 0 and what is to be run, with its options; or 1 where something was printed in
 * its place (--help). *ret_command is what the words name, also after an error; NULL: none. Errors:
 * -EINVAL. */
int command_line_read(int argc, char **argv, const struct command **ret_command,
                      struct options *ret, struct fault *why);
