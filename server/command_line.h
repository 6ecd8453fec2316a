/* SPDX-License-Identifier: Apache-2.0
 * The daemon's command line, taken apart; what it says is applied later. */
#pragma once

#include "common/error.h"

enum command {
    COMMAND_SERVE,
    COMMAND_CHECK,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_SAMPLE,
    COMMAND_REFERENCE,
    COMMAND_HASH_TOKEN,
};

struct option {
    char *name; /* without the dashes */
    const char *value;
};

struct command_line {
    enum command command; /* the last that is named */
    const char *argument; /* of the command; NULL: none */
    unsigned n;
    struct option *options; /* as they came; --config is one of them */
};

/* Take apart `--name value`, `--name=value` and the options that take no value. `argv` outlives
 * what is returned; command_line_free() it.
 * Errors: -EINVAL, why names the argument; -ENOMEM. */
int command_line_parse(int argc, char *const argv[], struct command_line *ret, struct error *why);
void command_line_free(struct command_line *line);
