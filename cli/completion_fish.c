/* SPDX-License-Identifier: Apache-2.0
 * Completion for fish: a line for each option of each command. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/completion.h"

static void print_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++)
        printf("%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    putchar('\'');
}

static void print_condition(const struct command *command)
{
    if (command)
        printf("complete -c twonmnist -n '__fish_seen_subcommand_from %s'", command->name);
    else
        printf("complete -c twonmnist -n __fish_use_subcommand");
}

static void print_option(const struct option_row *row, const struct command *command)
{
    print_condition(command);
    if (row->letter)
        printf(" -s %c", row->letter);
    printf(" -l %s", row->name + 2);
    if (row->argument)
        printf("%s", row->is_file ? " -r -F" : " -x");
    if (row->choices) {
        printf(" -a '");
        completion_print_choices(row, command);
        putchar('\'');
    }
    printf(" -d ");
    print_quoted(row->help);
    putchar('\n');
}

static void print_options(const struct command *command)
{
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_is_of(&option_rows[i], command))
            print_option(&option_rows[i], command);
}

/* Operand i stands behind the program, the command and those before it. */
static void print_operands(const struct command *command)
{
    for (unsigned i = 0; i < command_max_operands(command); i++) {
        char names[COMMAND_NAMES_SIZE];
        const char *words = operand_words(command->operands[i], names);
        if (command->operands[i] == OPERAND_FOLDER)
            words = "(__fish_complete_directories)";
        if (words)
            printf("complete -c twonmnist -n '__fish_seen_subcommand_from %s; and test (count "
                   "(commandline -opc)) -eq %u' -a '%s'\n",
                   command->name, i + 2, words);
    }
}

void completion_print_fish(void)
{
    printf("# fish completion for twonmnist; made by: twonmnist --completion fish\n\n"
           "complete -c twonmnist -f\n");
    for (size_t c = 0; c < N_COMMANDS; c++) {
        print_condition(NULL);
        printf(" -a %s -d ", commands[c].name);
        print_quoted(commands[c].help);
        putchar('\n');
    }
    print_options(NULL);
    for (size_t c = 0; c < N_COMMANDS; c++) {
        print_options(&commands[c]);
        print_operands(&commands[c]);
    }
}
