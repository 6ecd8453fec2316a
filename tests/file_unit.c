/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/file: what is written is whole, and what is replaced is the new or the old one.
 *
 * The linker leads the system's calls that matter through here: they are noted in their order, fail
 * when they are told to, and move no more than `most` bytes at a time. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "tests/scratch.h"

static struct {
    size_t most;       /* bytes that one call moves; 0: all */
    int n_signals;     /* calls that are interrupted first */
    int fail_at, code; /* the call that fails, from 0, and how; -1: none */
    int n_calls;
    char calls[256]; /* their names */
} fake;

static void note(const char *name)
{
    size_t used = strlen(fake.calls);
    snprintf(fake.calls + used, sizeof fake.calls - used, "%s ", name);
}

static int is_refused(const char *name)
{
    note(name);
    if (fake.n_calls++ != fake.fail_at)
        return 0;
    errno = fake.code;
    return 1;
}

static size_t lessened(size_t size)
{
    return fake.most && size > fake.most ? fake.most : size;
}

static int is_interrupted(void)
{
    if (fake.n_signals == 0)
        return 0;
    fake.n_signals--;
    errno = EINTR;
    return 1;
}

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    if (is_interrupted() || is_refused("write"))
        return -1;
    return __real_write(fd, bytes, lessened(size));
}

ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset)
{
    if (is_interrupted() || is_refused("pread"))
        return -1;
    return __real_pread(fd, bytes, lessened(size), offset);
}

int __wrap_fsync(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return is_refused(S_ISDIR(st.st_mode) ? "sync-folder" : "sync-file") ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return is_refused("rename") ? -1 : __real_rename(from, to);
}

static int setup(void **state)
{
    memset(&fake, 0, sizeof fake);
    fake.fail_at = -1;
    return scratch_setup(state);
}

static int open_file(const char *name)
{
    int fd = open(scratch_path(name), O_RDWR | O_CREAT, 0666);
    assert_true(fd >= 0);
    return fd;
}

static void expect_content(const char *name, const char *wanted)
{
    char content[64] = "";
    size_t size = scratch_read(name, content, sizeof content - 1);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(content, wanted, size);
}

static void all_is_written_however_little_a_call_takes(void **state)
{
    (void)state;
    fake.most = 3;
    fake.n_signals = 2;
    int fd = open_file("a");
    assert_int_equal(file_write_all(fd, "ten bytes!", 10), 0);
    assert_string_equal(fake.calls, "write write write write ");
    fake.n_signals = 1;
    assert_int_equal(file_write_all(fd, " and more", 9), 0);
    assert_int_equal(file_write_all(fd, "", 0), 0);
    close(fd);
    expect_content("a", "ten bytes! and more");
}

static void all_is_read_however_little_a_call_gives(void **state)
{
    (void)state;
    scratch_write("a", "ten bytes!", 10);
    fake.most = 3;
    fake.n_signals = 2;
    char read[8] = "";
    int fd = open_file("a");
    assert_int_equal(file_read_all_at(fd, read, 7, 3), 0);
    assert_string_equal(read, " bytes!");
    assert_int_equal(file_read_all_at(fd, read, 7, 4), -ENODATA);
    close(fd);
}

static void failure_of_the_disk_is_returned(void **state)
{
    (void)state;
    int fd = open_file("a");
    fake.most = 4;
    fake.fail_at = 1;
    fake.code = ENOSPC;
    assert_int_equal(file_write_all(fd, "ten bytes!", 10), -ENOSPC);
    fake.n_calls = 0;
    fake.code = EIO;
    char read[10];
    assert_int_equal(file_read_all_at(fd, read, 8, 0), -EIO);
    close(fd);
}

static int replace(const char *name, const char *content, struct error *why)
{
    struct file_replacement file;
    int r = file_replace_begin(scratch_path(name), &file, why);
    if (r < 0)
        return r;
    fake.n_calls = INT16_MIN; /* not these */
    assert_int_equal(file_write_all(file.fd, content, strlen(content)), 0);
    fake.n_calls = 0;
    fake.calls[0] = '\0';
    return file_replace_commit(&file, why);
}

static void replacing_syncs_the_file_before_and_the_folder_after(void **state)
{
    (void)state;
    scratch_write("a", "old", 3);
    assert_int_equal(replace("a", "new", NULL), 0);
    assert_string_equal(fake.calls, "sync-file rename sync-folder ");
    expect_content("a", "new");
    assert_string_equal(scratch_list(""), "a");
}

static void old_file_is_there_until_the_new_one_is_committed(void **state)
{
    (void)state;
    scratch_write("a", "old", 3);
    struct file_replacement file;
    assert_int_equal(file_replace_begin(scratch_path("a"), &file, NULL), 0);
    assert_int_equal(file_write_all(file.fd, "new", 3), 0);
    expect_content("a", "old");
    file_replace_abort(&file);
    file_replace_abort(&file);
    expect_content("a", "old");
    assert_string_equal(scratch_list(""), "a");
}

static void failure_leaves_the_old_file_alone(void **state)
{
    (void)state;
    static const char *const words[] = {"a: cannot sync: No space", "a: cannot rename: No space"};
    scratch_write("a", "old", 3);
    for (int i = 0; i < 2; i++) {
        struct error why = {""};
        fake.fail_at = i;
        fake.code = ENOSPC;
        assert_int_equal(replace("a", "new", &why), -ENOSPC);
        assert_non_null(strstr(why.text, words[i]));
        expect_content("a", "old");
        assert_string_equal(scratch_list(""), "a");
    }
}

static void folder_that_cannot_be_synced_is_told(void **state)
{
    (void)state;
    struct error why = {""};
    fake.fail_at = 2;
    fake.code = EIO;
    assert_int_equal(replace("a", "new", &why), -EIO);
    assert_non_null(strstr(why.text, "a: cannot sync its folder"));
    expect_content("a", "new");
    fake.n_calls = 2;
    assert_int_equal(file_sync_folder(scratch_folder(), &why), -EIO);
    assert_non_null(strstr(why.text, "cannot sync the folder"));
}

static void new_file_has_the_rights_that_the_umask_leaves(void **state)
{
    (void)state;
    static const mode_t masks[] = {022, 027, 077, 0};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        struct stat st;
        mode_t before = umask(masks[i]);
        assert_int_equal(replace("a", "new", NULL), 0);
        umask(before);
        assert_int_equal(stat(scratch_path("a"), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0666 & ~masks[i]);
    }
}

static void place_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct error why = {""};
    assert_int_equal(replace("no/a", "new", &why), -ENOENT);
    assert_non_null(strstr(why.text, "no/a: cannot create: No such file"));
    assert_int_equal(file_sync_folder(scratch_path("no"), &why), -ENOENT);
    assert_int_equal(file_sync_folder(scratch_folder(), &why), 0);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(all_is_written_however_little_a_call_takes),
        UNIT(all_is_read_however_little_a_call_gives),
        UNIT(failure_of_the_disk_is_returned),
        UNIT(replacing_syncs_the_file_before_and_the_folder_after),
        UNIT(old_file_is_there_until_the_new_one_is_committed),
        UNIT(failure_leaves_the_old_file_alone),
        UNIT(folder_that_cannot_be_synced_is_told),
        UNIT(new_file_has_the_rights_that_the_umask_leaves),
        UNIT(place_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
