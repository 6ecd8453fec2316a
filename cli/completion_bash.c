/* SPDX-License-Identifier: Apache-2.0
 * Completion for bash: the tables as functions, and one that walks the words. It needs no function
 * of the package bash-completion, which only has to find it. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/completion.h"

/* The line is taken apart at blanks: bash's own words break at "=" and ":" too. */
static const char walk[] =
    "_twonmnist()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} cur word option= command= operand=0 candidates=\n"
    "    local -a words\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=(\"\")\n"
    "    cur=${words[-1]}\n"
    "    for word in \"${words[@]:1:${#words[@]}-2}\"; do\n"
    "        if [[ $option ]]; then\n"
    "            option=\n"
    "        elif _twonmnist_has_value \"$word\"; then\n"
    "            option=$word\n"
    "        elif [[ $word == -* ]]; then\n"
    "            continue\n"
    "        elif [[ $command ]]; then\n"
    "            ((++operand))\n"
    "        else\n"
    "            command=$word\n"
    "        fi\n"
    "    done\n"
    "    [[ ! $option && $cur == --*=* ]] && option=${cur%%=*} cur=${cur#*=}\n"
    "    if [[ $option ]]; then\n"
    "        _twonmnist_values \"$command\" \"$option\"\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        _twonmnist_options \"$command\"\n"
    "    else\n"
    "        _twonmnist_operands \"$command\" \"$operand\"\n"
    "    fi\n"
    "    COMPREPLY=($(compgen -W \"$candidates\" -- \"$cur\"))\n"
    "}\n"
    "\n"
    "complete -F _twonmnist twonmnist\n";

/* "get:--format | get:-f" */
static void print_case(const char *before, const char *command, const struct option_row *row)
{
    printf("%s%s%s", before, command, row->name);
    if (row->letter)
        printf(" | %s-%c", command, row->letter);
}

static void print_has_value(void)
{
    const char *before = "        ";
    printf("_twonmnist_has_value()\n{\n    case $1 in\n");
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_rows[i].argument) {
            print_case(before, "", &option_rows[i]);
            before = " | ";
        }
    printf(") ;;\n        *) return 1 ;;\n    esac\n}\n\n");
}

static void print_choices(const struct option_row *row, const struct command *command)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s:", command ? command->name : "");
    if (!row->choices || !option_is_of(row, command))
        return;
    print_case("        ", prefix, row);
    printf(") candidates=\"");
    completion_print_choices(row, command);
    printf("\" ;;\n");
}

static void print_values(void)
{
    printf("_twonmnist_values()\n{\n    case $1:$2 in\n");
    for (size_t i = 0; i < n_option_rows; i++) {
        print_choices(&option_rows[i], NULL);
        for (size_t c = 0; c < N_COMMANDS; c++)
            print_choices(&option_rows[i], &commands[c]);
    }
    const char *before = "        ";
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_rows[i].is_file) {
            print_case(before, "*:", &option_rows[i]);
            before = " | ";
        }
    printf(") compopt -o default ;;\n    esac\n}\n\n");
}

static void print_options_of(const struct command *command)
{
    const char *before = "";
    printf("        '%s') candidates=\"", command ? command->name : "");
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_is_of(&option_rows[i], command)) {
            printf("%s%s", before, option_rows[i].name);
            before = " ";
        }
    printf("\" ;;\n");
}

static void print_options(void)
{
    printf("_twonmnist_options()\n{\n    case $1 in\n");
    print_options_of(NULL);
    for (size_t c = 0; c < N_COMMANDS; c++)
        print_options_of(&commands[c]);
    printf("    esac\n}\n\n");
}

static void print_operands(void)
{
    char names[COMMAND_NAMES_SIZE];
    printf("_twonmnist_operands()\n{\n    case $1:$2 in\n        :0) candidates=\"%s\" ;;\n",
           operand_words(OPERAND_COMMAND, names));
    for (size_t c = 0; c < N_COMMANDS; c++)
        for (unsigned i = 0; i < command_max_operands(&commands[c]); i++) {
            const char *words = operand_words(commands[c].operands[i], names);
            if (commands[c].operands[i] == OPERAND_FOLDER)
                printf("        %s:%u) compopt -o dirnames ;;\n", commands[c].name, i);
            if (words)
                printf("        %s:%u) candidates=\"%s\" ;;\n", commands[c].name, i, words);
        }
    printf("    esac\n}\n\n");
}

void completion_print_bash(void)
{
    printf("# bash completion for twonmnist; made by: twonmnist --completion bash\n\n");
    print_has_value();
    print_values();
    print_options();
    print_operands();
    fputs(walk, stdout);
}
