/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target over files that are there already: every file of the folders named. Without
 * libFuzzer, so that any compiler builds it and the normal test run has it.
 *
 * Each file's name is on stderr before its turn; the last one is the culprit. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(2);
}

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    if (!file || fseek(file, 0, SEEK_END) < 0)
        fail(path);
    long size = ftell(file);
    rewind(file);
    if (size < 0)
        fail(path);
    uint8_t *bytes = fuzz_alloc((size_t)size);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fail(path);
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_folder(const char *folder)
{
    struct dirent **files;
    int n = scandir(folder, &files, is_input, alphasort);
    if (n < 0)
        fail(folder);
    for (int i = 0; i < n; i++) {
        char *path;
        size_t size;
        if (asprintf(&path, "%s/%s", folder, files[i]->d_name) < 0)
            fail(folder);
        fprintf(stderr, "%s\n", path);
        uint8_t *bytes = read_file(path, &size);
        FUZZ_CHECK(LLVMFuzzerTestOneInput(bytes, size) == 0);
        free(bytes);
        free(path);
        free(files[i]);
    }
    free(files);
    return n;
}

int main(int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++)
        n += replay_folder(argv[i]);
    printf("%d inputs\n", n);
    return 0;
}
