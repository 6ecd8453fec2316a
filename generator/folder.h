/* SPDX-License-Identifier: Apache-2.0
 * A folder of splits: which file is which. */
#pragma once

#include "common/error.h"
#include "common/split.h"
#include "generator/listing.h"

enum folder_kind { FOLDER_SOURCE, FOLDER_2NMNIST, N_FOLDER_KINDS };

/* "nmnist-train", "train", …; and the name of the file. */
const char *folder_split_name(enum folder_kind kind, enum part part);
const char *folder_file_name(enum folder_kind kind, enum part part);

/* Errors: -ENOENT, -ENOTDIR: there is no such folder. */
int folder_check(const char *folder, struct error *why);

/* Errors: those of split_open(); -EBADMSG it is a split of the other kind. */
int folder_open_split(const char *folder, enum folder_kind kind, enum part part, struct split **ret,
                      struct error *why);
