/* SPDX-License-Identifier: Apache-2.0
 * The options of `twonmnist`: one row is all that is known of one. */
#include "cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/format.h"
#include "cli/graphics.h"
#include "cli/help.h"
#include "cli/reference.h"
#include "cli/word.h"

static void *field(struct options *options, const struct option_row *row)
{
    return (char *)options + row->at;
}

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
    *(const char **)field(options, row) = value;
    return 0;
}

static int set_number(struct options *options, const struct option_row *row, const char *value,
                      struct fault *why)
{
    return word_number(row->name, value, row->min, row->max, field(options, row), why);
}

static int set_choice(struct options *options, const struct option_row *row, const char *value,
                      struct fault *why)
{
    char possible[128];
    for (int i = 0; row->choices[i]; i++)
        if (strcmp(row->choices[i], value) == 0) {
            *(int *)field(options, row) = i;
            return 0;
        }
    return fault_set(why, -EINVAL, "%s is \"%.80s\"; it is one of %s", row->name, value,
                     option_range(row, possible, sizeof possible));
}

static int set_speed(struct options *options, const struct option_row *row, const char *value,
                     struct fault *why)
{
    char *end;
    options->speed = strtod(value, &end);
    if (*end || !(options->speed >= 0.001 && options->speed <= 100))
        return fault_set(why, -EINVAL, "%s is \"%.80s\"; it goes from 0.001 to 100", row->name,
                         value);
    return 0;
}

static int set_flag(struct options *options, const struct option_row *row, const char *value,
                    struct fault *why)
{
    (void)value;
    (void)why;
    *(bool *)field(options, row) = true;
    return 0;
}

static int check_word(const struct option_row *row, const char *value, struct fault *why)
{
    struct options unused;
    uint64_t number;
    if (row->choices)
        return set_choice(&unused, row, value, why);
    if (row->max)
        return word_number(row->name, value, row->min, row->max, &number, why);
    if (!*value || value[strspn(value, "0123456789,")])
        return fault_set(why, -EINVAL, "%s is \"%.80s\"; it takes labels with commas between them",
                         row->name, value);
    return 0;
}

/* One more word as in a URL: "--per-class 3" is "per_class=3". */
static int add_word(char *words, size_t size, const struct option_row *row, const char *value,
                    struct fault *why)
{
    size_t used = strlen(words), room = size - used;
    int n = snprintf(words + used, room, "%s%s=%s", used ? "&" : "", row->name + 2, value);
    if (n < 0 || (size_t)n >= room)
        return fault_set(why, -EINVAL, "%s is more than there is room for", row->name);
    for (char *at = words + used; *at && *at != '='; at++)
        *at = *at == '-' ? '_' : *at;
    return 0;
}

static int set_view(struct options *options, const struct option_row *row, const char *value,
                    struct fault *why)
{
    int r = check_word(row, value, why);
    if (r == 0)
        r = add_word(options->view, sizeof options->view, row, value, why);
    if (r == 0)
        options->of_view = row->name;
    return r;
}

/* Without an argument: yes. */
static int set_query(struct options *options, const struct option_row *row, const char *value,
                     struct fault *why)
{
    int r = row->argument ? check_word(row, value, why) : 0;
    return r < 0 ? r
                 : add_word(options->query, sizeof options->query, row,
                            row->argument ? value : "yes", why);
}

static int set_nothing(struct options *options, const struct option_row *row, const char *value,
                       struct fault *why)
{
    (void)options;
    (void)row;
    (void)value;
    (void)why;
    return 0;
}

static const char *const orders[] = {[TNM_ORDER_STORED] = "stored",
                                     [TNM_ORDER_TIME] = "time",
                                     [TNM_ORDER_PUBLISHED] = "published",
                                     NULL};
static const char *const lasts[] = {
    [TNM_LAST_SHORT] = "short", [TNM_LAST_DROP] = "drop", [TNM_LAST_PAD] = "pad", NULL};
static const char *const kinds[] = {"single", "pair", NULL};
static const char *const parts[] = {"held", "rest", NULL};
static const char *const polarities[] = {"keep", "merge", NULL};

