/* SPDX-License-Identifier: Apache-2.0
 * Part I of N of a run of `splits`: which of the samples it makes, and its file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* SHARE_MAX files are open at once while they are joined. */
enum { SHARE_MAX = 512, SHARE_NAME_SIZE = 64 };

struct share {
    unsigned i, n; /* from 1; n is 0 where all is made at once */
};

/* "I/N". Errors: -EINVAL, -ERANGE; why shows it. */
int share_parse(const char *text, struct share *ret, struct error *why);

/* What of `total` things it makes: [begin, end), together all of them, each once. total < 2^32. */
struct share_range {
    uint64_t begin, end;
};
struct share_range share_range(struct share share, uint64_t total);

/* Whose range holds the i-th of `total`. */
struct share share_holding(unsigned n, uint64_t i, uint64_t total);

/* "splits-2-of-7.part", and back; false where it is no such name. */
void share_file_name(struct share share, char ret[SHARE_NAME_SIZE]);
bool share_of_file_name(const char *name, struct share *ret);
