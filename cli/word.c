/* SPDX-License-Identifier: Apache-2.0
 * Words of the command line that are numbers. */
#include "cli/word.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int word_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                struct fault *why)
{
    errno = 0;
    uintmax_t value = strtoumax(text, NULL, 10);
    if (!*text || text[strspn(text, "0123456789")])
        return fault_set(why, -EINVAL, "%s is \"%.80s\"; it takes a whole number", name, text);
    if (errno == ERANGE || value < min || value > max)
        return fault_set(why, -EINVAL, "%s is %.80s; it goes from %" PRIu64 " to %" PRIu64, name,
                         text, min, max);
    *ret = value;
    return 0;
}

int word_numbers(const char *name, const char *text, uint64_t **ret, size_t *ret_n,
                 struct fault *why)
{
    char *copy = strdup(text), *rest = copy, *word;
    uint64_t *numbers = calloc(strlen(text) + 1, sizeof *numbers);
    size_t n = 0;
    int r = copy && numbers ? 0 : fault_set(why, -ENOMEM, "no memory for %s", name);
    while (r == 0 && (word = strsep(&rest, ",")))
        r = word_number(name, word, 0, UINT64_MAX, &numbers[n++], why);
    free(copy);
    if (r < 0) {
        free(numbers);
        return r;
    }
    *ret = numbers;
    *ret_n = n;
    return 0;
}
