/* SPDX-License-Identifier: Apache-2.0
 * What the commands of `twonmnist` share: the words of the command line, and how they end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/twonmnist.h"
#include "common/error.h"

enum {
    CLI_MAX_OPERANDS = 3,
    CLI_MAX_SERVERS = 16,
    CLI_FRAMES_PER_S = 30,
};

#define CLI_DEFAULT "http://127.0.0.1:8642"

enum cli_exit {
    CLI_OK,
    CLI_FAILED,
    CLI_USAGE,
    CLI_NOT_FOUND,
    CLI_UNREACHABLE,
    CLI_DAMAGED,
};

enum cli_format {
    CLI_TEXT,
    CLI_JSON,
    CLI_BIN,
    CLI_NPY,
    CLI_SAFETENSORS,
    CLI_N_FORMATS,
};

struct cli_options {
    const char *servers[CLI_MAX_SERVERS];
    size_t n_servers;
    const char *token_file, *ca_file;
    const char *output;
    enum cli_format format;
    bool format_given;
    enum tnm_order order;
    uint32_t timestep_us;
    const char *indices;
    uint64_t seed, epoch, k, size, rank, world;
    bool epoch_given; /* --seed, --epoch, --k: a batch of an epoch */
    enum tnm_last last;
    const char *pair; /* play: SEED,INDEX */
    double speed;
    bool once;
    const char *operands[CLI_MAX_OPERANDS];
    unsigned n_operands;
};

struct cli_command {
    const char *name;
    const char *operands; /* as --help shows them */
    unsigned min_operands, max_operands;
    unsigned formats; /* 1 << CLI_… for each; the lowest is the default */
    const char *help;
    int (*run)(const struct cli_options *options, tnm_client *client, struct error *why);
};

extern const struct cli_command cli_commands[];
extern const unsigned cli_n_commands;

/* Read the command line. Returns the command's row; NULL and *ret_exit where the program is to end
 * (after --help, or a mistake that was told). */
const struct cli_command *cli_parse(int argc, char **argv, struct cli_options *ret, int *ret_exit);

/* The commands. Errors: those of libtwonmnist and of the output. */
int cli_info(const struct cli_options *options, tnm_client *client, struct error *why);
int cli_labels(const struct cli_options *options, tnm_client *client, struct error *why);
int cli_get(const struct cli_options *options, tnm_client *client, struct error *why);
int cli_batch(const struct cli_options *options, tnm_client *client, struct error *why);
int cli_pair(const struct cli_options *options, tnm_client *client, struct error *why);
int cli_mix(const struct cli_options *options, tnm_client *client, struct error *why);
int cli_play(const struct cli_options *options, tnm_client *client, struct error *why);

/* Turn the library's last error into `why`; returns `r`. */
int cli_failed(int r, struct error *why);

/* A split in the form that the options ask for. */
int cli_open_split(const struct cli_options *options, tnm_client *client, tnm_split **ret,
                   struct error *why);

/* "A,B,…" as numbers; the caller frees *ret. Errors: -EINVAL, -ENOMEM. */
int cli_numbers(const char *what, const char *text, uint64_t **ret, size_t *ret_n,
                struct error *why);
int cli_number(const char *what, const char *text, uint64_t max, uint64_t *ret, struct error *why);
