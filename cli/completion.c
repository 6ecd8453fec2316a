/* SPDX-License-Identifier: Apache-2.0
 * What makes a shell complete the words of the command line, made from the tables. */
#include "cli/completion.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/format.h"

const char *const completion_shells[N_COMPLETION_SHELLS + 1] = {
    [COMPLETION_BASH] = "bash",
    [COMPLETION_ZSH] = "zsh",
    [COMPLETION_FISH] = "fish",
};

void completion_print(const struct command *command, const struct options *options)
{
    static void (*const prints[N_COMPLETION_SHELLS])(void) = {
        [COMPLETION_BASH] = completion_print_bash,
        [COMPLETION_ZSH] = completion_print_zsh,
        [COMPLETION_FISH] = completion_print_fish,
    };
    (void)command;
    prints[options->shell]();
}

void completion_print_choices(const struct option_row *row, const struct command *command)
{
    const char *before = "";
    for (unsigned i = 0; row->choices[i]; i++) {
        if (command && row->choices == format_names && !(command->formats & FORMAT_BIT(i)))
            continue;
        printf("%s%s", before, row->choices[i]);
        before = " ";
    }
}