enum {
    NO_COMMAND = 1 << N_COMMANDS, /* the program itself */
    BATCH = COMMAND_BIT(COMMAND_BATCH),
    PLAY = COMMAND_BIT(COMMAND_PLAY),
    RENDER = COMMAND_BIT(COMMAND_RENDER),
    SAMPLES =
        COMMAND_BIT(COMMAND_GET) | COMMAND_BIT(COMMAND_PAIR) | COMMAND_BIT(COMMAND_MIX) | BATCH,
    VIEWING = COMMAND_BIT(COMMAND_INFO) | COMMAND_BIT(COMMAND_LABELS) | BATCH | RENDER,
    WRITING = COMMAND_BIT(COMMAND_INFO) | COMMAND_BIT(COMMAND_LABELS) | SAMPLES | RENDER,
    PULL = COMMAND_BIT(COMMAND_PULL),
    ASKING = WRITING | PLAY | PULL,
    EVERY = ASKING | COMMAND_BIT(COMMAND_HELP) | NO_COMMAND,
};

#define AT(field)      .at = offsetof(struct options, field)
#define EPOCH(n, most) .min = n, .max = most, .of_epoch = true

/* clang-format off */
const struct option_row option_rows[] = {
    {"--server", 's', "URL", "a server; again for more with the same data (default: $TWONMNIST_SERVER or " DEFAULT_SERVER ")", ASKING, set_server, AT(servers)},
    {"--token-file", 0, "FILE", "the bearer token that the servers want: its first line", ASKING, set_word, AT(token_file), .is_file = true},
    {"--ca-file", 0, "FILE", "the certificates to trust for https instead of the system's", ASKING, set_word, AT(ca_file), .is_file = true},
    {"--certificate-file", 0, "FILE", "a certificate to show to servers that ask for one", ASKING, set_word, AT(certificate_file), .is_file = true},
    {"--key-file", 0, "FILE", "its private key, where that is in another file", ASKING, set_word, AT(key_file), .is_file = true},
    {"--output", 'o', "FILE", "write here, whole or not at all; its ending says the format; - is standard output", WRITING, set_word, AT(output), .is_file = true, .standard = "-"},
    {"--format", 'f', "NAME", "how to write it", WRITING, set_choice, AT(format), .choices = format_names},
    {"--order", 0, "NAME", "the order of a sample's events", SAMPLES | RENDER, set_choice, AT(order), .choices = orders, .standard = "stored"},
    {"--timestep", 0, "US", "round times to multiples of so many microseconds; 0 is as recorded", SAMPLES | PLAY | RENDER, set_number, AT(timestep_us), .max = 1000000, .standard = "0"},
    {"--indices", 0, "A,B,...", "these samples, in this order", BATCH, set_word, AT(indices)},
    {"--seed", 0, "N", "the seed of the epochs' orders", BATCH, set_number, AT(seed), EPOCH(0, UINT32_MAX), .standard = "0"},
    {"--epoch", 0, "N", "the epoch", BATCH, set_number, AT(epoch), EPOCH(0, UINT32_MAX), .standard = "0"},
    {"--k", 'k', "N", "which global batch of the epoch", BATCH, set_number, AT(k), EPOCH(0, UINT64_MAX), .standard = "0"},
    {"--size", 0, "N", "samples in a global batch", BATCH, set_number, AT(size), EPOCH(1, INT32_MAX), .standard = "64"},
    {"--rank", 0, "N", "which share of a global batch", BATCH, set_number, AT(rank), EPOCH(0, UINT16_MAX - 1), .standard = "0"},
    {"--world", 0, "N", "into how many shares it is divided", BATCH, set_number, AT(world), EPOCH(1, UINT16_MAX), .standard = "1"},
    {"--last", 0, "NAME", "a last batch that is not full is short, left out, or filled up from the beginning", BATCH, set_choice, AT(last), .choices = lasts, .of_epoch = true, .standard = "short"},
    {"--kind", 0, "NAME", "a view: the samples that show one digit, or two", VIEWING, set_view, AT(view), .choices = kinds},
    {"--any", 0, "A,B,...", "a view: those that show one of these digits", VIEWING, set_view, AT(view)},
    {"--all", 0, "A,B,...", "a view: those that show all of these digits", VIEWING, set_view, AT(view)},
    {"--none", 0, "A,B,...", "a view: those that show none of these digits", VIEWING, set_view, AT(view)},
    {"--folds", 0, "N", "a view: of the split dealt into so many folds", VIEWING, set_view, AT(view), .min = 2, .max = 1000},
    {"--fold", 0, "N", "a view: which fold; 0 where it is not given", VIEWING, set_view, AT(view), .max = 999},
    {"--part", 0, "NAME", "a view: the fold, held out, or all the rest", VIEWING, set_view, AT(view), .choices = parts},
    {"--per-class", 0, "N", "a view: so many samples of each set of labels at most", VIEWING, set_view, AT(view), .min = 1, .max = INT32_MAX},
    {"--fold-seed", 0, "N", "a view: the seed by which folds are dealt; 0 where it is not given", VIEWING, set_view, AT(view), .max = UINT32_MAX},
    {"--pair", 0, "SEED,INDEX", "a fresh pair of a source split", PLAY | RENDER, set_word, AT(pair)},
    {"--mix", 0, "A,B,...", "these recordings of a source split, mixed now", RENDER, set_word, AT(mix)},
    {"--scale", 0, "N", "each pixel of the sensor is a square of so many; 8 where it is not given, of a contact sheet 3", RENDER, set_query, AT(query), .min = 1, .max = 32},
    {"--strip", 0, "N", "so many pictures side by side, of equal spans of time", RENDER, set_query, AT(query), .min = 1, .max = 64},
    {"--frames", 0, "N", "an animation (APNG) of so many pictures, ten times as slow as the sample", RENDER, set_query, AT(query), .min = 1, .max = 256},
    {"--offset", 0, "N", "the first sample of a contact sheet", RENDER, set_query, AT(query), .max = INT32_MAX},
    {"--length", 0, "N", "samples in a contact sheet; 100 where it is not given", RENDER, set_query, AT(query), .min = 1, .max = 100},
    {"--stabilize", 0, NULL, "take the sensor's path off x and y", RENDER, set_query, AT(query)},
    {"--t0", 0, "US", "drop the events before", RENDER, set_query, AT(query), .max = (1 << 23) - 1},
    {"--t1", 0, "US", "drop the events from there on", RENDER, set_query, AT(query), .min = 1, .max = 1 << 23},
    {"--denoise", 0, "US", "drop an event unless one of its 4 neighbours had one less than that before", RENDER, set_query, AT(query), .min = 1, .max = (1 << 23) - 1},
    {"--polarity", 0, "NAME", "merge: ON and OFF are the same", RENDER, set_query, AT(query), .choices = polarities},
    {"--speed", 0, "X", "times the real speed, 0.001 to 100", PLAY, set_speed, AT(speed), .standard = "0.2"},
    {"--graphics", 0, "NAME", "how to draw: as characters, or as a picture where the terminal says that it can", PLAY, set_choice, AT(graphics), .choices = graphics_names, .standard = "auto"},
    {"--once", 0, NULL, "end after the first round", PLAY, set_flag, AT(once)},
    {"--verify", 0, NULL, "hash a file that is there, too, instead of looking at its header and index", PULL, set_flag, AT(verify)},
    {"--verbose", 'v', NULL, "say what was done also where standard output is no terminal", PULL, set_flag, AT(verbose)},
    {"--help", 'h', NULL, "print help and exit", EVERY, set_nothing, .print = help_print},
    {"--version", 'V', NULL, "print the version and exit", NO_COMMAND, set_nothing, .print = help_print_version},
    {"--completion", 0, "SHELL", "print what makes a shell complete these words, and exit", NO_COMMAND, set_choice, AT(shell), .choices = completion_shells, .print = completion_print},
    {"--reference", 0, NULL, "print the manual's commands, options and exit statuses, and exit", NO_COMMAND, set_nothing, .print = reference_print},
};
/* clang-format on */

