/* SPDX-License-Identifier: Apache-2.0
 * twonmnist: asks twonmnist daemons, from the command line, through libtwonmnist. */
#include <errno.h>
#include <stdio.h>
#include <twonmnist.h>

#include "cli/commands.h"
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

static void say(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "twonmnist: %s\n", text);
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault why = {""};
    tnm_client *client = NULL;
    int status;
    const struct command *command = options_parse(argc, argv, &options, &status);
    int r = command ? open_client(&options, &client, &why) : 0;
    if (command && r == 0)
        tnm_set_message(client, say, NULL);
    if (command && r == 0)
        r = command->run(&options, client, &why);
    tnm_close(client);
    if (r == 0)
        r = output_flush(&why);
    if (r == 0)
        return status;
    fprintf(stderr, "twonmnist: %s\n", why.text);
    return (int)fault_exit(r);
}
