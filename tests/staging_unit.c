/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/staging: all comes out of the hidden folder together, or nothing stays. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "generator/staging.h"
#include "tests/scarce.h"
#include "tests/scratch.h"

/* What changes a disk, of all that is linked in, goes through here: it is written down, and at a
 * certain call the process is killed, before it or after it. */
static struct {
    int left; /* calls; 0: none is the last */
    char text[4096];
} steps;

static void step(const char *what, const char *path)
{
    size_t length = strlen(steps.text);
    const char *name = strrchr(path, '/');
    snprintf(steps.text + length, sizeof steps.text - length, "%s %s\n", what,
             name ? name + 1 : path);
    if (steps.left > 0 && --steps.left == 0)
        raise(SIGKILL);
}

char *__real_mkdtemp(char *pattern);
char *__wrap_mkdtemp(char *pattern);
int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_remove(const char *path);
int __wrap_remove(const char *path);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);

/* So often another run that had made the folder, and made nothing in it, takes it away again. */
static int n_taken_away;

char *__wrap_mkdtemp(char *pattern)
{
    step("before mkdtemp", "");
    if (n_taken_away > 0) {
        n_taken_away--;
        __real_rmdir(scratch_path("out"));
    }
    char *made = __real_mkdtemp(pattern);
    step("mkdtemp", "");
    return made;
}

int __wrap_flock(int fd, int how)
{
    step("before flock", "");
    int r = __real_flock(fd, how);
    step("flock", "");
    return r;
}

int __wrap_fsync(int fd)
{
    char link[64], path[512] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    assert_true(readlink(link, path, sizeof path - 1) > 0);
    step("fsync", path);
    return __real_fsync(fd);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    int r = __real_mkdir(path, mode);
    step("mkdir", path);
    return r;
}

int __wrap_remove(const char *path)
{
    int r = __real_remove(path);
    step("remove", path);
    return r;
}

int __wrap_rename(const char *from, const char *to)
{
    step("before rename", to);
    int r = __real_rename(from, to);
    step("rename", to);
    return r;
}

int __wrap_rmdir(const char *path)
{
    step("before rmdir", "");
    return __real_rmdir(path);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    int r = __real_unlinkat(folder, name, flags);
    step("unlinkat", name);
    return r;
}

static struct staging *staging_of(const char *folder)
{
    struct staging *staging;
    struct error why = {""};
    if (staging_open(folder, &staging, &why) < 0)
        fail_msg("%s", why.text);
    return staging;
}

