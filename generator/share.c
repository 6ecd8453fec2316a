/* SPDX-License-Identifier: Apache-2.0
 * Part I of N of a run of `splits`: which of the samples it makes, and its file. */
#include "generator/share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

static int parse_number(const char *name, const char *text, size_t n, unsigned max, unsigned *ret,
                        struct error *why)
{
    uint64_t number;
    int r = number_parse(name, text, n, 1, max, &number, why);
    if (r == 0)
        *ret = (unsigned)number;
    return r;
}

int share_parse(const char *text, struct share *ret, struct error *why)
{
    const char *slash = strchr(text, '/');
    struct share share;
    if (!slash)
        return error_set(why, -EINVAL, "\"%s\" is not I/N, as 2/7", text);
    int r = parse_number("N", slash + 1, strlen(slash + 1), SHARE_MAX, &share.n, why);
    if (r == 0)
        r = parse_number("I", text, (size_t)(slash - text), share.n, &share.i, why);
    if (r == 0)
        *ret = share;
    return r;
}

struct share_range share_range(struct share share, uint64_t total)
{
    return (struct share_range){
        .begin = total * (share.i - 1) / share.n,
        .end = total * share.i / share.n,
    };
}

/* The first guess is too low by one at the most, for what was rounded down. */
struct share share_holding(unsigned n, uint64_t i, uint64_t total)
{
    struct share share = {.i = (unsigned)(i * n / total) + 1, .n = n};
    while (share_range(share, total).end <= i)
        share.i++;
    return share;
}

void share_file_name(struct share share, char ret[SHARE_NAME_SIZE])
{
    snprintf(ret, SHARE_NAME_SIZE, "splits-%u-of-%u.part", share.i, share.n);
}

bool share_of_file_name(const char *name, struct share *ret)
{
    struct share share;
    char again[SHARE_NAME_SIZE], end;
    if (sscanf(name, "splits-%u-of-%u.par%c", &share.i, &share.n, &end) != 3 || share.i < 1 ||
        share.i > share.n || share.n > SHARE_MAX)
        return false;
    share_file_name(share, again);
    if (strcmp(name, again) != 0)
        return false;
    *ret = share;
    return true;
}