const size_t n_option_rows = sizeof option_rows / sizeof *option_rows;

bool option_is_of(const struct option_row *row, const struct command *command)
{
    return row->commands & (command ? COMMAND_BIT(command - commands) : (unsigned)NO_COMMAND);
}

const struct option_row *option_find(const char *word, const char **ret_value)
{
    bool is_long = word[1] == '-';
    size_t n = is_long ? strcspn(word, "=") : 2;
    for (size_t i = 0; i < n_option_rows; i++) {
        const struct option_row *row = &option_rows[i];
        bool found = is_long ? strlen(row->name) == n && memcmp(row->name, word, n) == 0
                             : row->letter && row->letter == word[1];
        if (!found)
            continue;
        *ret_value = word[n] ? word + n + is_long : NULL;
        return row;
    }
    return NULL;
}

const char *option_range(const struct option_row *row, char *ret, size_t size)
{
    size_t used = 0;
    *ret = '\0';
    for (int i = 0; row->choices && row->choices[i] && used < size; i++)
        used += (size_t)snprintf(ret + used, size - used, "%s%s", i ? ", " : "", row->choices[i]);
    if (row->max)
        snprintf(ret, size, "%" PRIu64 " to %" PRIu64, row->min, row->max);
    return ret;
}

void options_standard(struct options *ret)
{
    struct fault why;
    *ret = (struct options){.format = FORMAT_NOT_GIVEN};
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_rows[i].standard)
            option_rows[i].set(ret, &option_rows[i], option_rows[i].standard, &why);
}
