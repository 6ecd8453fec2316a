/* SPDX-License-Identifier: Apache-2.0
 * twonmnist-generate: makes, verifies and exports 2NMNIST splits.
 *
 * Finds the sub-command, lets the table of its options read the words behind it, runs it, and is
 * the one place that prints why it failed. */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "common/clean.h"
#include "common/json_memory.h"
#include "generator/commands.h"
#include "generator/interrupt.h"

static const char PROGRAM[] = "twonmnist-generate";

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct command *const commands[] = {
    &command_splits,
    &command_join,
    &command_check,
    &command_verify,
    &command_export,
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void help(void)
{
    printf("Usage: %s COMMAND [OPTION]...\n"
           "Make the 2NMNIST splits: event recordings of one or two digits, from N-MNIST.\n\n",
           PROGRAM);
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n  --help     print this and exit; \"%s COMMAND --help\" tells more\n"
           "  --version  print the version and exit\n\n"
           "Exit status: 0 done, 1 failed or faults found, 2 wrong usage.\n",
           PROGRAM);
}

/* The reason may hold names from an archive, which are anybody's. */
static int fail(int status, struct error *why)
{
    clean_line(why->text);
    fprintf(stderr, "%s: %s\n", PROGRAM, why->text);
    return status;
}

/* What was printed has to have arrived: the disk behind a redirection may be full. */
static int end(int status)
{
    struct error why;
    int r = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;
    if (r == 0)
        return status;
    error_set(&why, 0, "standard output: cannot write: %s", strerror(r));
    return fail(EXIT_FAILED, &why);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct choices choices;
    struct error why = {0};
    int r = choices_parse(command, argc, argv, &choices, &why);
    if (r > 0) {
        choices_help(PROGRAM, command);
        return EXIT_OK;
    }
    if (r < 0) {
        fail(EXIT_USAGE, &why);
        fprintf(stderr, "Try \"%s %s --help\".\n", PROGRAM, command->name);
        return EXIT_USAGE;
    }
    interrupt_catch();
    r = command->run(&choices, &why);
    return r < 0 ? fail(EXIT_FAILED, &why) : EXIT_OK;
}

static int command_line(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help();
        return EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) {
        printf("%s %s\n", PROGRAM, PACKAGE_VERSION);
        return EXIT_OK;
    }
    const struct command *command = find(word);
    if (command)
        return run(command, argc - 2, argv + 2);

    struct error why;
    if (*word)
        error_set(&why, 0, "unknown command \"%s\"", word);
    else
        error_set(&why, 0, "a command is missing");
    fail(EXIT_USAGE, &why);
    fprintf(stderr, "Try \"%s --help\".\n", PROGRAM);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, ""); /* whether the terminal shows Unicode */
    json_memory_watch();
    return end(command_line(argc, argv));
}
