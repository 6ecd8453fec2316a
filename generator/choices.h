/* SPDX-License-Identifier: Apache-2.0
 * What the command line asks for: options as a table, from which parser and --help are made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "generator/listing.h"
#include "generator/share.h"

enum export_format { EXPORT_TREE, EXPORT_WEBDATASET };

enum { CHOICES_MAX_OPERANDS = 2, CHOICES_MAX_JOBS = 1024 };

struct choices {
    const char *operands[CHOICES_MAX_OPERANDS];
    const char *from, *out;
    uint32_t plan_seed;
    enum mix_order order;
    uint64_t counts[N_PARTS], seed; /* of the synthetic source */
    struct share share;             /* what of it is made; share.n is 0 where all is */
    enum export_format format;
    uint64_t per_shard;
    unsigned n_jobs;
    bool plan_given, synthetic_given; /* options that not every source has */
    bool allow_partial, per_shard_given;
};

struct option_row {
    const char *name;     /* without the dashes */
    const char *argument; /* what --help calls it; NULL where the option takes no value */
    const char *help;     /* lines separated by newlines */
    int (*parse)(struct choices *choices, const char *text, struct error *why);
    bool needed;
};

struct command {
    const char *name, *summary;
    const char *operands[CHOICES_MAX_OPERANDS]; /* all needed */
    const struct option_row *options;           /* ends with a row without a name */
    const char *notes;                          /* the end of --help, or NULL */
    int (*check)(const struct choices *choices, struct error *why); /* do they fit? or NULL */
    int (*run)(const struct choices *choices, struct error *why);
};

/* Read the words behind the command's name, over the defaults. Returns 1 when --help is among them.
 * Errors, for which the exit code is 2: -EINVAL, why names option and value. */
int choices_parse(const struct command *command, int argc, char **argv, struct choices *ret,
                  struct error *why);

/* Print the command's --help. */
void choices_help(const char *program, const struct command *command);

/* Values of options. */
int choices_set_from(struct choices *choices, const char *text, struct error *why);
int choices_set_out(struct choices *choices, const char *text, struct error *why);
int choices_set_plan(struct choices *choices, const char *text, struct error *why);
int choices_set_order(struct choices *choices, const char *text, struct error *why);
int choices_set_jobs(struct choices *choices, const char *text, struct error *why);
int choices_set_count(struct choices *choices, const char *text, struct error *why);
int choices_set_seed(struct choices *choices, const char *text, struct error *why);
int choices_set_part(struct choices *choices, const char *text, struct error *why);
int choices_set_format(struct choices *choices, const char *text, struct error *why);
int choices_set_per_shard(struct choices *choices, const char *text, struct error *why);
int choices_allow_partial(struct choices *choices, const char *text, struct error *why);
