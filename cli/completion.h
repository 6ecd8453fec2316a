/* SPDX-License-Identifier: Apache-2.0
 * What makes a shell complete the words of the command line, made from the tables. */
#pragma once

#include "cli/options.h"

enum completion_shell { COMPLETION_BASH, COMPLETION_ZSH, COMPLETION_FISH, N_COMPLETION_SHELLS };

/* Their names; NULL behind the last. */
extern const char *const completion_shells[N_COMPLETION_SHELLS + 1];

/* Print the script for options->shell. */
void completion_print(const struct command *command, const struct options *options);

/* The values that completion offers for an option, between blanks; of a command if not NULL. */
void completion_print_choices(const struct option_row *row, const struct command *command);

void completion_print_bash(void);
void completion_print_zsh(void);
void completion_print_fish(void);
