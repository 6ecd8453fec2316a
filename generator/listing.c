/* SPDX-License-Identifier: Apache-2.0
 * What a source holds of one split: its files in their order, and what their names say. */
#include "generator/listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

const char *const part_spellings[N_PARTS][PART_SPELLINGS] = {{"Train", "train"}, {"Test", "test"}};
const char *const part_folders[N_PARTS] = {"Train", "Test"};
const char *const part_splits[N_PARTS] = {"train", "test"};

static const char SUFFIX[] = ".bin";

/* One name between slashes. */
struct component {
    const char *text;
    size_t length;
};

/* The last three components of `path`, the last one first; false for files to pass over. */
static bool split_path(const char *path, struct component ret[3])
{
    size_t n = 0;
    for (const char *end = path + strlen(path); end > path;) {
        const char *begin = end;
        while (begin > path && begin[-1] != '/')
            begin--;
        struct component component = {begin, (size_t)(end - begin)};
        if (n < 3)
            ret[n++] = component;
        if (component.length > 1 && *begin == '.' && begin[1] != '.')
            return false;
        if (component.length == 8 && memcmp(begin, "__MACOSX", 8) == 0)
            return false;
        end = begin > path ? begin - 1 : path;
    }
    size_t suffix = sizeof SUFFIX - 1;
    if (n < 2 || ret[0].length <= suffix)
        return false;
    if (n == 2)
        ret[2] = (struct component){path, 0};
    return memcmp(ret[0].text + ret[0].length - suffix, SUFFIX, suffix) == 0;
}

static int part_of(struct component folder)
{
    for (int part = 0; part < N_PARTS; part++)
        for (int i = 0; i < PART_SPELLINGS; i++)
            if (strlen(part_spellings[part][i]) == folder.length &&
                memcmp(part_spellings[part][i], folder.text, folder.length) == 0)
                return part;
    return -1;
}

static bool parse_digit(const char *text, size_t length, uint8_t *ret)
{
    if (length != 1 || *text < '0' || *text > '9')
        return false;
    *ret = (uint8_t)(*text - '0');
    return true;
}

static bool parse_number(const char *text, size_t length, int32_t *ret)
{
    uint64_t number;
    if (number_parse("", text, length, 0, INT32_MAX, &number, NULL) < 0)
        return false;
    *ret = (int32_t)number;
    return true;
}

static int parse_recording(struct listing_file *file, struct component folder,
                           struct component name, struct error *why)
{
    if (!parse_digit(folder.text, folder.length, &file->digits[0]))
        return error_set(why, -EBADMSG, "%s: the folder's name \"%.*s\" is not a digit 0 to 9",
                         file->name, (int)folder.length, folder.text);
    if (!parse_number(name.text, name.length - strlen(SUFFIX), &file->number))
        return error_set(why, -EBADMSG, "%s: the file's name is not <number>.bin", file->name);
    return 0;
}

/* "<number>_<digit>.bin" or "<number>_<digit>-<digit>.bin" */
static int parse_sample(struct listing_file *file, struct component name, struct error *why)
{
    const char *bar = memchr(name.text, '_', name.length);
    const char *end = name.text + name.length - strlen(SUFFIX);
    if (!bar || bar >= end || !parse_number(name.text, (size_t)(bar - name.text), &file->number))
        return error_set(why, -EBADMSG, "%s: the file's name is not <i>_<digit>[-<digit>].bin",
                         file->name);
    const char *dash = memchr(bar, '-', (size_t)(end - bar));
    const char *first_end = dash ? dash : end;
    file->pair = dash != NULL;
    if (!parse_digit(bar + 1, (size_t)(first_end - bar - 1), &file->digits[0]) ||
        (dash && !parse_digit(dash + 1, (size_t)(end - dash - 1), &file->digits[1])))
        return error_set(why, -EBADMSG, "%s: \"%.*s\" is not a digit, or two joined by \"-\"",
                         file->name, (int)(end - bar - 1), bar + 1);
    if (file->pair && file->digits[0] == file->digits[1])
        return error_set(why, -EBADMSG, "%s: the two digits of a pair must differ", file->name);
    return 0;
}

static int set_content(struct listing *listing, enum content content, const char *name,
                       struct error *why)
{
    if (listing->content != CONTENT_NONE && listing->content != content)
        return error_set(why, -EBADMSG,
                         "%s: recordings (<digit>/<number>.bin) and mixed samples "
                         "(<i>_<digit>[-<digit>].bin) stand side by side",
                         name);
    listing->content = content;
    return 0;
}

