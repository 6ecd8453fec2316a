/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/place. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/place.h"
#include "tests/scratch.h"

static const char revision[] = "0123456789abcdef", part[] = "to/.train.0123456789ab.part";

static tnm_client *client;

static int make(void **state)
{
    static const char *const url = "http://127.0.0.1:1"; /* nobody is asked */
    if (scratch_setup(state) != 0 || tnm_open(&url, 1, NULL, &client) < 0)
        return -1;
    scratch_make_folder("to");
    return 0;
}

static int unmake(void **state)
{
    tnm_close(client);
    return scratch_teardown(state);
}

/* Take it, or say that another has it, without waiting. */
static int take(struct place *ret)
{
    assert_int_equal(place_find(scratch_path("to"), "train", ret), 0);
    return place_take(ret, client, revision, client_cancels(client) + 1);
}

static void what_grew_is_gone_on_with(void **state)
{
    (void)state;
    struct place place;
    char text[8];
    scratch_write(part, "grown", 5);
    assert_int_equal(take(&place), 0);
    assert_int_equal(pread(place.fd, text, sizeof text, 0), 5);
    assert_memory_equal(text, "grown", 5);
    place_free(&place);
    assert_string_equal(scratch_list("to"), ".train.0123456789ab.part");
}

static void what_has_another_name_too_is_not_written(void **state)
{
    (void)state;
    struct place place;
    char text[8];
    scratch_write("elsewhere", "theirs", 6);
    assert_int_equal(link(scratch_path("elsewhere"), scratch_path(part)), 0);
    assert_int_equal(take(&place), 0);
    assert_int_equal(pwrite(place.fd, "ours", 4, 0), 4);
    place_free(&place);
    assert_int_equal(scratch_read("elsewhere", text, sizeof text), 6);
    assert_memory_equal(text, "theirs", 6);
    assert_int_equal(scratch_read(part, text, sizeof text), 4);
    assert_memory_equal(text, "ours", 4);
}

static void what_is_no_file_makes_room(void **state)
{
    (void)state;
    struct place place;
    assert_int_equal(mkfifo(scratch_path(part), 0600), 0);
    assert_int_equal(take(&place), 0);
    assert_int_equal(pwrite(place.fd, "ours", 4, 0), 4);
    place_free(&place);
}

static void a_link_is_not_followed(void **state)
{
    (void)state;
    struct place place;
    scratch_write("elsewhere", "theirs", 6);
    assert_int_equal(symlink(scratch_path("elsewhere"), scratch_path(part)), 0);
    assert_int_equal(take(&place), -ELOOP);
    place_free(&place);
}

static void one_at_a_time_has_it(void **state)
{
    (void)state;
    struct place one, other;
    assert_int_equal(take(&one), 0);
    assert_int_equal(take(&other), -ECANCELED);
    place_free(&other);
    place_free(&one);
    assert_int_equal(take(&other), 0);
    place_free(&other);
}

/* As those are that load data for a training. */
static void a_child_that_was_forked_meanwhile_does_not_keep_it(void **state)
{
    (void)state;
    struct place place;
    assert_int_equal(take(&place), 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    assert_true(child > 0);
    place_free(&place);
    int r = take(&place);
    place_free(&place);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(r, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_grew_is_gone_on_with),  TEST(what_has_another_name_too_is_not_written),
        TEST(what_is_no_file_makes_room), TEST(a_link_is_not_followed),
        TEST(one_at_a_time_has_it),       TEST(a_child_that_was_forked_meanwhile_does_not_keep_it),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
