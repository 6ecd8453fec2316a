/* SPDX-License-Identifier: Apache-2.0
 * The words of the command line, read and checked by the tables. */
#include "cli/command_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "cli/help.h"

struct words {
    int argc;
    char **argv;
    const struct command *command;
    struct options *options;
    uint64_t given;                 /* a bit for each row of options */
    const struct option_row *print; /* what it asks for instead of running */
};

/* "--server, --token-file": the options of a command. */
static const char *list_options(const struct command *command, char *ret, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < n_option_rows && used < size; i++)
        if (option_is_of(&option_rows[i], command))
            used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? ", " : "",
                                     option_rows[i].name);
    return ret;
}

/* One option at argv[*i]; *i moves on to its value. */
static int read_option(struct words *words, int *i, struct fault *why)
{
    const char *word = words->argv[*i], *value;
    const struct option_row *row = option_find(word, &value);
    if (!row)
        return fault_set(why, -EINVAL, "there is no option %.*s",
                         word[1] == '-' ? (int)strcspn(word, "=") : 2, word);
    if (!row->argument && value)
        return fault_set(why, -EINVAL, "%s takes no value", row->name);
    if (row->argument && !value) {
        if (*i + 1 == words->argc)
            return fault_set(why, -EINVAL, "%s takes a value: %s", row->name, row->argument);
        value = words->argv[++*i];
    }
    words->given |= UINT64_C(1) << (row - option_rows);
    if (row->print && !words->print)
        words->print = row;
    if (row->of_epoch)
        words->options->of_epoch = row->name;
    return row->set(words->options, row, value, why);
}

static int find_command(const char *name, const struct command **ret, struct fault *why)
{
    char names[COMMAND_NAMES_SIZE];
    const struct command *command = command_find(name);
    if (!command)
        return fault_set(why, -EINVAL, "there is no command \"%.80s\"; there are %s", name,
                         command_names(", ", names));
    *ret = command;
    return 0;
}

static int read_operand(struct words *words, const char *word, struct fault *why)
{
    struct options *options = words->options;
    if (words->command) {
        if (options->n_operands < OPTIONS_MAX_OPERANDS)
            options->operands[options->n_operands] = word;
        options->n_operands++;
        return 0;
    }
    return find_command(word, &words->command, why);
}

static int read_words(struct words *words, struct fault *why)
{
    bool has_options = true;
    int r = 0;
    for (int i = 1; r == 0 && i < words->argc; i++) {
        const char *word = words->argv[i];
        if (has_options && strcmp(word, "--") == 0)
            has_options = false;
        else if (has_options && word[0] == '-' && word[1])
            r = read_option(words, &i, why);
        else
            r = read_operand(words, word, why);
    }
    return r;
}

/* Has the command all options that were given? */
static int check_options(const struct words *words, struct fault *why)
{
    char possible[512];
    for (size_t i = 0; i < n_option_rows; i++)
        if ((words->given >> i & 1) && !option_is_of(&option_rows[i], words->command))
            return fault_set(why, -EINVAL, "%s has no option %s; it has %s",
                             words->command ? words->command->name : "twonmnist without a command",
                             option_rows[i].name,
                             list_options(words->command, possible, sizeof possible));
    return 0;
}

static int check_command(const struct words *words, struct fault *why)
{
    const struct command *command = words->command;
    struct options *options = words->options;
    char names[COMMAND_NAMES_SIZE];
    if (!command)
        return fault_set(why, -EINVAL, "a command is missing: %s", command_names(", ", names));
    if (options->n_operands < command->min_operands ||
        options->n_operands > command_max_operands(command))
        return fault_set(why, -EINVAL, "%s takes %s", command->name, command->synopsis);
    if (command->formats)
        return format_choose(command->name, command->formats, options->output, options->format,
                             &options->format, why);
    return 0;
}

static void default_server(struct options *options)
{
    const char *server = getenv("TWONMNIST_SERVER");
    if (options->n_servers == 0)
        options->servers[options->n_servers++] = server && *server ? server : DEFAULT_SERVER;
}

/* `twonmnist help [COMMAND]`: the row that runs nothing. */
static int print_help(const struct words *words, struct fault *why)
{
    const char *name = words->options->operands[0];
    const struct command *command = NULL;
    int r = name ? find_command(name, &command, why) : 0;
    if (r < 0)
        return r;
    help_print(command, words->options);
    return 1;
}

int command_line_read(int argc, char **argv, const struct command **ret_command,
                      struct options *ret, struct fault *why)
{
    struct words words = {.argc = argc, .argv = argv, .options = ret};
    options_standard(ret);
    int r = read_words(&words, why);
    *ret_command = words.command;
    if (r == 0 && (words.command || words.print))
        r = check_options(&words, why);
    if (r == 0 && words.print) {
        words.print->print(words.command, ret);
        return 1;
    }
    if (r == 0)
        r = check_command(&words, why);
    if (r < 0)
        return r;
    default_server(ret);
    return words.command->run ? 0 : print_help(&words, why);
}
