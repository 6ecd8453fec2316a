/* SPDX-License-Identifier: Apache-2.0
 * The commands of `twonmnist`: one row is all that is known of one. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/format.h"

#define BIT    FORMAT_BIT
#define SAMPLE (BIT(OUTPUT_TEXT) | BIT(OUTPUT_JSON) | BIT(OUTPUT_BIN) | BIT(OUTPUT_NPY))

const struct command commands[N_COMMANDS] = {
    [COMMAND_INFO] =
        {
            .name = "info",
            .synopsis = "[SPLIT]",
            .operands = {OPERAND_SPLIT},
            .formats = BIT(OUTPUT_TEXT) | BIT(OUTPUT_JSON),
            .help = "the splits of the server, or all about one",
            .more =
                "SPLIT is the name of a split or of a source split, or name@revision, which pins "
                "what is in it. As text this is for people; programs read --format json. Of a view "
                "(--kind, --any, --all, --none, --folds, --per-class) it is what can be counted.",
            .example = "info train",
            .run = command_info,
        },
    [COMMAND_LABELS] =
        {
            .name = "labels",
            .synopsis = "SPLIT",
            .min_operands = 1,
            .operands = {OPERAND_SPLIT},
            .formats = BIT(OUTPUT_TEXT) | BIT(OUTPUT_NPY),
            .help = "the labels of all samples",
            .more = "As text a line for each sample: its index, and its digits with commas between "
                    "them. As npy uint8 [samples, 10], multi-hot. Of a view its samples alone.",
            .example = "labels train --output labels.npy",
            .run = command_labels,
        },
    [COMMAND_GET] =
        {
            .name = "get",
            .synopsis = "SPLIT INDEX",
            .min_operands = 2,
            .operands = {OPERAND_SPLIT, OPERAND_NUMBER},
            .formats = SAMPLE,
            .help = "one sample, or one recording of a source split",
            .more = "As text a line for each event: t in microseconds, x, y, p (1: ON). As npy the "
                    "same "
                    "with names, as Tonic has them.",
            .example = "get train 3 --output sample.npy",
            .run = command_get,
        },
    [COMMAND_BATCH] =
        {
            .name = "batch",
            .synopsis = "SPLIT",
            .min_operands = 1,
            .operands = {OPERAND_SPLIT},
            .formats = BIT(OUTPUT_TEXT) | BIT(OUTPUT_SAFETENSORS),
            .help = "a batch: of given samples, or one of an epoch",
            .more = "Either the samples of --indices; or global batch --k of --size samples in the "
                    "order "
                    "of epoch --epoch under --seed, of which rank --rank of --world takes every "
                    "WORLDth. The epoch is of a view where one is asked for (--kind, --any, --all, "
                    "--none, --folds, --per-class). As text a line for each sample, as safetensors "
                    "its events.",
            .example = "batch train --seed 1 --epoch 0 --k 0 --size 32 --output batch.safetensors",
            .run = command_batch,
        },
    [COMMAND_PAIR] =
        {
            .name = "pair",
            .synopsis = "SOURCE SEED INDEX",
            .min_operands = 3,
            .operands = {OPERAND_SOURCE, OPERAND_NUMBER, OPERAND_NUMBER},
            .formats = SAMPLE,
            .help = "a fresh pair of two digits, mixed now",
            .more = "SOURCE is a source split. Always the same pair for the same words.",
            .example = "pair nmnist-train 42 0 --output pair.npy",
            .run = command_pair,
        },
    [COMMAND_MIX] =
        {
            .name = "mix",
            .synopsis = "SOURCE A,B[,...]",
            .min_operands = 2,
            .operands = {OPERAND_SOURCE, OPERAND_NUMBERS},
            .formats = SAMPLE,
            .help = "recordings of different digits, mixed now",
            .more = "SOURCE is a source split; A and B are indices of its recordings.",
            .example = "mix nmnist-train 0,200 --format json",
            .run = command_mix,
        },
    [COMMAND_PLAY] =
        {
            .name = "play",
            .synopsis = "SPLIT [INDEX]",
            .min_operands = 1,
            .operands = {OPERAND_SPLIT, OPERAND_NUMBER},
            .help = "the events as an animation in the terminal",
            .more =
                "INDEX is 0 where it is not given. Ctrl-C, q or Escape ends, the space bar pauses, "
                "Ctrl-Z stops until the shell's fg. Without a terminal, or where TERM is dumb, a "
                "picture of each saccade is printed as text: + ON, - OFF, # both.",
            .example = "play nmnist-train --pair 42,0",
            .run = command_play,
        },
    [COMMAND_RENDER] =
        {
            .name = "render",
            .synopsis = "SPLIT|URL [INDEX]",
            .min_operands = 1,
            .operands = {OPERAND_SPLIT, OPERAND_NUMBER},
            .formats = BIT(OUTPUT_PNG),
            .help = "a sample as a picture, a strip or an animation; or a contact sheet",
            .more = "Of a sample (INDEX), a pair (--pair) or a mix (--mix); without any of them, a "
                    "contact sheet of SPLIT, or of a view of it. ON is orange and OFF is blue; the "
                    "daemon's manual has the rule. URL is one of the server, or its path from /v1 "
                    "on: what is there as .png. A digit is seen best in one saccade: --t1 105000.",
            .example = "render train 3 --strip 9 --output strip.png",
            .run = command_render,
        },
    [COMMAND_PULL] =
        {
            .name = "pull",
            .synopsis = "SPLIT DIR",
            .min_operands = 2,
            .operands = {OPERAND_SPLIT, OPERAND_FOLDER},
            .help = "a split's whole file, for a twonmnistd on this machine",
            .more =
                "The file is put into DIR, as SPLIT.safetensors, when all of it is there, right, "
                "and "
                "on the disk. All servers send parts of it at once; what an earlier pull has left "
                "behind that was ended in any way is not asked for again. A file that is there and "
                "of the server's revision, or of that in SPLIT@REVISION, stays; without a word "
                "and, "
                "where SPLIT has a revision, without a server. So this can be run by a timer, or "
                "before each job. It says what it did where standard output is a terminal.",
            .example = "pull train /var/lib/twonmnist",
            .run = command_pull,
        },
    [COMMAND_HELP] =
        {
            .name = "help",
            .synopsis = "[COMMAND]",
            .operands = {OPERAND_COMMAND},
            .help = "how to use a command",
            .more = "The same as COMMAND --help.",
            .example = "help batch",
        },
};

const char *command_names(const char *between, char ret[COMMAND_NAMES_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < N_COMMANDS && used < COMMAND_NAMES_SIZE; i++)
        used += (size_t)snprintf(ret + used, COMMAND_NAMES_SIZE - used, "%s%s", i ? between : "",
                                 commands[i].name);
    return ret;
}

const char *operand_words(enum operand operand, char ret[COMMAND_NAMES_SIZE])
{
    static const char *const words[N_OPERANDS] = {
        [OPERAND_SPLIT] = "train test nmnist-train nmnist-test",
        [OPERAND_SOURCE] = "nmnist-train nmnist-test",
    };
    return operand == OPERAND_COMMAND ? command_names(" ", ret) : words[operand];
}

bool command_all_have(const struct option_row *row)
{
    bool all = true;
    for (size_t i = 0; i < N_COMMANDS; i++)
        all &= !commands[i].run || option_is_of(row, &commands[i]);
    return all;
}

unsigned command_max_operands(const struct command *command)
{
    unsigned n = 0;
    while (command->operands[n] != OPERAND_NONE)
        n++;
    return n;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
