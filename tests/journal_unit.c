/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/journal and of the log's fields in it, at a socket that is no journal's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/journal.h"
#include "tests/scratch.h"

static char path[SCRATCH_TEXT];

static int open_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static const char *hear(int fd)
{
    static char text[4096];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static const struct journal_field fields[] = {
    {"MESSAGE", "it = so"}, {"PRIORITY", "6"}, {"SPLIT", NULL}, {"ADDRESS", ""}};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static void an_entry_is_a_datagram_of_fields_without_those_that_are_none(void **state)
{
    (void)state;
    int fd = open_socket();
    journal_open(path);
    assert_true(journal_send(fields, N_FIELDS));
    assert_string_equal(hear(fd), "MESSAGE=it = so\nPRIORITY=6\nADDRESS=\n");
    journal_close();
    close(fd);
}

static void nobody_who_listens_is_told_of(void **state)
{
    (void)state;
    assert_false(journal_send(fields, N_FIELDS)); /* not open */
    unlink(path);
    journal_open(path);
    assert_false(journal_send(fields, N_FIELDS));
    int fd = open_socket();
    assert_true(journal_send(fields, N_FIELDS)); /* it has come since */
    assert_true(strlen(hear(fd)) > 0);
    close(fd);
    assert_false(journal_send(fields, N_FIELDS));
    journal_close();
}

static void a_journal_that_does_not_read_holds_up_nobody(void **state)
{
    (void)state;
    int fd = open_socket(), n = 0;
    journal_open(path);
    while (n < 1000000 && journal_send(fields, N_FIELDS))
        n++;
    assert_in_range(n, 1, 999999);
    hear(fd);
    assert_true(journal_send(fields, N_FIELDS));
    journal_close();
    close(fd);
}

static void a_path_that_is_too_long_is_no_journal(void **state)
{
    (void)state;
    char lengthy[200];
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    journal_open(lengthy);
    assert_false(journal_send(fields, N_FIELDS));
    journal_close();
}

static void standard_error_is_the_journals_where_the_manager_says_just_that(void **state)
{
    (void)state;
    struct stat own;
    char text[64];
    assert_int_equal(fstat(STDERR_FILENO, &own), 0);
    unsetenv("JOURNAL_STREAM");
    assert_false(journal_has_stderr());
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)own.st_dev, (uintmax_t)own.st_ino);
    setenv("JOURNAL_STREAM", text, 1);
    assert_true(journal_has_stderr());
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)own.st_dev, (uintmax_t)own.st_ino + 1);
    setenv("JOURNAL_STREAM", text, 1);
    assert_false(journal_has_stderr());
    unsetenv("JOURNAL_STREAM");
}

static int make_folder(void **state)
{
    int r = scratch_setup(state);
    snprintf(path, sizeof path, "%s", scratch_path("socket"));
    return r;
}

static int remove_folder(void **state)
{
    unlink(path);
    return scratch_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_a_datagram_of_fields_without_those_that_are_none),
        cmocka_unit_test(nobody_who_listens_is_told_of),
        cmocka_unit_test(a_journal_that_does_not_read_holds_up_nobody),
        cmocka_unit_test(a_path_that_is_too_long_is_no_journal),
        cmocka_unit_test(standard_error_is_the_journals_where_the_manager_says_just_that),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
