/* SPDX-License-Identifier: Apache-2.0
 * The daemon's command line, taken apart; what it says is applied later. */
#include "server/command_line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum command command;
    bool takes_argument; /* behind "=", where it may be left out */
} commands[] = {
    {"check-config", COMMAND_CHECK, false},
    {"hash-token", COMMAND_HASH_TOKEN, true},
    {"help", COMMAND_HELP, false},
    {"reference", COMMAND_REFERENCE, true},
    {"sample-config", COMMAND_SAMPLE, false},
    {"version", COMMAND_VERSION, false},
};

static bool find_command(const char *name, const char *equals, struct command_line *ret)
{
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strlen(commands[i].name) != n || strncmp(commands[i].name, name, n) != 0 ||
            (equals && !commands[i].takes_argument))
            continue;
        ret->command = commands[i].command;
        ret->argument = equals ? equals + 1 : NULL;
        return true;
    }
    return false;
}

/* Another option is no value: "--listen --threads 1" lacks one. */
static bool is_value(const char *argument)
{
    return argument && strncmp(argument, "--", 2) != 0;
}

static int add_option(struct command_line *line, const char *name, size_t n, const char *value,
                      struct error *why)
{
    struct option *option = &line->options[line->n];
    *option = (struct option){.name = strndup(name, n), .value = value};
    if (!option->name)
        return error_set(why, -ENOMEM, "no memory for the arguments");
    line->n++;
    return 0;
}

static int parse_all(int argc, char *const argv[], struct command_line *ret, struct error *why)
{
    int r = 0;
    for (int i = 1; r == 0 && i < argc; i++) {
        const char *name = argv[i] + 2, *equals = strchr(argv[i], '=');
        if (strncmp(argv[i], "--", 2) != 0 || !*name)
            r = error_set(why, -EINVAL, "\"%s\" is not an option", argv[i]);
        else if (find_command(name, equals, ret))
            continue;
        else if (equals)
            r = add_option(ret, name, (size_t)(equals - name), equals + 1, why);
        else if (i + 1 < argc && is_value(argv[i + 1]))
            r = add_option(ret, name, strlen(name), argv[++i], why);
        else
            r = error_set(why, -EINVAL, "--%s takes a value", name);
    }
    return r;
}

int command_line_parse(int argc, char *const argv[], struct command_line *ret, struct error *why)
{
    struct command_line line = {.command = COMMAND_SERVE};
    line.options = calloc((size_t)argc + 1, sizeof *line.options);
    if (!line.options)
        return error_set(why, -ENOMEM, "no memory for the arguments");
    int r = parse_all(argc, argv, &line, why);
    if (r < 0)
        command_line_free(&line);
    else
        *ret = line;
    return r;
}

void command_line_free(struct command_line *line)
{
    for (unsigned i = 0; i < line->n; i++)
        free(line->options[i].name);
    free(line->options);
    *line = (struct command_line){0};
}
