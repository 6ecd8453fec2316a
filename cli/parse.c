/* SPDX-License-Identifier: Apache-2.0
 * The command line of `twonmnist`: one table of commands, one of options, from which --help is
 * made.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define BIT(format) (1u << (format))
#define SAMPLE      (BIT(CLI_TEXT) | BIT(CLI_JSON) | BIT(CLI_BIN) | BIT(CLI_NPY))

static const char *const format_names[CLI_N_FORMATS] = {
    [CLI_TEXT] = "text",
    [CLI_JSON] = "json",
    [CLI_BIN] = "bin",
    [CLI_NPY] = "npy",
    [CLI_SAFETENSORS] = "safetensors",
};

/* clang-format off */
const struct cli_command cli_commands[] = {
    {"info",   "[SPLIT]",           0, 1, BIT(CLI_TEXT) | BIT(CLI_JSON), "the splits of the server, or all about one", cli_info},
    {"labels", "SPLIT",             1, 1, BIT(CLI_TEXT) | BIT(CLI_NPY), "the labels of all samples", cli_labels},
    {"get",    "SPLIT INDEX",       2, 2, SAMPLE, "one sample, or one recording of a source", cli_get},
    {"batch",  "SPLIT",             1, 1, BIT(CLI_TEXT) | BIT(CLI_SAFETENSORS), "a batch: --indices, or --seed, --epoch, --k of an epoch", cli_batch},
    {"pair",   "SOURCE SEED INDEX", 3, 3, SAMPLE, "a fresh pair of two digits", cli_pair},
    {"mix",    "SOURCE A,B[,...]",  2, 2, SAMPLE, "recordings of different digits, mixed now", cli_mix},
    {"play",   "SPLIT [INDEX]",     1, 2, BIT(CLI_TEXT), "the events as an animation in the terminal", cli_play},
};
/* clang-format on */

const unsigned cli_n_commands = sizeof cli_commands / sizeof *cli_commands;

typedef int set_option(struct cli_options *options, const char *name, const char *value,
                       struct error *why);

static int set_server(struct cli_options *options, const char *name, const char *value,
                      struct error *why)
{
    if (options->n_servers == CLI_MAX_SERVERS)
        return error_set(why, -EINVAL, "%s: more than %d", name, CLI_MAX_SERVERS);
    options->servers[options->n_servers++] = value;
    return 0;
}

static int set_word(struct cli_options *options, const char *name, const char *value,
                    struct error *why)
{
    (void)why;
    const struct {
        const char *name;
        const char **place;
    } words[] = {
        {"--token-file", &options->token_file},
        {"--ca-file", &options->ca_file},
        {"--output", &options->output},
        {"--indices", &options->indices},
        {"--pair", &options->pair},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].name, name) == 0)
            *words[i].place = value;
    return 0;
}

static int set_number(struct cli_options *options, const char *name, const char *value,
                      struct error *why)
{
    const struct {
        const char *name;
        uint64_t *place;
        uint64_t max;
        bool of_epoch;
    } numbers[] = {
        {"--seed", &options->seed, UINT32_MAX, true},
        {"--epoch", &options->epoch, UINT32_MAX, true},
        {"--k", &options->k, UINT64_MAX, true},
        {"--size", &options->size, INT32_MAX, false},
        {"--rank", &options->rank, UINT16_MAX, false},
        {"--world", &options->world, UINT16_MAX, false},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].name, name) == 0) {
            options->epoch_given |= numbers[i].of_epoch;
            return cli_number(name, value, numbers[i].max, numbers[i].place, why);
        }
    return 0;
}

static int set_timestep(struct cli_options *options, const char *name, const char *value,
                        struct error *why)
{
    uint64_t timestep_us;
    int r = cli_number(name, value, 1000000, &timestep_us, why);
    if (r == 0)
        options->timestep_us = (uint32_t)timestep_us;
    return r;
}