/* "Train/0/1.bin" and "train/0/2.bin" may be halves of one part, or one part twice. */
static int check_spelling(const struct listing *listing, int part, const char *name,
                          struct error *why)
{
    if (listing->parts[part].n == 0)
        return 0;
    const char *first = listing->parts[part].files[0].name;
    if (strncmp(first, name, strlen(part_folders[part])) == 0)
        return 0;
    return error_set(why, -EBADMSG, "%s and %s: the folder is spelt in two ways", first, name);
}

static struct listing_file *append(struct listing *listing, int part)
{
    size_t n = listing->parts[part].n, capacity = listing->parts[part].capacity;
    if (n == capacity) {
        capacity = capacity ? 2 * capacity : 1024;
        struct listing_file *files =
            reallocarray(listing->parts[part].files, capacity, sizeof *files);
        if (!files)
            return NULL;
        listing->parts[part].files = files;
        listing->parts[part].capacity = capacity;
    }
    return &listing->parts[part].files[n];
}

int listing_add(struct listing *listing, const char *path, struct listing_file **ret,
                struct error *why)
{
    struct component components[3];
    *ret = NULL;
    if (!split_path(path, components))
        return 0;
    bool sample = part_of(components[1]) >= 0;
    struct component root = components[sample ? 1 : 2];
    int part = part_of(root);
    if (part < 0)
        return 0;

    struct listing_file *file = append(listing, part);
    char *name = strdup(root.text);
    if (!file || !name) {
        free(name);
        return error_set(why, -ENOMEM, "no memory for a list of %zu files", listing->parts[part].n);
    }
    *file = (struct listing_file){.name = name};
    int r = set_content(listing, sample ? CONTENT_SAMPLES : CONTENT_RECORDINGS, name, why);
    if (r == 0)
        r = check_spelling(listing, part, name, why);
    if (r == 0)
        r = sample ? parse_sample(file, components[0], why)
                   : parse_recording(file, components[1], components[0], why);
    if (r < 0) {
        free(name);
        return r;
    }
    listing->parts[part].n++;
    *ret = file;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct listing_file *)a)->name, ((const struct listing_file *)b)->name);
}

static int by_number(const void *a, const void *b)
{
    int32_t x = ((const struct listing_file *)a)->number,
            y = ((const struct listing_file *)b)->number;
    return x != y ? (x > y) - (x < y) : by_name(a, b);
}

static int check_recording(const struct listing_file *file, const struct listing_file *before,
                           struct error *why)
{
    if (before && strcmp(file->name, before->name) == 0)
        return error_set(why, -EBADMSG, "%s: it comes twice", file->name);
    return 0;
}

static int check_sample(const struct listing_file *file, const struct listing_file *before,
                        struct error *why)
{
    int64_t next = before ? (int64_t)before->number + 1 : 0;
    if (before && file->number == before->number)
        return error_set(why, -EBADMSG, "%s: there is %s already", file->name, before->name);
    if (file->number != next)
        return error_set(why, -EBADMSG,
                         "%s: sample %" PRId64
                         " is missing before it (numbers go from 0 without holes)",
                         file->name, next);
    return 0;
}

int listing_check(const struct listing *listing, enum part part, size_t i, struct error *why)
{
    const struct listing_file *file = &listing->parts[part].files[i];
    const struct listing_file *before = i > 0 ? file - 1 : NULL;
    return (listing->content == CONTENT_SAMPLES ? check_sample : check_recording)(file, before,
                                                                                  why);
}

int listing_sort(struct listing *listing, struct error *why)
{
    for (int part = 0; part < N_PARTS; part++)
        if (listing->parts[part].n > 0)
            qsort(listing->parts[part].files, listing->parts[part].n,
                  sizeof *listing->parts[part].files,
                  listing->content == CONTENT_SAMPLES ? by_number : by_name);
    for (enum part part = 0; part < N_PARTS; part++)
        for (size_t i = 0; i < listing->parts[part].n; i++) {
            int r = listing_check(listing, part, i, why);
            if (r < 0)
                return r;
        }
    return 0;
}

void listing_free(struct listing *listing)
{
    for (int part = 0; part < N_PARTS; part++) {
        for (size_t i = 0; i < listing->parts[part].n; i++)
            free(listing->parts[part].files[i].name);
        free(listing->parts[part].files);
    }
    *listing = (struct listing){0};
}
