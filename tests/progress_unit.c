/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/progress: a bar on a terminal of any width, lines elsewhere. */
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "generator/progress.h"
#include "tests/scratch.h"

enum { ROOM = 4096, PATIENCE_MS = 60000 };

static const char CLEAR[] = "\r\033[K";

static void numbers_have_their_thousands_apart(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {41270, "41,270"},
        {999999, "999,999"},
        {1000000, "1,000,000"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[PROGRESS_NUMBER_SIZE];
        assert_ptr_equal(progress_number(rows[i].number, text), text);
        assert_string_equal(text, rows[i].text);
    }
}

static void clock_does_not_go_back(void **state)
{
    (void)state;
    double before_s = progress_clock_s();
    for (int i = 0; i < 1000; i++) {
        double now_s = progress_clock_s();
        assert_true(now_s >= before_s);
        before_s = now_s;
    }
}

/* Let `fd` be stderr while progress is shown; everything is due at once. */
static void show_on(int fd, uint64_t total, const uint64_t *done, size_t n)
{
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0);
    dup2(fd, STDERR_FILENO);
    struct progress progress;
    progress_start(&progress, "train", "samples", total);
    for (size_t i = 0; i < n; i++) {
        progress.next_s = 0;
        progress_show(&progress, done[i]);
        progress_show(&progress, done[i]); /* too early for the next one */
    }
    progress_end(&progress);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
}

static void elsewhere_than_on_a_terminal_it_is_lines(void **state)
{
    (void)state;
    static const uint64_t done[] = {500, 2000, 9999999};
    char text[ROOM] = "", again[ROOM];
    int fd = open(scratch_path("err"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    show_on(fd, 2000, done, 3);
    close(fd);
    scratch_read("err", text, ROOM - 1);
    strcpy(again, text);
    char *rest = again, *line;
    static const char *const starts[] = {
        "train: 500 of 2,000 samples  ", "train: 2,000 of 2,000 samples  ",
        "train: 2,000 of 2,000 samples  ", /* never more than all */
    };
    size_t n = 0;
    while ((line = strsep(&rest, "\n")) && *line) {
        assert_true(n < 3);
        assert_memory_equal(line, starts[n], strlen(starts[n]));
        assert_non_null(strstr(line, "/s  "));
        assert_non_null(strstr(line, " left"));
        n++;
    }
    assert_int_equal(n, 3);
    assert_null(strchr(text, '\033'));
}

static void nothing_is_said_before_it_is_time(void **state)
{
    (void)state;
    int fd = open(scratch_path("err"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    show_on(fd, 2000, NULL, 0);
    close(fd);
    char text[1];
    assert_int_equal(scratch_read("err", text, 1), 0);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* All that comes until the line was cleared a second time: a terminal hands it on in pieces. */
static void read_terminal(int terminal, char ret[ROOM])
{
    size_t used = 0;
    ret[0] = '\0';
    while (count(ret, CLEAR) < 2) {
        struct pollfd ready = {.fd = terminal, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        ssize_t n = read(terminal, ret + used, ROOM - 1 - used);
        assert_true(n > 0);
        used += (size_t)n;
        ret[used] = '\0';
    }
}

/* What a terminal of so many columns gets. */
static void show_on_terminal(unsigned short columns, uint64_t total, uint64_t done, char *ret)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) {
        print_message("there are no pseudo-terminals here\n");
        skip();
    }
    int fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fd >= 0);
    const struct winsize window = {.ws_row = 24, .ws_col = columns};
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &window), 0);
    show_on(fd, total, &done, 1);
    read_terminal(terminal, ret);
    close(fd);
    close(terminal);
}

static void on_a_terminal_it_is_a_bar_that_goes_again(void **state)
{
    (void)state;
    char text[ROOM];
    setlocale(LC_CTYPE, "C");
    show_on_terminal(200, 1000, 250, text);
    assert_memory_equal(text, CLEAR, strlen(CLEAR));
    assert_memory_equal(text + strlen(CLEAR), "train", 5);
    assert_string_equal(text + strlen(text) - strlen(CLEAR), CLEAR);
    assert_non_null(strstr(text, "  25 %  250 of 1,000 samples"));
    assert_int_equal(count(text, "#"), 10);
    assert_int_equal(count(text, "."), 30);
}

static void bar_takes_what_the_terminal_leaves_it(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C");
    static const unsigned short columns[] = {0, 1, 80, 90, 1000};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char text[ROOM];
        show_on_terminal(columns[i], 1000, 1000, text);
        size_t n = count(text, "#"), shown = strlen(text) - 2 * strlen(CLEAR);
        assert_in_range(n, 0, 40);
        if (n > 0)
            assert_true(shown < (columns[i] ? columns[i] : 72));
        if (columns[i] == 1)
            assert_int_equal(n, 0);
        if (columns[i] == 1000)
            assert_int_equal(n, 40);
    }
}

static void bar_is_of_blocks_where_they_can_be_shown(void **state)
{
    (void)state;
    char text[ROOM];
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        print_message("there is no locale C.UTF-8 here\n");
        skip();
    }
    show_on_terminal(200, 4, 1, text);
    setlocale(LC_CTYPE, "C");
    assert_int_equal(count(text, "\u2588"), 10);
    assert_int_equal(count(text, "\u2591"), 30);
}

static void bar_of_nothing_is_empty(void **state)
{
    (void)state;
    char text[ROOM];
    show_on_terminal(200, 0, 0, text);
    assert_non_null(strstr(text, "   0 %  0 of 0 samples"));
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_their_thousands_apart),
        cmocka_unit_test(clock_does_not_go_back),
        UNIT(elsewhere_than_on_a_terminal_it_is_lines),
        UNIT(nothing_is_said_before_it_is_time),
        cmocka_unit_test(on_a_terminal_it_is_a_bar_that_goes_again),
        cmocka_unit_test(bar_takes_what_the_terminal_leaves_it),
        cmocka_unit_test(bar_is_of_blocks_where_they_can_be_shown),
        cmocka_unit_test(bar_of_nothing_is_empty),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