static int choose(const char *name, const char *value, const char *const *choices, int *ret,
                  struct error *why)
{
    char possible[128] = "";
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], value) == 0) {
            *ret = i;
            return 0;
        }
        size_t used = strlen(possible);
        snprintf(possible + used, sizeof possible - used, "%s%s", i ? ", " : "", choices[i]);
    }
    return error_set(why, -EINVAL, "%s is \"%s\"; it is one of %s", name, value, possible);
}

static int set_order(struct cli_options *options, const char *name, const char *value,
                     struct error *why)
{
    static const char *const choices[] = {[TNM_ORDER_STORED] = "stored",
                                          [TNM_ORDER_TIME] = "time",
                                          [TNM_ORDER_PUBLISHED] = "published",
                                          NULL};
    int chosen = 0, r = choose(name, value, choices, &chosen, why);
    options->order = (enum tnm_order)chosen;
    return r;
}

static int set_last(struct cli_options *options, const char *name, const char *value,
                    struct error *why)
{
    static const char *const choices[] = {
        [TNM_LAST_SHORT] = "short", [TNM_LAST_DROP] = "drop", [TNM_LAST_PAD] = "pad", NULL};
    int chosen = 0, r = choose(name, value, choices, &chosen, why);
    options->last = (enum tnm_last)chosen;
    return r;
}

static int set_format(struct cli_options *options, const char *name, const char *value,
                      struct error *why)
{
    const char *choices[CLI_N_FORMATS + 1] = {NULL};
    memcpy(choices, format_names, sizeof format_names);
    int chosen = 0, r = choose(name, value, choices, &chosen, why);
    options->format = (enum cli_format)chosen;
    options->format_given = true;
    return r;
}

static int set_speed(struct cli_options *options, const char *name, const char *value,
                     struct error *why)
{
    char *end;
    options->speed = strtod(value, &end);
    if (*end || !(options->speed >= 0.001 && options->speed <= 100))
        return error_set(why, -EINVAL, "%s is \"%s\"; it goes from 0.001 to 100", name, value);
    return 0;
}

static int set_once(struct cli_options *options, const char *name, const char *value,
                    struct error *why)
{
    (void)name;
    (void)value;
    (void)why;
    options->once = true;
    return 0;
}

static const struct {
    const char *name, *argument; /* NULL: it takes none */
    const char *help;
    set_option *set;
} rows[] = {
    {"--server", "URL", "a server; again for more (default: $TWONMNIST_SERVER or " CLI_DEFAULT ")",
     set_server},
    {"--token-file", "FILE", "the token that the server wants", set_word},
    {"--ca-file", "FILE", "whom to trust for https", set_word},
    {"--output", "FILE", "write here, whole or not at all; its ending says the format", set_word},
    {"--format", "NAME", "text, json, bin, npy or safetensors", set_format},
    {"--order", "NAME", "order of the events: stored (default), time, published", set_order},
    {"--timestep", "US", "round times to multiples of so many us", set_timestep},
    {"--indices", "A,B,...", "batch: these samples", set_word},
    {"--seed", "N", "batch: seed of the epochs' orders (default 0)", set_number},
    {"--epoch", "N", "batch: the epoch (default 0)", set_number},
    {"--k", "N", "batch: which one of the epoch (default 0)", set_number},
    {"--size", "N", "batch: samples in a global batch (default 64)", set_number},
    {"--rank", "N", "batch: which share of it (default 0)", set_number},
    {"--world", "N", "batch: how many shares there are (default 1)", set_number},
    {"--last", "NAME", "batch: the last one is short (default), drop, pad", set_last},
    {"--pair", "SEED,INDEX", "play: a fresh pair of a source", set_word},
    {"--speed", "X", "play: times the real speed (default 0.2)", set_speed},
    {"--once", NULL, "play: end after the first round", set_once},
};

enum { N_ROWS = sizeof rows / sizeof *rows };

