/* SPDX-License-Identifier: Apache-2.0
 * The words of the command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_MAX_OPERANDS = 3, OPTIONS_MAX_SERVERS = 16 };

struct options {
    const char *servers[OPTIONS_MAX_SERVERS];
    size_t n_servers;
    const char *token_file, *ca_file, *certificate_file, *key_file;
    const char *output;
    int format; /* enum output_format; -1: not given */
    int order;  /* enum tnm_order */
    uint64_t timestep_us;
    const char *indices;
    uint64_t seed, epoch, k, size, rank, world;
    bool epoch_given; /* --seed, --epoch, --k: a batch of an epoch */
    int last;         /* enum tnm_last */
    const char *pair; /* play: SEED,INDEX */
    double speed;
    bool once;
    const char *operands[OPTIONS_MAX_OPERANDS];
    unsigned n_operands;
};

struct command;

/* Read the command line. Returns the command's row; NULL and *ret_exit where the program is to end
 * (after --help, or a mistake that was told). */
const struct command *options_parse(int argc, char **argv, struct options *ret, int *ret_exit);
