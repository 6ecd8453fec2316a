/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/choices: words of a command line by the table of a command's options. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/plan.h"
#include "generator/choices.h"
#include "generator/synthetic.h"
#include "tests/scratch.h"

enum { MAX_WORDS = 8, ROOM = 4096 };

static int refuse_job_7(const struct choices *choices, struct error *why)
{
    return choices->n_jobs == 7 ? error_set(why, -EINVAL, "seven is not for us") : 0;
}

static const struct option_row options[] = {
    {"from", "PATH", "where it is,\nor is not", choices_set_from, true},
    {"out", "DIR", "where it goes", choices_set_out, false},
    {"plan", "PLAN", "who with whom", choices_set_plan, false},
    {"order", "ORDER", "which first", choices_set_order, false},
    {"jobs", "N", "threads", choices_set_jobs, false},
    {"count", "TRAIN,TEST", "how many", choices_set_count, false},
    {"seed", "N", "which", choices_set_seed, false},
    {"allow-partial", NULL, "all the same", choices_allow_partial, false},
    {0},
};

static const struct command plain = {.name = "plain", .summary = "do it", .options = options};
static const struct command full = {
    .name = "full",
    .summary = "do all of it",
    .operands = {"FOLDER", "TREE"},
    .options = options,
    .notes = "That is all.\n",
    .check = refuse_job_7,
};

/* The words are separated by single spaces; two spaces make an empty word. */
static int parse(const struct command *command, const char *line, struct choices *ret,
                 struct error *why)
{
    static char copy[ROOM];
    char *words[MAX_WORDS], *rest = copy;
    int n = 0;
    strcpy(copy, line);
    while (*line && rest) {
        assert_true(n < MAX_WORDS);
        words[n++] = strsep(&rest, " ");
    }
    return choices_parse(command, n, words, ret, why);
}

static struct choices parsed(const struct command *command, const char *line)
{
    struct choices choices;
    struct error why = {""};
    if (parse(command, line, &choices, &why) != 0)
        fail_msg("%s: %s", line, why.text);
    return choices;
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    struct choices choices = parsed(&plain, "--from x");
    assert_string_equal(choices.from, "x");
    assert_null(choices.out);
    assert_null(choices.operands[0]);
    assert_int_equal(choices.plan_seed, PLAN_PUBLISHED_SEED);
    assert_int_equal(choices.order, MIX_TIME);
    assert_int_equal(choices.counts[PART_TRAIN], SYNTHETIC_TRAIN_COUNT);
    assert_int_equal(choices.counts[PART_TEST], SYNTHETIC_TEST_COUNT);
    assert_int_equal(choices.seed, 0);
    assert_in_range(choices.n_jobs, 1, CHOICES_MAX_JOBS);
    assert_false(choices.plan_given);
    assert_false(choices.synthetic_given);
}

static void options_are_read_in_both_spellings_and_any_order(void **state)
{
    (void)state;
    struct choices choices = parsed(&plain, "--out=b=c --from a --plan 5 --order=published");
    assert_string_equal(choices.from, "a");
    assert_string_equal(choices.out, "b=c");
    assert_int_equal(choices.plan_seed, 5);
    assert_true(choices.plan_given);
    assert_int_equal(choices.order, MIX_PUBLISHED);
    choices = parsed(&plain, "--jobs 3 --count=7,0 --seed 18446744073709551615 --from=--from");
    assert_string_equal(choices.from, "--from");
    assert_int_equal(choices.n_jobs, 3);
    assert_int_equal(choices.counts[PART_TRAIN], 7);
    assert_int_equal(choices.counts[PART_TEST], 0);
    assert_int_equal(choices.seed, UINT64_MAX);
    assert_true(choices.synthetic_given);
    assert_false(choices.plan_given);
}

static void option_without_a_value_leaves_the_next_word_alone(void **state)
{
    (void)state;
    assert_false(parsed(&full, "--from x a b").allow_partial);
    struct choices choices = parsed(&full, "--from x --allow-partial a b");
    assert_true(choices.allow_partial);
    assert_string_equal(choices.operands[0], "a");
    assert_true(parsed(&full, "--from x a b --allow-partial").allow_partial);
}

static void option_said_again_counts(void **state)
{
    (void)state;
    assert_string_equal(parsed(&plain, "--from a --from b").from, "b");
}

static void operands_are_kept_in_their_order(void **state)
{
    (void)state;
    struct choices choices = parsed(&full, "a --from x -");
    assert_string_equal(choices.operands[0], "a");
    assert_string_equal(choices.operands[1], "-");
}

static void help_is_asked_for_anywhere(void **state)
{
    (void)state;
    static const char *const lines[] = {"--help", "-h", "a --help", "--from x a b --help"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct choices choices = {.n_jobs = 77};
        assert_int_equal(parse(&full, lines[i], &choices, NULL), 1);
        assert_int_equal(choices.n_jobs, 77);
    }
}

