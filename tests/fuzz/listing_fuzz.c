/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: the names of a source's files, one a line. What is taken in says what its name says,
 * and stands in order after sorting. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "generator/listing.h"
#include "tests/fuzz/fuzz.h"

static void check_file(const struct listing_file *file, const char *path)
{
    size_t n = strlen(path), length = strlen(file->name);
    FUZZ_CHECK(length <= n && strcmp(path + n - length, file->name) == 0);
    FUZZ_CHECK(strncasecmp(file->name, "Train/", 6) == 0 ||
               strncasecmp(file->name, "Test/", 5) == 0);
    FUZZ_CHECK(file->number >= 0 && file->digits[0] <= 9 && file->digits[1] <= 9);
    FUZZ_CHECK(!file->pair || file->digits[0] != file->digits[1]);
    FUZZ_CHECK(!strstr(file->name, "/../"));
}

static void check_order(const struct listing *listing, int part)
{
    const struct listing_file *files = listing->parts[part].files;
    for (size_t i = 0; i < listing->parts[part].n; i++) {
        if (listing->content == CONTENT_SAMPLES)
            FUZZ_CHECK((size_t)files[i].number == i);
        else if (i > 0)
            FUZZ_CHECK(strcmp(files[i - 1].name, files[i].name) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct listing listing = {0};
    struct error why;
    while (input.left > 0) {
        struct listing_file *file;
        char *path = input_line(&input);
        int r = listing_add(&listing, path, &file, &why);
        FUZZ_CHECK(r == 0 || r == -EBADMSG);
        if (r == 0 && file)
            check_file(file, path);
        free(path);
    }
    int r = listing_sort(&listing, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG);
    for (int part = 0; r == 0 && part < N_PARTS; part++)
        check_order(&listing, part);
    listing_free(&listing);
    FUZZ_CHECK(listing.parts[PART_TRAIN].n == 0);
    return 0;
}
