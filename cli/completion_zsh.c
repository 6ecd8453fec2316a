/* SPDX-License-Identifier: Apache-2.0
 * Completion for zsh: the tables as specifications for _arguments. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"

/* Inside '…[…]': what has a meaning there is escaped. */
static void print_help(const char *help)
{
    for (; *help; help++)
        if (*help == '\'')
            printf("'\\''");
        else
            printf("%s%c", strchr("[]:\\", *help) ? "\\" : "", *help);
}

static void print_value(const struct option_row *row, const struct command *command)
{
    printf(":%s:", row->argument);
    if (row->is_file)
        printf("_files");
    if (row->choices) {
        putchar('(');
        completion_print_choices(row, command);
        putchar(')');
    }
}

/* A server may be given again; any other option once. */
static void print_option(const struct option_row *row, const struct command *command)
{
    bool again = row->at == offsetof(struct options, servers) && row->argument && !row->choices;
    const char *more = row->argument ? "=" : "";
    printf("        ");
    if (again)
        printf("'*'");
    else if (row->letter)
        printf("'(-%c %s)'", row->letter, row->name);
    if (row->letter)
        printf("{-%c%s,%s%s}", row->letter, row->argument ? "+" : "", row->name, more);
    printf("'%s%s[", row->letter ? "" : row->name, row->letter ? "" : more);
    print_help(row->help);
    putchar(']');
    if (row->argument)
        print_value(row, command);
    printf("' \\\n");
}

static void print_options(const struct command *command)
{
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_is_of(&option_rows[i], command))
            print_option(&option_rows[i], command);
}

static void print_command(const struct command *command)
{
    printf("    %s)\n        _arguments -s -S \\\n", command->name);
    print_options(command);
    for (unsigned i = 0; i < command_max_operands(command); i++) {
        char names[COMMAND_NAMES_SIZE];
        const char *words = operand_words(command->operands[i], names);
        const char *name = command->operands[i] == OPERAND_NUMBER    ? "number"
                           : command->operands[i] == OPERAND_NUMBERS ? "numbers"
                           : command->operands[i] == OPERAND_FOLDER  ? "folder"
                                                                     : "name";
        const char *files = command->operands[i] == OPERAND_FOLDER ? "_files -/" : "";
        printf("        '%u:%s:%s%s%s%s' \\\n", i + 1, name, files, words ? "(" : "",
               words ? words : "", words ? ")" : "");
    }
    printf("        && return\n        ;;\n");
}

void completion_print_zsh(void)
{
    printf("#compdef twonmnist\n"
           "# zsh completion for twonmnist; made by: twonmnist --completion zsh\n\n"
           "local context state state_descr line\n"
           "typeset -A opt_args\n"
           "local -a commands=(\n");
    for (size_t c = 0; c < N_COMMANDS; c++) {
        printf("    '%s:", commands[c].name);
        print_help(commands[c].help);
        printf("'\n");
    }
    printf(")\n\n_arguments -C -s -S \\\n");
    print_options(NULL);
    printf("        '1:command:->command' \\\n"
           "        '*::operand:->operands' && return\n\n"
           "case $state in\n"
           "command) _describe command commands && return ;;\n"
           "operands)\n    case $words[1] in\n");
    for (size_t c = 0; c < N_COMMANDS; c++)
        print_command(&commands[c]);
    printf("    esac\n    ;;\nesac\nreturn 1\n");
}
