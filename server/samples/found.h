/* SPDX-License-Identifier: Apache-2.0
 * What was found in the data folder: its files that have a split's name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/wire.h"

struct found {
    char name[WIRE_NAME_MAX + 1]; /* of the split: the file's without its suffix */
    struct stat file;             /* all zeros where it could not be had */
    struct error fault;           /* why it is passed over; "" where it is served */
    bool is_news;                 /* the fault was not there the time before */
};

/* List them by name. The caller frees *ret. Errors: those of opendir(); -ENOMEM. */
int found_list(const char *folder, struct found **ret, size_t *ret_n, struct error *why);

/* Whether a file is still what it was. */
bool found_is_same(const struct found *then, const struct found *now);