/* Write the file that shall have this name in the end. */
static void write_file(struct staging *staging, const char *name, const char *text)
{
    const char *path;
    assert_int_equal(staging_add(staging, name, &path, NULL), 0);
    assert_memory_equal(path, staging_folder(staging), strlen(staging_folder(staging)));
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_text(const char *name, const char *wanted)
{
    char text[64] = "";
    scratch_read(name, text, sizeof text - 1);
    assert_string_equal(text, wanted);
}

static void files_come_out_together(void **state)
{
    (void)state;
    struct staging *staging = staging_of(scratch_path("out"));
    write_file(staging, "a", "first");
    write_file(staging, "b", "second");
    assert_int_equal(strncmp(scratch_list("out"), ".twonmnist-", 11), 0);
    assert_null(strchr(scratch_list("out"), ' ')); /* only the hidden folder so far */
    assert_int_equal(staging_publish(staging, NULL), 0);
    staging_close(staging);
    assert_string_equal(scratch_list("out"), "a b");
    expect_text("out/a", "first");
    expect_text("out/b", "second");
}

static void folder_made_for_nothing_goes_again(void **state)
{
    (void)state;
    struct staging *staging = staging_of(scratch_path("out"));
    write_file(staging, "a", "first");
    staging_close(staging);
    assert_string_equal(scratch_list(""), "");
    staging_close(NULL);
}

static void folder_that_another_run_takes_away_is_made_again(void **state)
{
    (void)state;
    struct error why = {""};
    struct staging *staging = NULL;
    scratch_make_folder("out");
    n_taken_away = 2;
    staging = staging_of(scratch_path("out"));
    write_file(staging, "a", "first");
    assert_int_equal(staging_publish(staging, &why), 0);
    staging_close(staging);
    expect_text("out/a", "first");

    n_taken_away = 1000;
    assert_int_equal(rename(scratch_path("out"), scratch_path("away")), 0);
    assert_int_equal(staging_open(scratch_path("out"), &staging, &why), -ENOENT);
    assert_true(n_taken_away > 900);
    n_taken_away = 0;
    assert_string_equal(scratch_list(""), "away");
}

static void folder_that_was_there_stays_with_what_is_in_it(void **state)
{
    (void)state;
    scratch_write("out/a", "old", 3);
    scratch_write("out/other", "old", 3);
    struct staging *staging = staging_of(scratch_path("out"));
    write_file(staging, "a", "new");
    expect_text("out/a", "old");
    staging_close(staging);
    assert_string_equal(scratch_list("out"), "a other");
    expect_text("out/a", "old");

    staging = staging_of(scratch_path("out"));
    write_file(staging, "a", "new");
    assert_int_equal(staging_publish(staging, NULL), 0);
    staging_close(staging);
    assert_string_equal(scratch_list("out"), "a other");
    expect_text("out/a", "new");
}

static void folders_in_the_hidden_one_come_out_or_go(void **state)
{
    for (int published = 0; published < 2; published++) {
        struct staging *staging = staging_of(scratch_path("out"));
        const char *path;
        char *below;
        assert_int_equal(staging_add(staging, "tree", &path, NULL), 0);
        assert_int_equal(mkdir(path, 0777), 0);
        assert_true(asprintf(&below, "%s/deeper", path) > 0);
        assert_int_equal(mkdir(below, 0777), 0);
        free(below);
        if (published)
            assert_int_equal(staging_publish(staging, NULL), 0);
        staging_close(staging);
        assert_string_equal(scratch_list(""), published ? "out" : "");
    }
    (void)state;
    assert_string_equal(scratch_list("out/tree"), "deeper");
}

static void folder_goes_over_an_empty_one_but_not_over_a_full_one(void **state)
{
    (void)state;
    scratch_make_folder("out/tree");
    struct staging *staging = staging_of(scratch_path("out"));
    const char *path;
    assert_int_equal(staging_add(staging, "tree", &path, NULL), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(staging_publish(staging, NULL), 0);
    staging_close(staging);

    scratch_write("out/tree/full", "", 0);
    struct error why = {""};
    staging = staging_of(scratch_path("out"));
    assert_int_equal(staging_add(staging, "tree", &path, NULL), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(staging_publish(staging, &why), -ENOTEMPTY);
    assert_non_null(strstr(why.text, scratch_path("out/tree")));
    staging_close(staging);
    assert_string_equal(scratch_list("out"), "tree");
    assert_string_equal(scratch_list("out/tree"), "full");
}

static int open_staging(void *user)
{
    struct staging *staging;
    return staging_open(scratch_path("out"), &staging, user);
}

static int open_in_folder(void *user)
{
    struct staging *staging;
    return staging_open(scratch_folder(), &staging, user);
}

static void place_that_cannot_be_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    struct staging *staging = NULL;
    assert_int_equal(staging_open(scratch_path("no/out"), &staging, &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("no/out")));
    scratch_write("file", "", 0);
    assert_int_equal(staging_open(scratch_path("file"), &staging, &why), -ENOTDIR);
    assert_non_null(strstr(why.text, scratch_path("file")));
    assert_null(staging);
    assert_int_equal(scratch_as_stranger(open_staging, &why), -EACCES);
    assert_int_equal(scratch_as_stranger(open_in_folder, &why), -EACCES);
    assert_non_null(strstr(why.text, "cannot write here"));
    assert_string_equal(scratch_list(""), "file");
}

static int use(void *user, struct error *why)
{
    struct staging *staging;
    const char *path;
    (void)user;
    int r = staging_open(scratch_path("out"), &staging, why);
    if (r < 0)
        return r;
    r = staging_add(staging, "folder", &path, why);
    if (r == 0)
        assert_int_equal(mkdir(path, 0777), 0);
    if (r == 0)
        r = staging_publish(staging, why);
    staging_close(staging);
    assert_string_equal(scratch_list(""), r == 0 ? "out" : "");
    return r;
}

static void staging_without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    assert_true(scarce_try(use, NULL) > 0);
}

static void publish_two(void)
{
    struct staging *staging = staging_of(scratch_path("out"));
    write_file(staging, "a", "new");
    write_file(staging, "b", "new");
    assert_int_equal(staging_publish(staging, NULL), 0);
    staging_close(staging);
}

static void folder_is_synced_after_the_last_name_and_a_new_one_with_its_own(void **state)
{
    (void)state;
    const char *scratch = strrchr(scratch_folder(), '/') + 1;
    for (int is_new = 1; is_new >= 0; is_new--) {
        char wanted[512], above[256] = "";
        if (is_new)
            snprintf(above, sizeof above, "fsync %s\n", scratch);
        snprintf(wanted, sizeof wanted, "rename a\nbefore rename b\nrename b\nfsync out\n%sremove",
                 above);
        steps.text[0] = '\0';
        publish_two();
        if (!strstr(steps.text, wanted))
            fail_msg("%s", steps.text);
    }
}

static void expect_old_or_new(const char *name, bool *ret_new)
{
    char text[64] = "";
    scratch_read(name, text, sizeof text - 1);
    *ret_new = strcmp(text, "new") == 0;
    if (!*ret_new)
        assert_string_equal(text, "old");
}

static bool is_killed_at(int n)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        steps.left = n;
        publish_two();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    else
        assert_int_equal(status, 0);
    return WIFSIGNALED(status);
}

static void next_run_clears_up_wherever_one_was_killed(void **state)
{
    (void)state;
    int n = 1;
    for (bool killed = true; killed; n++) {
        bool a, b;
        scratch_write("out/a", "old", 3);
        scratch_write("out/b", "old", 3);
        killed = is_killed_at(n);
        expect_old_or_new("out/a", &a);
        expect_old_or_new("out/b", &b);
        assert_true(a || !b); /* what is made of the other comes after it */
        if (!killed)
            assert_true(a && b);
        staging_close(staging_of(scratch_path("out")));
        assert_string_equal(scratch_list("out"), "a b");
    }
    assert_in_range(n, 15, 100);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(files_come_out_together),
        UNIT(folder_made_for_nothing_goes_again),
        UNIT(folder_that_another_run_takes_away_is_made_again),
        UNIT(folder_that_was_there_stays_with_what_is_in_it),
        UNIT(folders_in_the_hidden_one_come_out_or_go),
        UNIT(folder_goes_over_an_empty_one_but_not_over_a_full_one),
        UNIT(place_that_cannot_be_is_named),
        UNIT(folder_is_synced_after_the_last_name_and_a_new_one_with_its_own),
        UNIT(next_run_clears_up_wherever_one_was_killed),
        UNIT(staging_without_memory_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("staging", tests, NULL, NULL);
}
