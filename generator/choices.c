/* SPDX-License-Identifier: Apache-2.0
 * What the command line asks for: options as a table, from which parser and --help are made. */
#include "generator/choices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/number.h"
#include "common/shard.h"
#include "generator/metadata.h"
#include "generator/synthetic.h"

enum { HELP_COLUMN = 26 };

static struct choices defaults(void)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    return (struct choices){
        .plan_seed = PLAN_PUBLISHED_SEED,
        .order = MIX_TIME,
        .counts = {[PART_TRAIN] = SYNTHETIC_TRAIN_COUNT, [PART_TEST] = SYNTHETIC_TEST_COUNT},
        .per_shard = SHARD_PER_DEFAULT,
        .n_jobs = n_cores < 1                  ? 1
                  : n_cores > CHOICES_MAX_JOBS ? CHOICES_MAX_JOBS
                                               : (unsigned)n_cores,
    };
}

int choices_set_from(struct choices *choices, const char *text, struct error *why)
{
    if (!*text)
        return error_set(why, -EINVAL, "an empty path");
    choices->from = text;
    return 0;
}

int choices_set_out(struct choices *choices, const char *text, struct error *why)
{
    if (!*text)
        return error_set(why, -EINVAL, "an empty path");
    choices->out = text;
    return 0;
}

int choices_set_plan(struct choices *choices, const char *text, struct error *why)
{
    choices->plan_given = true;
    return metadata_parse_plan(text, &choices->plan_seed, why);
}

int choices_set_order(struct choices *choices, const char *text, struct error *why)
{
    return metadata_parse_order(text, &choices->order, why);
}

int choices_set_jobs(struct choices *choices, const char *text, struct error *why)
{
    uint64_t n;
    int r = number_parse("the value", text, strlen(text), 1, CHOICES_MAX_JOBS, &n, why);
    if (r == 0)
        choices->n_jobs = (unsigned)n;
    return r;
}

int choices_set_count(struct choices *choices, const char *text, struct error *why)
{
    struct numbers counts;
    int r = number_parse_list("the value", text, strlen(text), N_PARTS, INT32_MAX, &counts, why);
    if (r < 0)
        return r;
    if (counts.n != N_PARTS)
        r = error_set(why, -EINVAL, "\"%s\" is not TRAIN,TEST (two numbers)", text);
    else if (counts.items[PART_TRAIN] + counts.items[PART_TEST] == 0)
        r = error_set(why, -EINVAL, "\"%s\" asks for no recordings at all", text);
    else
        memcpy(choices->counts, counts.items, sizeof choices->counts);
    free(counts.items);
    choices->synthetic_given = true;
    return r;
}

int choices_set_seed(struct choices *choices, const char *text, struct error *why)
{
    choices->synthetic_given = true;
    return number_parse("the value", text, strlen(text), 0, UINT64_MAX, &choices->seed, why);
}

int choices_set_part(struct choices *choices, const char *text, struct error *why)
{
    return share_parse(text, &choices->share, why);
}

int choices_set_format(struct choices *choices, const char *text, struct error *why)
{
    static const char *const formats[] = {
        [EXPORT_TREE] = "tree", [EXPORT_WEBDATASET] = "webdataset"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(text, formats[i]) == 0) {
            choices->format = (enum export_format)i;
            return 0;
        }
    return error_set(why, -EINVAL, "\"%s\" is neither \"tree\" nor \"webdataset\"", text);
}

int choices_set_per_shard(struct choices *choices, const char *text, struct error *why)
{
    choices->per_shard_given = true;
    return number_parse("the value", text, strlen(text), 1, INT32_MAX, &choices->per_shard, why);
}

int choices_allow_partial(struct choices *choices, const char *text, struct error *why)
{
    (void)text;
    (void)why;
    choices->allow_partial = true;
    return 0;
}

static const struct option_row *find(const struct option_row *options, const char *name,
                                     size_t length)
{
    for (const struct option_row *row = options; row->name; row++)
        if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
            return row;
    return NULL;
}

/* One "--name", "--name value" or "--name=value"; *i is moved on over the value. */
static int parse_option(const struct command *command, int argc, char **argv, int *i,
                        struct choices *choices, const struct option_row **ret, struct error *why)
{
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find(command->options, name, length);
    if (!row)
        return error_set(why, -EINVAL, "unknown option --%.*s", (int)length, name);
    if (equals && !row->argument)
        return error_set(why, -EINVAL, "--%s takes no value", row->name);
    if (!equals && row->argument && *i + 1 >= argc)
        return error_set(why, -EINVAL, "--%s needs a value: %s", row->name, row->argument);
    int r = row->parse(choices, equals ? equals + 1 : row->argument ? argv[++*i] : NULL, why);
    *ret = row;
    return r < 0 ? error_prefix(why, r, "--%s", row->name) : 0;
}

static int check_needed(const struct command *command, uint64_t given, size_t n_operands,
                        struct error *why)
{
    for (size_t i = 0; command->options[i].name; i++)
        if (command->options[i].needed && !(given & 1u << i))
            return error_set(why, -EINVAL, "--%s %s is missing", command->options[i].name,
                             command->options[i].argument);
    if (n_operands < CHOICES_MAX_OPERANDS && command->operands[n_operands])
        return error_set(why, -EINVAL, "%s is missing", command->operands[n_operands]);
    return 0;
}

int choices_parse(const struct command *command, int argc, char **argv, struct choices *ret,
                  struct error *why)
{
    struct choices choices = defaults();
    size_t n_operands = 0;
    uint64_t given = 0; /* a bit for each row of the table */
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2]) {
            const struct option_row *row = NULL;
            int r = parse_option(command, argc, argv, &i, &choices, &row, why);
            if (r < 0)
                return r;
            given |= 1u << (row - command->options);
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return error_set(why, -EINVAL, "unknown option %s", argv[i]);
        } else if (n_operands == CHOICES_MAX_OPERANDS || !command->operands[n_operands]) {
            return error_set(why, -EINVAL, "unexpected word \"%s\"", argv[i]);
        } else if (!*argv[i]) {
            return error_set(why, -EINVAL, "%s: an empty path", command->operands[n_operands]);
        } else {
            choices.operands[n_operands++] = argv[i];
        }
    }
    int r = check_needed(command, given, n_operands, why);
    if (r == 0 && command->check)
        r = command->check(&choices, why);
    if (r == 0)
        *ret = choices;
    return r;
}

static void print_option(const char *name, const char *argument, const char *help)
{
    int column = printf("  --%s%s%s", name, argument ? " " : "", argument ? argument : "");
    printf("%*s", column < HELP_COLUMN ? HELP_COLUMN - column : 2, "");
    for (const char *at = help; *at; at++)
        *at == '\n' ? printf("\n%*s", HELP_COLUMN, "") : putchar(*at);
    putchar('\n');
}

void choices_help(const char *program, const struct command *command)
{
    printf("Usage: %s %s", program, command->name);
    for (const struct option_row *row = command->options; row->name; row++)
        if (row->needed)
            printf(" --%s %s", row->name, row->argument);
    printf(" [OPTION]...");
    for (size_t i = 0; i < CHOICES_MAX_OPERANDS && command->operands[i]; i++)
        printf(" %s", command->operands[i]);
    printf("\n%c%s.\n\n", command->summary[0] - 'a' + 'A', command->summary + 1);
    for (const struct option_row *row = command->options; row->name; row++)
        print_option(row->name, row->argument, row->help);
    print_option("help", NULL, "print this and exit");
    if (command->notes)
        printf("\n%s", command->notes);
}