static void wrong_usage_is_named(void **state)
{
    (void)state;
    static const struct {
        const struct command *command;
        const char *line, *words;
    } rows[] = {
        {&plain, "", "--from PATH is missing"},
        {&full, "--from x", "FOLDER is missing"},
        {&full, "--from x a", "TREE is missing"},
        {&full, "--from x a b c", "unexpected word \"c\""},
        {&plain, "--from x a", "unexpected word \"a\""},
        {&full, "--from x  b", "FOLDER: an empty path"},
        {&plain, "--from x --fro y", "unknown option --fro"},
        {&plain, "--from x --fromage=y", "unknown option --fromage"},
        {&plain, "--from x -j 3", "unknown option -j"},
        {&plain, "--from x --", "unknown option --"},
        {&plain, "--from x --jobs", "--jobs needs a value: N"},
        {&plain, "--from x --allow-partial=yes", "--allow-partial takes no value"},
        {&plain, "--from ", "--from: an empty path"},
        {&plain, "--from= --out x", "--from: an empty path"},
        {&plain, "--from x --out=", "--out: an empty path"},
        {&plain, "--from x --order=random", "--order: \"random\" is neither"},
        {&plain, "--from x --plan=random", "--plan: \"random\" is neither"},
        {&plain, "--from x --plan 4294967296", "4294967296"},
        {&plain, "--from x --jobs 0", "--jobs: "},
        {&plain, "--from x --jobs 1025", "1024"},
        {&plain, "--from x --jobs 1x", "--jobs: "},
        {&plain, "--from x --count 5", "TRAIN,TEST"},
        {&plain, "--from x --count 1,2,3", "--count: "},
        {&plain, "--from x --count ,2", "--count: "},
        {&plain, "--from x --count 1,-2", "--count: "},
        {&plain, "--from x --count 2147483648,1", "2147483647"},
        {&plain, "--from x --count 0,0", "no recordings at all"},
        {&plain, "--from x --seed 18446744073709551616", "--seed: "},
        {&full, "--from x a b --jobs 7", "seven is not for us"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct choices choices = {.n_jobs = 77};
        struct error why = {""};
        int r = parse(rows[i].command, rows[i].line, &choices, &why);
        if (r >= 0 || !strstr(why.text, rows[i].words))
            fail_msg("\"%s\": %d, \"%s\", not \"%s\"", rows[i].line, r, why.text, rows[i].words);
        assert_int_equal(choices.n_jobs, 77);
    }
}

/* The number is in front, where a copy of fixed length would be cut. */
static void number_may_have_any_length(void **state)
{
    (void)state;
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    char line[256];
    snprintf(line, sizeof line, "--from x --count %s5,%s6 --jobs %s3", zeros, zeros, zeros);
    struct choices choices = parsed(&plain, line);
    assert_int_equal(choices.counts[PART_TRAIN], 5);
    assert_int_equal(choices.counts[PART_TEST], 6);
    assert_int_equal(choices.n_jobs, 3);
}

static void print_help(const struct command *command, char ret[ROOM])
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    int fd = open(scratch_path("help"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(before >= 0 && fd >= 0);
    dup2(fd, STDOUT_FILENO);
    choices_help("program", command);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(fd);
    ret[scratch_read("help", ret, ROOM - 1)] = '\0';
}

static void help_is_made_from_the_table(void **state)
{
    (void)state;
    char text[ROOM];
    static const char start[] = "Usage: program full --from PATH [OPTION]... FOLDER TREE\n"
                                "Do all of it.\n\n"
                                "  --from PATH             where it is,\n"
                                "                          or is not\n"
                                "  --out DIR               where it goes\n";
    static const char end[] = "  --help                  print this and exit\n\nThat is all.\n";
    print_help(&full, text);
    assert_memory_equal(text, start, strlen(start));
    assert_string_equal(text + strlen(text) - strlen(end), end);
    print_help(&plain, text);
    assert_non_null(strstr(text, "[OPTION]...\nDo it.\n"));
    assert_null(strstr(text, "That is all."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(options_are_read_in_both_spellings_and_any_order),
        cmocka_unit_test(option_without_a_value_leaves_the_next_word_alone),
        cmocka_unit_test(option_said_again_counts),
        cmocka_unit_test(operands_are_kept_in_their_order),
        cmocka_unit_test(help_is_asked_for_anywhere),
        cmocka_unit_test(wrong_usage_is_named),
        cmocka_unit_test(number_may_have_any_length),
        cmocka_unit_test_setup_teardown(help_is_made_from_the_table, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests_name("choices", tests, NULL, NULL);
}
