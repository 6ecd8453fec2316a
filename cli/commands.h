/* SPDX-License-Identifier: Apache-2.0
 * The commands of `twonmnist`. */
#pragma once

#include <twonmnist.h>

#include "cli/fault.h"
#include "cli/options.h"

struct command {
    const char *name;
    const char *operands; /* as --help shows them */
    unsigned min_operands, max_operands;
    unsigned formats; /* 1 << OUTPUT_… for each; the lowest is the default */
    const char *help;
    int (*run)(const struct options *options, tnm_client *client, struct fault *why);
};

/* The commands. Errors: those of libtwonmnist and of the output. */
int command_info(const struct options *options, tnm_client *client, struct fault *why);
int command_labels(const struct options *options, tnm_client *client, struct fault *why);
int command_get(const struct options *options, tnm_client *client, struct fault *why);
int command_batch(const struct options *options, tnm_client *client, struct fault *why);
int command_pair(const struct options *options, tnm_client *client, struct fault *why);
int command_mix(const struct options *options, tnm_client *client, struct fault *why);
int command_play(const struct options *options, tnm_client *client, struct fault *why);

/* The split of the first operand, in the form that the options ask for. */
int command_open_split(const struct options *options, tnm_client *client, tnm_split **ret,
                       struct fault *why);
