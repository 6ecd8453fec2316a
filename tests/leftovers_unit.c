/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/leftovers: what a run still works in stays, what it left behind goes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "generator/leftovers.h"
#include "tests/scarce.h"
#include "tests/scratch.h"

/* Of the next locks, so many are taken by another run's sweep just before. */
static int n_sweeps;

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);

int __wrap_flock(int fd, int how)
{
    static bool is_sweeping;
    if (n_sweeps > 0 && !is_sweeping) {
        n_sweeps--;
        is_sweeping = true;
        leftovers_sweep(scratch_folder());
        is_sweeping = false;
    }
    return __real_flock(fd, how);
}

/* A hidden folder that somebody works in; returns its name. */
static const char *make(char **ret_hidden, int *ret_lock)
{
    struct error why = {""};
    if (leftovers_make(scratch_folder(), ret_hidden, ret_lock, &why) < 0)
        fail_msg("%s", why.text);
    return strrchr(*ret_hidden, '/') + 1;
}

static void put_file_into(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/deeper/file", name);
    scratch_write(path, "rest", 4);
}

static void folder_is_hidden_and_new_each_time(void **state)
{
    (void)state;
    char *hidden[2];
    int locks[2];
    for (int i = 0; i < 2; i++) {
        const char *name = make(&hidden[i], &locks[i]);
        assert_memory_equal(name, ".twonmnist-", 11);
        assert_non_null(strstr(scratch_list(""), name));
    }
    assert_string_not_equal(hidden[0], hidden[1]);
    for (int i = 0; i < 2; i++) {
        leftovers_remove(hidden[i]);
        close(locks[i]);
        free(hidden[i]);
    }
    assert_string_equal(scratch_list(""), "");
}

static void folder_goes_with_all_that_is_in_it(void **state)
{
    (void)state;
    char *hidden;
    int lock;
    put_file_into(make(&hidden, &lock));
    leftovers_remove(hidden);
    close(lock);
    assert_string_equal(scratch_list(""), "");
    leftovers_remove(hidden); /* nothing happens */
    free(hidden);
}

static void sweep_spares_the_folder_of_a_run_and_takes_that_of_one_that_ended(void **state)
{
    (void)state;
    char *hidden;
    int lock;
    char name[64];
    strcpy(name, make(&hidden, &lock));
    put_file_into(name);
    leftovers_sweep(scratch_folder());
    assert_string_equal(scratch_list(""), name);
    assert_non_null(strstr(scratch_list(name), "deeper"));
    close(lock); /* as the end of the run does, however it ends */
    leftovers_sweep(scratch_folder());
    assert_string_equal(scratch_list(""), "");
    free(hidden);
}

static void sweep_takes_the_folder_of_a_run_that_was_killed_at_once(void **state)
{
    (void)state;
    scratch_make_folder(".twonmnist-aB3_-x");
    leftovers_sweep(scratch_folder());
    assert_string_equal(scratch_list(""), "");
}

static void sweep_between_a_lock_s_making_and_its_taking_costs_no_run_its_folder(void **state)
{
    (void)state;
    char *hidden;
    int lock;
    n_sweeps = 3;
    const char *name = make(&hidden, &lock);
    assert_int_equal(n_sweeps, 0);
    assert_string_equal(scratch_list(""), name);
    assert_string_equal(scratch_list(name), ".lock");
    leftovers_sweep(scratch_folder());
    assert_string_equal(scratch_list(""), name);
    leftovers_remove(hidden);
    close(lock);
    free(hidden);
}

static void sweep_touches_nothing_else(void **state)
{
    (void)state;
    scratch_write(".twonmnist-full01/file", "", 0); /* without a lock: not ours */
    scratch_make_folder(".twonmnist-");
    scratch_make_folder(".twonmnist-1234567");
    scratch_make_folder("twonmnist-123456");
    scratch_make_folder("there");
    scratch_write(".twonmnist-file01", "", 0);
    scratch_write("elsewhere/.lock", "", 0);
    assert_int_equal(symlink(scratch_path("elsewhere"), scratch_path(".twonmnist-link01")), 0);
    static const char all[] = ".twonmnist- .twonmnist-1234567 .twonmnist-file01 .twonmnist-full01 "
                              ".twonmnist-link01 elsewhere there twonmnist-123456";
    leftovers_sweep(scratch_folder());
    assert_string_equal(scratch_list(""), all);
    assert_string_equal(scratch_list(".twonmnist-full01"), "file");
    assert_string_equal(scratch_list("elsewhere"), ".lock");
    leftovers_sweep(scratch_path("nothing"));
    leftovers_sweep(scratch_path("elsewhere/.lock"));
}

static int make_as_stranger(void *user)
{
    char *hidden;
    int lock;
    return leftovers_make(scratch_folder(), &hidden, &lock, user);
}

static void folder_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    char *hidden = NULL;
    int lock = -7;
    assert_int_equal(leftovers_make(scratch_path("nothing"), &hidden, &lock, &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("nothing")));
    assert_null(hidden);
    assert_int_equal(lock, -7);
    assert_int_equal(scratch_as_stranger(make_as_stranger, &why), -EACCES);
    assert_non_null(strstr(why.text, scratch_folder()));
}

static int make_scarcely(void *user, struct error *why)
{
    char *hidden;
    int lock;
    (void)user;
    int r = leftovers_make(scratch_folder(), &hidden, &lock, why);
    if (r < 0)
        return r;
    leftovers_remove(hidden);
    close(lock);
    free(hidden);
    return 0;
}

static void leftovers_without_memory_say_so(void **state)
{
    (void)state;
    assert_true(scarce_try(make_scarcely, NULL) > 0);
    assert_string_equal(scratch_list(""), "");
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(folder_is_hidden_and_new_each_time),
        UNIT(folder_goes_with_all_that_is_in_it),
        UNIT(sweep_spares_the_folder_of_a_run_and_takes_that_of_one_that_ended),
        UNIT(sweep_takes_the_folder_of_a_run_that_was_killed_at_once),
        UNIT(sweep_between_a_lock_s_making_and_its_taking_costs_no_run_its_folder),
        UNIT(sweep_touches_nothing_else),
        UNIT(folder_that_cannot_be_written_is_named),
        UNIT(leftovers_without_memory_say_so),
    };
    return cmocka_run_group_tests_name("leftovers", tests, NULL, NULL);
}
