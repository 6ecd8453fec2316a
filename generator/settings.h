/* SPDX-License-Identifier: Apache-2.0
 * What the command line asks for: options as a table, from which parser and --help are made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "generator/listing.h"

enum { SETTINGS_MAX_OPERANDS = 2, SETTINGS_MAX_JOBS = 1024 };

struct settings {
    const char *operands[SETTINGS_MAX_OPERANDS];
    const char *from, *out;
    uint32_t plan_seed;
    enum mix_order order;
    uint64_t counts[N_PARTS], seed; /* of the synthetic source */
    unsigned n_jobs;
    bool plan_given, synthetic_given; /* options that not every source has */
};

struct option_row {
    const char *name;     /* without the dashes */
    const char *argument; /* what --help calls it */
    const char *help;     /* lines separated by newlines */
    int (*parse)(struct settings *settings, const char *text, struct error *why);
    bool needed;
};

struct command {
    const char *name, *summary;
    const char *operands[SETTINGS_MAX_OPERANDS]; /* all needed */
    const struct option_row *options;            /* ends with a row without a name */
    const char *notes;                           /* the end of --help, or NULL */
    int (*check)(const struct settings *settings, struct error *why); /* do they fit? or NULL */
    int (*run)(const struct settings *settings, struct error *why);
};

/* Read the words behind the command's name, over the defaults. Returns 1 when --help is among them.
 * Errors, for which the exit code is 2: -EINVAL, why names option and value. */
int settings_parse(const struct command *command, int argc, char **argv, struct settings *ret,
                   struct error *why);

/* Print the command's --help. */
void settings_help(const char *program, const struct command *command);

/* Values of options. */
int settings_parse_from(struct settings *settings, const char *text, struct error *why);
int settings_parse_out(struct settings *settings, const char *text, struct error *why);
int settings_parse_plan(struct settings *settings, const char *text, struct error *why);
int settings_parse_order(struct settings *settings, const char *text, struct error *why);
int settings_parse_jobs(struct settings *settings, const char *text, struct error *why);
int settings_parse_count(struct settings *settings, const char *text, struct error *why);
int settings_parse_seed(struct settings *settings, const char *text, struct error *why);
