/* SPDX-License-Identifier: Apache-2.0
 * twonmnistd: serves 2NMNIST splits over HTTP.
 *
 * Its life: settings (defaults, then --config, then the command line) -> listening sockets, its own
 * or those that systemd passes -> splits mapped and checked -> HTTP -> READY=1. SIGHUP, or a
 * replaced split, opens the folder anew beside what is served. SIGTERM stops accepting, lets
 * running requests end, then closes HTTP, splits and loops in this order. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/json_memory.h"
#include "server/access_log.h"
#include "server/app.h"
#include "server/command_line.h"
#include "server/listen.h"
#include "server/log.h"
#include "server/reference.h"
#include "server/secret.h"
#include "server/service.h"
#include "server/settings.h"
#include "server/tokens.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

static void print_help(void)
{
    printf("Usage: twonmnistd [--config FILE] [--SETTING VALUE]...\n"
           "Serve the 2NMNIST splits of a folder over HTTP.\n"
           "\n"
           "  --config FILE                       read settings from FILE; the command line goes "
           "first\n"
           "  --check-config                      say what is wrong with the settings, serve "
           "nothing\n"
           "  --sample-config                     print a configuration file with all defaults\n"
           "  --reference[=settings]              print the manual's sections that come from "
           "tables\n"
           "  --hash-token[=NAME]                 read a token from standard input, print its line "
           "for token_file\n"
           "  --help                              print this\n"
           "  --version                           print the version\n"
           "\n"
           "Settings, here and as \"name = value\" in the file:\n");
    settings_print_help(stdout);
    printf("\nSignals: SIGHUP reloads splits, tokens and certificate, SIGTERM and SIGINT stop.\n"
           "Manual: man twonmnistd, man twonmnistd.conf\n");
}

/* The files first, wherever --config stands: what the command line sets goes before them. */
static int apply(const struct command_line *line, bool files, struct settings *settings,
                 struct error *why)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < line->n; i++) {
        const struct option *option = &line->options[i];
        bool is_file = strcmp(option->name, "config") == 0;
        if (is_file && files)
            r = settings_read(settings, option->value, why);
        else if (!is_file && !files)
            r = settings_set(settings, SETTING_OPTION, option->name, option->value, why);
    }
    return r;
}

static int check(const struct settings *settings, struct error *why)
{
    int r = listeners_check(settings, why);
    if (r == 0)
        r = service_check_files(settings, why);
    if (r == 0)
        r = access_log_check(settings, why);
    if (r == 0)
        puts("the settings are right");
    return r;
}

static int exit_code(int r, int code_of_failure, const struct error *why)
{
    if (r == 0)
        return EXIT_OK;
    log_error("%s%s", why->text, code_of_failure == EXIT_USAGE ? " (see --help)" : "");
    return code_of_failure;
}

static int hash_token(const char *name, struct error *why)
{
    char token[TOKENS_LENGTH_MAX + 1];
    int r = secret_read(STDIN_FILENO, "Token: ", token, sizeof token, why);
    if (r == 0)
        r = tokens_print_line(token, name, stdout, why);
    explicit_bzero(token, sizeof token);
    return r;
}

static int run(const struct command_line *line, const struct settings *settings)
{
    struct error why = {0};
    switch (line->command) {
    case COMMAND_HELP:
        print_help();
        return EXIT_OK;
    case COMMAND_VERSION:
        printf("twonmnistd %s\n", PACKAGE_VERSION);
        return EXIT_OK;
    case COMMAND_SAMPLE:
        settings_print_sample(stdout);
        return EXIT_OK;
    case COMMAND_REFERENCE:
        return exit_code(reference_print(line->argument, stdout, &why), EXIT_USAGE, &why);
    case COMMAND_HASH_TOKEN:
        return exit_code(hash_token(line->argument, &why), EXIT_USAGE, &why);
    case COMMAND_CHECK:
        return exit_code(check(settings, &why), EXIT_FAILED, &why);
    case COMMAND_SERVE:
        log_set_level((enum log_level)settings->log_level);
        return exit_code(app_run(settings, &why), EXIT_FAILED, &why);
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct error why = {0};
    struct command_line line = {0};
    struct settings settings = {0};
    json_memory_watch();
    int r = settings_init(&settings);
    if (r < 0)
        error_set(&why, r, "no memory for the settings");
    if (r == 0)
        r = command_line_parse(argc, argv, &line, &why);
    if (r == 0)
        r = apply(&line, true, &settings, &why);
    if (r == 0)
        r = apply(&line, false, &settings, &why);
    int failure = line.command == COMMAND_CHECK ? EXIT_FAILED : EXIT_USAGE;
    int code = r < 0 ? exit_code(r, failure, &why) : run(&line, &settings);
    command_line_free(&line);
    settings_free(&settings);
    log_close();
    return code;
}
