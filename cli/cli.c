/* SPDX-License-Identifier: Apache-2.0
 * twonmnist: asks twonmnist daemons, from the command line, through libtwonmnist. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
    int code;
    enum cli_exit status;
} exits[] = {
    {-EINVAL, CLI_USAGE},          {-ENOENT, CLI_NOT_FOUND}, {-EHOSTUNREACH, CLI_UNREACHABLE},
    {-ETIMEDOUT, CLI_UNREACHABLE}, {-EBADMSG, CLI_DAMAGED},  {-EPROTO, CLI_DAMAGED},
    {-ESTALE, CLI_DAMAGED},
};

static enum cli_exit exit_of(int code)
{
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        if (exits[i].code == code)
            return exits[i].status;
    return CLI_FAILED;
}

static int set_option(tnm_options *options, const char *name, const char *value, struct error *why)
{
    int r = value ? tnm_options_set(options, name, value) : 0;
    return r < 0 ? cli_failed(r, why) : 0;
}

/* The token is the first line of its file. */
static int set_token(tnm_options *options, const char *path, struct error *why)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!path)
        return 0;
    if (!file)
        return error_set(why, -errno, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t size = 0;
    ssize_t n = getline(&line, &size, file);
    int r = n > 0 ? 0 : error_set(why, -EINVAL, "%s: there is no token in it", path);
    if (r == 0) {
        line[strcspn(line, "\r\n")] = '\0';
        r = set_option(options, "token", line, why);
    }
    free(line);
    fclose(file);
    return r;
}

static int open_client(const struct cli_options *options, tnm_client **ret, struct error *why)
{
    tnm_options *settings;
    int r = tnm_options_new(&settings);
    if (r < 0)
        return cli_failed(r, why);
    r = set_token(settings, options->token_file, why);
    if (r == 0)
        r = set_option(settings, "ca_file", options->ca_file, why);
    if (r == 0) {
        r = tnm_open(options->servers, options->n_servers, settings, ret);
        if (r < 0)
            cli_failed(r, why);
    }
    tnm_options_free(settings);
    return r;
}

int main(int argc, char **argv)
{
    struct cli_options options;
    int status;
    const struct cli_command *command = cli_parse(argc, argv, &options, &status);
    if (!command)
        return status;

    tnm_client *client = NULL;
    struct error why = {0};
    int r = open_client(&options, &client, &why);
    if (r == 0)
        r = command->run(&options, client, &why);
    tnm_close(client);
    if (r == 0)
        return CLI_OK;
    fprintf(stderr, "twonmnist: %s\n", why.text);
    return (int)exit_of(r);
}
