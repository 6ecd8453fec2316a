/* SPDX-License-Identifier: Apache-2.0
 * --help and --version, made from the tables. */
#include "config.h"

#include "cli/help.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/clean.h"
#include "cli/commands.h"
#include "cli/format.h"

enum { COLUMN = 31, COLUMNS = 80 };

/* Its formats, the first of which is the default. */
static const char *format_limits(const struct command *command, char *ret, size_t size)
{
    size_t used = 0;
    int first = __builtin_ctz(command->formats);
    for (int format = 0; format < N_OUTPUT_FORMATS && used < size; format++)
        if (command->formats & FORMAT_BIT(format))
            used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? ", " : "",
                                     format_names[format]);
    if (used < size)
        snprintf(ret + used, size - used, "; default the ending of --output, else %s",
                 format_names[first]);
    return ret;
}

static const char *limits_of(const struct option_row *row, const struct command *command, char *ret,
                             size_t size)
{
    if (command && row->choices == format_names)
        return format_limits(command, ret, size);
    size_t used = strlen(option_range(row, ret, size));
    if (row->standard && used < size)
        snprintf(ret + used, size - used, "%sdefault %s", used ? "; " : "", row->standard);
    return ret;
}

const char *help_option(const struct option_row *row, const struct command *command, char *ret,
                        size_t size)
{
    char limits[160];
    limits_of(row, command, limits, sizeof limits);
    snprintf(ret, size, "%s%s%s%s", row->help, *limits ? " (" : "", limits, *limits ? ")" : "");
    return ret;
}

static void print_option(const struct option_row *row, const struct command *command)
{
    char letter[] = {'-', row->letter, ',', '\0'}, text[512];
    int column = printf("  %3s %s%s%s", row->letter ? letter : "", row->name,
                        row->argument ? " " : "", row->argument ? row->argument : "");
    printf("%*s", COLUMN - column, "");
    clean_write_wrapped(stdout, help_option(row, command, text, sizeof text), COLUMN, COLUMNS);
    putchar('\n');
}

/* Those of the command alone, or those that all have. */
static void print_options(const struct command *command, bool general)
{
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_is_of(&option_rows[i], command) && command_all_have(&option_rows[i]) == general)
            print_option(&option_rows[i], command);
}

static void print_program(void)
{
    printf("Usage: twonmnist COMMAND [OPERAND]... [OPTION]...\n"
           "Samples, batches and fresh pairs of 2NMNIST, from twonmnist daemons.\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        int column = printf("  %s %s", commands[i].name, commands[i].synopsis);
        printf("%*s%s\n", COLUMN - column, "", commands[i].help);
    }
    printf("\nOptions of them all; \"twonmnist help COMMAND\" shows those of one:\n");
    for (size_t i = 0; i < n_option_rows; i++)
        if (command_all_have(&option_rows[i]) || option_is_of(&option_rows[i], NULL))
            print_option(&option_rows[i], NULL);
    printf("\nChecksums are verified always. Exit status:\n");
    for (size_t i = 0; i < N_EXITS; i++)
        printf("  %zu  %s\n", i, exit_meanings[i]);
}

static void print_command(const struct command *command)
{
    printf("Usage: twonmnist %s %s [OPTION]...\n", command->name, command->synopsis);
    printf("%c%s.\n\n", toupper((unsigned char)command->help[0]), command->help + 1);
    clean_write_wrapped(stdout, command->more, 0, COLUMNS);
    printf("\n\n");
    print_options(command, false);
    print_options(command, true);
    printf("\nExample:\n  twonmnist %s\n", command->example);
}

void help_print(const struct command *command, const struct options *options)
{
    (void)options;
    if (command)
        print_command(command);
    else
        print_program();
}

void help_print_version(const struct command *command, const struct options *options)
{
    (void)command;
    (void)options;
    printf("twonmnist %s\n", PACKAGE_VERSION);
}
