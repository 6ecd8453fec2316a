/* SPDX-License-Identifier: Apache-2.0
 * A folder of a test's own, which goes with all that is in it when the test ends. */
#include "tests/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATHS = 8, NAME_ROOM = 256, MAX_OPEN = 16, NOBODY = 65534 };

static char folder[64];

int scratch_setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/twonmnist-unit-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int scratch_teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, MAX_OPEN, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_folder(void)
{
    return folder;
}

const char *scratch_path(const char *name)
{
    static char paths[PATHS][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    snprintf(path, PATH_MAX, "%s%s%s", folder, *name ? "/" : "", name);
    return path;
}

void scratch_make_folder(const char *name)
{
    char part[NAME_ROOM];
    for (const char *end = name; *end;) {
        end = strchrnul(end + 1, '/');
        snprintf(part, sizeof part, "%.*s", (int)(end - name), name);
        mkdir(scratch_path(part), 0777);
    }
}

void scratch_write(const char *name, const void *bytes, size_t size)
{
    const char *slash = strrchr(name, '/');
    if (slash) {
        char above[NAME_ROOM];
        snprintf(above, sizeof above, "%.*s", (int)(slash - name), name);
        scratch_make_folder(above);
    }
    int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

size_t scratch_read(const char *name, void *ret, size_t size)
{
    FILE *file = fopen(scratch_path(name), "re");
    assert_non_null(file);
    size_t n = fread(ret, 1, size, file);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    return n;
}

static int is_visible(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

const char *scratch_list(const char *name)
{
    static char text[SCRATCH_TEXT];
    struct dirent **entries;
    int n = scandir(scratch_path(name), &entries, is_visible, alphasort), used = 0;
    assert_true(n >= 0);
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", i ? " " : "",
                         entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return text;
}

int scratch_as_stranger(int (*act)(void *user), void *user)
{
    uid_t own = geteuid();
    assert_int_equal(chmod(folder, 0555), 0);
    if (own == 0)
        assert_int_equal(seteuid(NOBODY), 0); /* root may write everywhere */
    int r = act(user);
    if (own == 0)
        assert_int_equal(seteuid(own), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    return r;
}
