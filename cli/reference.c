/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, as sections of the manual page doc/twonmnist.1 (mdoc(7)). */
#include "cli/reference.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/help.h"

/* A sentence of its own; "--name" is to be no pair of hyphens. */
static void print_sentence(const char *text)
{
    putchar(toupper((unsigned char)*text));
    for (const char *at = text + 1; *at; at++) {
        bool begins = *at == '-' && (at[-1] == ' ' || at[-1] == '-');
        if (at[-1] == '.' && at[0] == ' ' && isupper((unsigned char)at[1]))
            putchar('\n'); /* mdoc wants each sentence on a line */
        else
            printf("%s%c", begins ? "\\" : "", *at);
    }
    printf("%s\n", text[strlen(text) - 1] == '.' ? "" : ".");
}

/* "SPLIT [INDEX]" as arguments, the second optional. */
static void print_synopsis(const char *synopsis)
{
    while (*synopsis) {
        int n = (int)strcspn(synopsis, " ");
        bool optional = *synopsis == '[';
        printf(" %sAr %.*s", optional ? "Op " : "", n - 2 * optional, synopsis + optional);
        synopsis += n + (synopsis[n] == ' ');
    }
    putchar('\n');
}

static void print_formats(unsigned formats)
{
    const char *before = "Formats: ";
    for (int format = 0; format < N_OUTPUT_FORMATS; format++)
        if (formats & FORMAT_BIT(format)) {
            printf("%s%s", before, format_names[format]);
            before = ", ";
        }
    printf("%s", formats ? ".\n" : "");
}

static void print_commands(void)
{
    printf(".Sh COMMANDS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        printf(".It Cm %s", commands[i].name);
        print_synopsis(commands[i].synopsis);
        print_sentence(commands[i].help);
        print_sentence(commands[i].more);
        print_formats(commands[i].formats);
    }
    printf(".El\n");
}

static void print_owners(const struct option_row *row)
{
    const char *before = "Commands: ";
    for (size_t i = 0; !command_all_have(row) && i < N_COMMANDS; i++)
        if (option_is_of(row, &commands[i])) {
            printf("%s%s", before, commands[i].name);
            before = ", ";
        }
    printf("%s", *before == ',' ? ".\n" : "");
}

static void print_options(void)
{
    printf(".Sh OPTIONS\n"
           "A value follows its option as the next word, or behind\n"
           ".Li = .\n"
           "An option that has no meaning for a command is an error.\n"
           ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < n_option_rows; i++) {
        const struct option_row *row = &option_rows[i];
        char text[512];
        const char *value = row->argument ? row->argument : "";
        const char *argument = row->argument ? " Ar " : "";
        printf(".It ");
        if (row->letter)
            printf("Fl %c%s%s , ", row->letter, argument, value);
        printf("Fl Fl %s%s%s\n", row->name + 2, argument, value);
        print_sentence(help_option(row, NULL, text, sizeof text));
        print_owners(row);
    }
    printf(".El\n");
}

static void print_files(void)
{
    printf(".Sh FORMATS\n.Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < N_OUTPUT_FORMATS; i++) {
        printf(".It Li %s , Pa .%s\n", format_names[i], format_rows[i].ending);
        print_sentence(format_rows[i].help);
    }
    printf(".El\n");
}

static void print_exits(void)
{
    printf(".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < N_EXITS; i++) {
        printf(".It %zu\n", i);
        print_sentence(exit_meanings[i]);
    }
    printf(".El\n");
}

void reference_print(const struct command *command, const struct options *options)
{
    (void)command;
    (void)options;
    print_commands();
    print_options();
    print_files();
    print_exits();
}
