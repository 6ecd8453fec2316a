/* SPDX-License-Identifier: Apache-2.0
 * The words of the command line: a table of commands, one of options, and --help made of both. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/word.h"

#define DEFAULT_SERVER "http://127.0.0.1:8642"

#define BIT(format) (1u << (format))
#define SAMPLE      (BIT(OUTPUT_TEXT) | BIT(OUTPUT_JSON) | BIT(OUTPUT_BIN) | BIT(OUTPUT_NPY))

static const char *const format_names[N_OUTPUT_FORMATS + 1] = {
    [OUTPUT_TEXT] = "text",
    [OUTPUT_JSON] = "json",
    [OUTPUT_BIN] = "bin",
    [OUTPUT_NPY] = "npy",
    [OUTPUT_SAFETENSORS] = "safetensors",
};

/* clang-format off */
static const struct command commands[] = {
    {"info",   "[SPLIT]",           0, 1, BIT(OUTPUT_TEXT) | BIT(OUTPUT_JSON), "the splits of the server, or all about one", command_info},
    {"labels", "SPLIT",             1, 1, BIT(OUTPUT_TEXT) | BIT(OUTPUT_NPY), "the labels of all samples", command_labels},
    {"get",    "SPLIT INDEX",       2, 2, SAMPLE, "one sample, or one recording of a source", command_get},
    {"batch",  "SPLIT",             1, 1, BIT(OUTPUT_TEXT) | BIT(OUTPUT_SAFETENSORS), "a batch: --indices, or --seed, --epoch, --k of an epoch", command_batch},
    {"pair",   "SOURCE SEED INDEX", 3, 3, SAMPLE, "a fresh pair of two digits", command_pair},
    {"mix",    "SOURCE A,B[,...]",  2, 2, SAMPLE, "recordings of different digits, mixed now", command_mix},
    {"play",   "SPLIT [INDEX]",     1, 2, BIT(OUTPUT_TEXT), "the events as an animation in the terminal", command_play},
};
/* clang-format on */

static const unsigned n_commands = sizeof commands / sizeof *commands;

struct option_row;

typedef int set_option(struct options *options, const struct option_row *row, const char *value,
                       struct fault *why);

/* One option: where its value goes, and what it may be. */
struct option_row {
    const char *name, *argument; /* NULL: it takes none */
    const char *help;
    set_option *set;
    size_t at;                  /* in struct options */
    uint64_t max;               /* of a number */
    const char *const *choices; /* of a choice, which becomes its place among them */
    bool of_epoch;
};

static int set_server(struct options *options, const struct option_row *row, const char *value,
                      struct fault *why)
{
    if (options->n_servers == OPTIONS_MAX_SERVERS)
        return fault_set(why, -EINVAL, "%s: more than %d", row->name, OPTIONS_MAX_SERVERS);
    options->servers[options->n_servers++] = value;
    return 0;
}

static int set_word(struct options *options, const struct option_row *row, const char *value,
                    struct fault *why)
{
    (void)why;
    *(const char **)(void *)((char *)options + row->at) = value;
    return 0;
}

static int set_number(struct options *options, const struct option_row *row, const char *value,
                      struct fault *why)
{
    options->epoch_given |= row->of_epoch;
    return word_number(row->name, value, row->max, (uint64_t *)(void *)((char *)options + row->at),
                       why);
}

static int set_choice(struct options *options, const struct option_row *row, const char *value,
                      struct fault *why)
{
    char possible[128] = "";
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], value) == 0) {
            *(int *)(void *)((char *)options + row->at) = i;
            return 0;
        }
        size_t used = strlen(possible);
        snprintf(possible + used, sizeof possible - used, "%s%s", i ? ", " : "", row->choices[i]);
    }
    return fault_set(why, -EINVAL, "%s is \"%s\"; it is one of %s", row->name, value, possible);
}

static int set_speed(struct options *options, const struct option_row *row, const char *value,
                     struct fault *why)
{
    char *end;
    options->speed = strtod(value, &end);
    if (*end || !(options->speed >= 0.001 && options->speed <= 100))
        return fault_set(why, -EINVAL, "%s is \"%s\"; it goes from 0.001 to 100", row->name, value);
    return 0;
}

static int set_flag(struct options *options, const struct option_row *row, const char *value,
                    struct fault *why)
{
    (void)value;
    (void)why;
    *(bool *)((char *)options + row->at) = true;
    return 0;
}

static const char *const orders[] = {[TNM_ORDER_STORED] = "stored",
                                     [TNM_ORDER_TIME] = "time",
                                     [TNM_ORDER_PUBLISHED] = "published",
                                     NULL};
static const char *const lasts[] = {
    [TNM_LAST_SHORT] = "short", [TNM_LAST_DROP] = "drop", [TNM_LAST_PAD] = "pad", NULL};

#define AT(field) .at = offsetof(struct options, field)

