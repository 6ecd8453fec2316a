/* SPDX-License-Identifier: Apache-2.0
 * twonmnist: asks twonmnist daemons, from the command line, through libtwonmnist.
 *
 * The words are read and checked by the tables, a client is opened, the command's row is run; and
 * here is the one place that prints why it failed. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <twonmnist.h>

#include "cli/clean.h"
#include "cli/command_line.h"
#include "cli/output.h"

static int set_option(tnm_options *options, const char *name, const char *value, struct fault *why)
{
    int r = value ? tnm_options_set(options, name, value) : 0;
    return r < 0 ? fault_of_library(why, -EINVAL) : 0;
}

static int open_client(const struct options *options, tnm_client **ret, struct fault *why)
{
    tnm_options *set;
    int r = tnm_options_new(&set);
    if (r < 0)
        return fault_of_library(why, r);
    const struct {
        const char *name, *value;
    } files[] = {
        {"token_file", options->token_file},
        {"ca_file", options->ca_file},
        {"certificate_file", options->certificate_file},
        {"key_file", options->key_file},
    };
    for (size_t i = 0; r == 0 && i < sizeof files / sizeof *files; i++)
        r = set_option(set, files[i].name, files[i].value, why);
    if (r == 0) {
        r = tnm_open(options->servers, options->n_servers, set, ret);
        if (r < 0)
            fault_of_library(why, r);
    }
    tnm_options_free(set);
    return r;
}

/* Texts of the library have parts that servers sent. */
static void say(void *user, const char *text)
{
    struct fault line;
    (void)user;
    fault_set(&line, 0, "%s", text);
    clean_line(line.text);
    fprintf(stderr, "twonmnist: %s\n", line.text);
}

static int run(const struct command *command, const struct options *options, struct fault *why)
{
    tnm_client *client;
    int r = open_client(options, &client, why);
    if (r < 0)
        return r;
    tnm_set_message(client, say, NULL);
    r = command->run(options, client, why);
    tnm_close(client);
    return r;
}

static int fail(int code, struct fault *why, const char *hint)
{
    clean_line(why->text);
    fprintf(stderr, "twonmnist: %s%s\n", why->text, hint);
    return (int)fault_exit(code);
}

static int fail_at_words(int code, const struct command *command, struct fault *why)
{
    char hint[64];
    snprintf(hint, sizeof hint, " (see twonmnist%s%s --help)", command ? " " : "",
             command ? command->name : "");
    return fail(code, why, hint);
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault why = {""};
    const struct command *command;
    setlocale(LC_CTYPE, ""); /* whether the terminal shows Unicode */
    int r = command_line_read(argc, argv, &command, &options, &why);
    if (r < 0)
        return fail_at_words(r, command, &why);
    if (r == 0)
        r = run(command, &options, &why);
    if (r >= 0)
        r = output_flush(&why);
    return r < 0 ? fail(r, &why, "") : EXIT_DONE;
}
