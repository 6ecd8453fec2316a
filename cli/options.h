/* SPDX-License-Identifier: Apache-2.0
 * The options of `twonmnist`: one row is all that is known of one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fault.h"

#define DEFAULT_SERVER "http://127.0.0.1:8642"

enum {
    OPTIONS_MAX_SERVERS = 16,
    OPTIONS_MAX_OPERANDS = 3,
    OPTIONS_VIEW_SIZE = 4096,
    OPTIONS_QUERY_SIZE = 512
};

struct command;

struct options {
    const char *servers[OPTIONS_MAX_SERVERS];
    size_t n_servers;
    const char *token_file, *ca_file, *certificate_file, *key_file;
    const char *output;
    int format; /* enum output_format */
    int order;  /* enum tnm_order */
    uint64_t timestep_us;
    const char *indices;
    uint64_t seed, epoch, k, size, rank, world;
    const char *of_epoch; /* the name of one given that says which batch of an epoch, or NULL */
    int last;             /* enum tnm_last */
    char view[OPTIONS_VIEW_SIZE];   /* the words of tnm_view_open(); "" for all samples */
    const char *of_view;            /* the name of one given that says which samples, or NULL */
    char query[OPTIONS_QUERY_SIZE]; /* what shapes a picture, as in a URL; "" for nothing */
    const char *pair;               /* SEED,INDEX */
    const char *mix;                /* A,B,... */
    double speed;
    bool once;
    bool verify, verbose;
    int graphics; /* enum graphics */
    int shell; /* enum completion_shell */
    const char *operands[OPTIONS_MAX_OPERANDS];
    unsigned n_operands;
};

struct option_row {
    const char *name;
    char letter;          /* as in -o; 0: none */
    const char *argument; /* NULL: it takes none */
    const char *help;     /* one line, without range and default */
    unsigned commands;    /* COMMAND_BIT(…) of each that has it */
    int (*set)(struct options *options, const struct option_row *row, const char *value,
               struct fault *why);
    size_t at;                  /* in struct options */
    uint64_t min, max;          /* of a number */
    const char *const *choices; /* of a choice, which becomes its place among them */
    const char *standard;       /* what it is where it is not given; NULL: nothing */
    bool is_file;
    bool of_epoch; /* it says which batch of an epoch */
    /* Instead of running the command print this; `command` is NULL where there was none. */
    void (*print)(const struct command *command, const struct options *options);
};

extern const struct option_row option_rows[];
extern const size_t n_option_rows;

/* Does the command have it? NULL: without a command. */
bool option_is_of(const struct option_row *row, const struct command *command);

/* The row of a word "--name", "--name=value", "-n" or "-nvalue"; *ret_value is what stands in the
 * word behind the name, or NULL. Returns NULL where there is none. */
const struct option_row *option_find(const char *word, const char **ret_value);

/* What may be behind it: "0 to 4294967295", "stored, time, published"; "" for what has no limits.
 */
const char *option_range(const struct option_row *row, char *ret, size_t size);

/* What all rows say that nobody gave. */
void options_standard(struct options *ret);