/* clang-format off */
static const struct option_row rows[] = {
    {"--server", "URL", "a server; again for more (default: $TWONMNIST_SERVER or " DEFAULT_SERVER ")", set_server, AT(servers)},
    {"--token-file", "FILE", "the token that the server wants", set_word, AT(token_file)},
    {"--ca-file", "FILE", "whom to trust for https", set_word, AT(ca_file)},
    {"--certificate-file", "FILE", "whom to be to a server that asks", set_word, AT(certificate_file)},
    {"--key-file", "FILE", "its key, where that is in another file", set_word, AT(key_file)},
    {"--output", "FILE", "write here, whole or not at all; its ending says the format", set_word, AT(output)},
    {"--format", "NAME", "text, json, bin, npy or safetensors", set_choice, AT(format), .choices = format_names},
    {"--order", "NAME", "order of the events: stored (default), time, published", set_choice, AT(order), .choices = orders},
    {"--timestep", "US", "round times to multiples of so many us", set_number, AT(timestep_us), UINT32_MAX},
    {"--indices", "A,B,...", "batch: these samples", set_word, AT(indices)},
    {"--seed", "N", "batch: seed of the epochs' orders (default 0)", set_number, AT(seed), UINT32_MAX, .of_epoch = true},
    {"--epoch", "N", "batch: the epoch (default 0)", set_number, AT(epoch), UINT32_MAX, .of_epoch = true},
    {"--k", "N", "batch: which one of the epoch (default 0)", set_number, AT(k), UINT64_MAX, .of_epoch = true},
    {"--size", "N", "batch: samples in a global batch (default 64)", set_number, AT(size), UINT64_MAX},
    {"--rank", "N", "batch: which share of it (default 0)", set_number, AT(rank), UINT32_MAX},
    {"--world", "N", "batch: how many shares there are (default 1)", set_number, AT(world), UINT32_MAX},
    {"--last", "NAME", "batch: the last one is short (default), drop, pad", set_choice, AT(last), .choices = lasts},
    {"--pair", "SEED,INDEX", "play: a fresh pair of a source", set_word, AT(pair)},
    {"--speed", "X", "play: times the real speed (default 0.2)", set_speed, AT(speed)},
    {"--once", NULL, "play: end after the first round", set_flag, AT(once)},
};
/* clang-format on */

enum { N_ROWS = sizeof rows / sizeof *rows };

static void print_help(void)
{
    printf("Usage: twonmnist COMMAND [OPERAND]... [OPTION]...\n"
           "Get samples, batches and fresh pairs of 2NMNIST from a twonmnist daemon.\n\n");
    for (unsigned i = 0; i < n_commands; i++) {
        int column = printf("  %s %s", commands[i].name, commands[i].operands);
        printf("%*s%s\n", 27 - column, "", commands[i].help);
    }
    printf("\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        int column = printf("  %s %s", rows[i].name, rows[i].argument ? rows[i].argument : "");
        printf("%*s%s\n", 27 - column, "", rows[i].help);
    }
    printf("  --help                   print this\n"
           "  --version                print the version\n\n"
           "Checksums are verified always. Exit status: 0 done, 1 failed, 2 wrong usage, 3 not\n"
           "found, 4 no server answered, 5 the data are damaged or others than expected.\n");
}

static const struct command *find_command(const char *name)
{
    for (unsigned i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* One option at argv[*i]; *i moves on to its value. */
static int read_option(int argc, char **argv, int *i, struct options *options, struct fault *why)
{
    const char *equals = strchr(argv[*i], '=');
    size_t n = equals ? (size_t)(equals - argv[*i]) : strlen(argv[*i]);
    for (size_t row = 0; row < N_ROWS; row++) {
        const char *name = rows[row].name;
        if (strlen(name) != n || memcmp(name, argv[*i], n) != 0)
            continue;
        if (!rows[row].argument)
            return equals ? fault_set(why, -EINVAL, "%s takes no value", name)
                          : rows[row].set(options, &rows[row], NULL, why);
        if (!equals && *i + 1 == argc)
            return fault_set(why, -EINVAL, "%s takes a value: %s", name, rows[row].argument);
        return rows[row].set(options, &rows[row], equals ? equals + 1 : argv[++*i], why);
    }
    return fault_set(why, -EINVAL, "there is no option %.*s", (int)n, argv[*i]);
}

static enum output_format format_of_file(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    enum output_format format = OUTPUT_TEXT;
    while (dot && format < N_OUTPUT_FORMATS && strcmp(dot + 1, format_names[format]) != 0)
        format++;
    return dot && format < N_OUTPUT_FORMATS ? format : OUTPUT_TEXT;
}

static int check(const struct command *command, struct options *options, struct fault *why)
{
    if (options->n_operands < command->min_operands || options->n_operands > command->max_operands)
        return fault_set(why, -EINVAL, "%s takes %s", command->name, command->operands);
    if (options->format < 0)
        options->format = (int)format_of_file(options->output);
    if (!(command->formats & BIT(options->format)))
        return fault_set(why, -EINVAL, "%s has no format %s", command->name,
                         format_names[options->format]);
    if (options->n_servers == 0) {
        const char *server = getenv("TWONMNIST_SERVER");
        options->servers[options->n_servers++] = server && *server ? server : DEFAULT_SERVER;
    }
    return 0;
}

static int read_words(int argc, char **argv, const struct command *command, struct options *options,
                      struct fault *why)
{
    int r = 0;
    for (int i = 2; r == 0 && i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0)
            r = read_option(argc, argv, &i, options, why);
        else if (options->n_operands == OPTIONS_MAX_OPERANDS)
            r = fault_set(why, -EINVAL, "%s takes %s", command->name, command->operands);
        else
            options->operands[options->n_operands++] = argv[i];
    }
    return r == 0 ? check(command, options, why) : r;
}

const struct command *options_parse(int argc, char **argv, struct options *ret, int *ret_exit)
{
    *ret = (struct options){.format = -1, .size = 64, .world = 1, .speed = 0.2};
    *ret_exit = EXIT_DONE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return NULL;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("twonmnist %s\n", PACKAGE_VERSION);
            return NULL;
        }
    }
    struct fault why;
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    int r = -EINVAL;
    if (command)
        r = read_words(argc, argv, command, ret, &why);
    else if (argc > 1)
        fault_set(&why, r, "there is no command \"%s\"", argv[1]);
    else
        fault_set(&why, r, "a command is missing");
    if (r == 0)
        return command;
    fprintf(stderr, "twonmnist: %s (see twonmnist --help)\n", why.text);
    *ret_exit = EXIT_USAGE;
    return NULL;
}
