/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/snapshot: every change of a split's file shows, and no other file does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/snapshot.h"

static char folder[] = "/tmp/snapshot_unit.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char *take(void)
{
    char *snapshot;
    assert_int_equal(snapshot_take(folder, &snapshot, NULL), 0);
    return snapshot;
}

/* Whether the folder is another than at `*before`, which becomes the folder of now. */
static bool changed(char **before)
{
    char *now = take();
    bool differs = strcmp(*before, now) != 0;
    free(*before);
    *before = now;
    return differs;
}

static void snapshot_shows_every_change_of_a_split_file(void **state)
{
    (void)state;
    char *before = take();
    write_file("a.safetensors", "1");
    assert_true(changed(&before));
    assert_false(changed(&before));
    write_file("a.safetensors", "12");
    assert_true(changed(&before));
    assert_int_equal(chmod(path_of("a.safetensors"), 0), 0);
    assert_true(changed(&before));
    write_file("new", "12");
    char other[100];
    snprintf(other, sizeof other, "%s", path_of("new"));
    assert_int_equal(rename(other, path_of("a.safetensors")), 0);
    assert_true(changed(&before));
    assert_int_equal(unlink(path_of("a.safetensors")), 0);
    assert_true(changed(&before));
    free(before);
}

static void snapshot_passes_over_other_files(void **state)
{
    (void)state;
    char *before = take();
    const char *const names[] = {"a", ".safetensors", "a.safetensors.part", "README"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_file(names[i], "x");
        assert_false(changed(&before));
        unlink(path_of(names[i]));
    }
    free(before);
}

static void snapshot_has_a_link_that_leads_nowhere(void **state)
{
    (void)state;
    char *before = take();
    assert_int_equal(symlink("nothing", path_of("a.safetensors")), 0);
    assert_true(changed(&before));
    assert_false(changed(&before));
    unlink(path_of("a.safetensors"));
    free(before);
}

static void snapshot_names_a_folder_that_cannot_be_read(void **state)
{
    (void)state;
    struct error why = {""};
    char *unchanged = NULL;
    assert_int_equal(snapshot_take("/nowhere/at/all", &unchanged, &why), -ENOENT);
    assert_string_equal(why.text, "/nowhere/at/all: No such file or directory");
    write_file("file", "x");
    assert_int_equal(snapshot_take(path_of("file"), &unchanged, &why), -ENOTDIR);
    assert_null(unchanged);
    unlink(path_of("file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot_shows_every_change_of_a_split_file),
        cmocka_unit_test(snapshot_passes_over_other_files),
        cmocka_unit_test(snapshot_has_a_link_that_leads_nowhere),
        cmocka_unit_test(snapshot_names_a_folder_that_cannot_be_read),
    };
    return cmocka_run_group_tests_name("snapshot", tests, make_folder, remove_folder);
}
