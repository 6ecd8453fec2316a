/* SPDX-License-Identifier: Apache-2.0
 * The commands of `twonmnist`: one row is all that is known of one. */
#pragma once

#include <twonmnist.h>

#include "cli/fault.h"
#include "cli/options.h"

enum command_id {
    COMMAND_INFO,
    COMMAND_LABELS,
    COMMAND_GET,
    COMMAND_BATCH,
    COMMAND_PAIR,
    COMMAND_MIX,
    COMMAND_PLAY,
    COMMAND_RENDER,
    COMMAND_PULL,
    COMMAND_HELP,
    N_COMMANDS,
};

#define COMMAND_BIT(command) (1u << (command))

/* What a word behind a command is. */
enum operand {
    OPERAND_NONE,
    OPERAND_SPLIT,   /* any split */
    OPERAND_SOURCE,  /* a source split */
    OPERAND_COMMAND, /* the name of a command */
    OPERAND_NUMBER,
    OPERAND_NUMBERS, /* between commas */
    OPERAND_FOLDER,
    N_OPERANDS,
};

struct command {
    const char *name;
    const char *synopsis; /* its operands, as --help shows them */
    unsigned min_operands;
    enum operand operands[OPTIONS_MAX_OPERANDS + 1]; /* OPERAND_NONE behind the last */
    unsigned formats; /* FORMAT_BIT(…) of each; 0: it writes none */
    const char *help; /* one line */
    const char *more; /* sentences for its own help and the manual */
    const char *example;
    int (*run)(const struct options *options, tnm_client *client, struct fault *why);
};

extern const struct command commands[N_COMMANDS];

/* How many operands it may have. */
unsigned command_max_operands(const struct command *command);

enum { COMMAND_NAMES_SIZE = 128 };

/* All names, with `between` between them. */
const char *command_names(const char *between, char ret[COMMAND_NAMES_SIZE]);

/* What an operand may be, between blanks: names of commands, or the splits that the generator
 * makes. NULL where completion can offer nothing. */
const char *operand_words(enum operand operand, char ret[COMMAND_NAMES_SIZE]);

/* Every command that asks a server has the option. */
bool command_all_have(const struct option_row *row);

/* The command of that name; NULL: there is none. */
const struct command *command_find(const char *name);

/* The commands. Errors: those of libtwonmnist and of the output. */
int command_info(const struct options *options, tnm_client *client, struct fault *why);
int command_labels(const struct options *options, tnm_client *client, struct fault *why);
int command_get(const struct options *options, tnm_client *client, struct fault *why);
int command_batch(const struct options *options, tnm_client *client, struct fault *why);
int command_pair(const struct options *options, tnm_client *client, struct fault *why);
int command_mix(const struct options *options, tnm_client *client, struct fault *why);
int command_play(const struct options *options, tnm_client *client, struct fault *why);
int command_pull(const struct options *options, tnm_client *client, struct fault *why);
int command_render(const struct options *options, tnm_client *client, struct fault *why);

/* The view of the split that the options ask for; NULL for all of it. */
int command_open_view(const struct options *options, tnm_split *split, tnm_view **ret,
                      struct fault *why);

/* The split of the first operand, in the form that the options ask for. */
int command_open_split(const struct options *options, tnm_client *client, tnm_split **ret,
                       struct fault *why);