static void print_help(void)
{
    printf("Usage: twonmnist COMMAND [OPERAND]... [OPTION]...\n"
           "Get samples, batches and fresh pairs of 2NMNIST from a twonmnist daemon.\n\n");
    for (unsigned i = 0; i < cli_n_commands; i++) {
        int column = printf("  %s %s", cli_commands[i].name, cli_commands[i].operands);
        printf("%*s%s\n", 27 - column, "", cli_commands[i].help);
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

static const struct cli_command *find_command(const char *name)
{
    for (unsigned i = 0; i < cli_n_commands; i++)
        if (strcmp(cli_commands[i].name, name) == 0)
            return &cli_commands[i];
    return NULL;
}

/* One option at argv[*i]; *i moves on to its value. */
static int read_option(int argc, char **argv, int *i, struct cli_options *options,
                       struct error *why)
{
    const char *equals = strchr(argv[*i], '=');
    size_t n = equals ? (size_t)(equals - argv[*i]) : strlen(argv[*i]);
    for (size_t row = 0; row < N_ROWS; row++) {
        const char *name = rows[row].name;
        if (strlen(name) != n || memcmp(name, argv[*i], n) != 0)
            continue;
        if (!rows[row].argument)
            return equals ? error_set(why, -EINVAL, "%s takes no value", name)
                          : rows[row].set(options, name, NULL, why);
        if (!equals && *i + 1 == argc)
            return error_set(why, -EINVAL, "%s takes a value: %s", name, rows[row].argument);
        return rows[row].set(options, name, equals ? equals + 1 : argv[++*i], why);
    }
    return error_set(why, -EINVAL, "there is no option %.*s", (int)n, argv[*i]);
}

static enum cli_format format_of_file(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    enum cli_format format = CLI_TEXT;
    while (dot && format < CLI_N_FORMATS && strcmp(dot + 1, format_names[format]) != 0)
        format++;
    return dot && format < CLI_N_FORMATS ? format : CLI_TEXT;
}

static int check(const struct cli_command *command, struct cli_options *options, struct error *why)
{
    if (options->n_operands < command->min_operands || options->n_operands > command->max_operands)
        return error_set(why, -EINVAL, "%s takes %s", command->name, command->operands);
    if (!options->format_given)
        options->format = format_of_file(options->output);
    if (!(command->formats & BIT(options->format)))
        return error_set(why, -EINVAL, "%s has no format %s", command->name,
                         format_names[options->format]);
    if (options->n_servers == 0) {
        const char *server = getenv("TWONMNIST_SERVER");
        options->servers[options->n_servers++] = server && *server ? server : CLI_DEFAULT;
    }
    return 0;
}

static int read_words(int argc, char **argv, const struct cli_command *command,
                      struct cli_options *options, struct error *why)
{
    int r = 0;
    for (int i = 2; r == 0 && i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0)
            r = read_option(argc, argv, &i, options, why);
        else if (options->n_operands == CLI_MAX_OPERANDS)
            r = error_set(why, -EINVAL, "%s takes %s", command->name, command->operands);
        else
            options->operands[options->n_operands++] = argv[i];
    }
    return r == 0 ? check(command, options, why) : r;
}

const struct cli_command *cli_parse(int argc, char **argv, struct cli_options *ret, int *ret_exit)
{
    *ret = (struct cli_options){.size = 64, .world = 1, .speed = 0.2};
    *ret_exit = CLI_OK;
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
    struct error why;
    const struct cli_command *command = argc > 1 ? find_command(argv[1]) : NULL;
    int r = -EINVAL;
    if (command)
        r = read_words(argc, argv, command, ret, &why);
    else if (argc > 1)
        error_set(&why, r, "there is no command \"%s\"", argv[1]);
    else
        error_set(&why, r, "a command is missing");
    if (r == 0)
        return command;
    fprintf(stderr, "twonmnist: %s (see twonmnist --help)\n", why.text);
    *ret_exit = CLI_USAGE;
    return NULL;
}
