/* SPDX-License-Identifier: Apache-2.0
 * Text files of lines. */
#include "common/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take_line(lines_taker *take, void *user, char *line, size_t n, struct error *why)
{
    if (strlen(line) != n)
        return error_set(why, -EINVAL, "there is a NUL byte in the line");
    return take(user, line, why);
}

static int read_all(FILE *file, const char *path, lines_taker *take, void *user, struct error *why)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int r = 0;
    for (unsigned number = 1; r == 0 && (n = getline(&line, &size, file)) >= 0; number++) {
        r = take_line(take, user, line, (size_t)n, why);
        if (r < 0)
            error_prefix(why, r, "%s: line %u", path, number);
    }
    if (r == 0 && !feof(file))
        r = error_set(why, -errno, "%s: %s", path, strerror(errno));
    free(line);
    return r;
}

int lines_read(const char *path, lines_taker *take, void *user, struct error *why)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(why, -errno, "%s: %s", path, strerror(errno));
    int r = read_all(file, path, take, user, why);
    fclose(file);
    return r;
}
