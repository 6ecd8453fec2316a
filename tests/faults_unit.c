/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/faults: what is a fault of the source, and how many are shown. */
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

#include "generator/faults.h"
#include "tests/scratch.h"

/* What `act` prints. */
static const char *printed(void (*act)(void))
{
    static char text[65536];
    fflush(stdout);
    int real = dup(STDOUT_FILENO);
    int file = open(scratch_path("out"), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
    assert_true(real >= 0 && file >= 0);
    dup2(file, STDOUT_FILENO);
    act();
    fflush(stdout);
    dup2(real, STDOUT_FILENO);
    close(real);
    close(file);
    text[scratch_read("out", text, sizeof text - 1)] = '\0';
    return text;
}

static void add_many(void)
{
    struct faults faults = {0};
    for (int i = 0; i < FAULTS_MAX_SHOWN + 1234; i++) {
        struct error fault;
        error_set(&fault, 0, "fault %d", i);
        faults_add(&faults, &fault);
    }
    faults_end(&faults);
    assert_int_equal(faults.n, FAULTS_MAX_SHOWN + 1234);
}

static void first_hundred_are_shown_and_the_rest_is_counted(void **state)
{
    (void)state;
    const char *text = printed(add_many);
    assert_memory_equal(text, "fault 0\nfault 1\n", 16);
    assert_non_null(strstr(text, "\nfault 99\n... and 1,234 more\n"));
    assert_null(strstr(text, "fault 100"));
}

static void add_dirty(void)
{
    struct faults faults = {0};
    struct error fault = {"a\x1b[31mb\nc"};
    faults_add(&faults, &fault);
    faults_end(&faults);
}

static void names_do_not_command_the_terminal(void **state)
{
    (void)state;
    const char *text = printed(add_dirty);
    assert_null(strchr(text, '\x1b'));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void take_some(void)
{
    struct faults faults = {0};
    struct error why = {"reason"};
    assert_int_equal(faults_take(&faults, -EBADMSG, &why), 0);
    assert_int_equal(faults_take(&faults, -EIO, &why), 0);
    assert_int_equal(faults.n, 2);
    assert_int_equal(faults_take(&faults, -ENOMEM, &why), -ENOMEM);
    assert_int_equal(faults_take(&faults, -EINTR, &why), -EINTR);
    assert_int_equal(faults_take(&faults, 0, &why), 0);
    assert_int_equal(faults_take(&faults, 1, &why), 1);
    assert_int_equal(faults.n, 2);
    assert_int_equal(faults_take(NULL, -EBADMSG, &why), -EBADMSG);
}

static void faults_of_this_run_are_not_those_of_the_source(void **state)
{
    (void)state;
    assert_string_equal(printed(take_some), "reason\nreason\n");
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(first_hundred_are_shown_and_the_rest_is_counted),
        UNIT(names_do_not_command_the_terminal),
        UNIT(faults_of_this_run_are_not_those_of_the_source),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
