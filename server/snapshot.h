/* SPDX-License-Identifier: Apache-2.0
 * Which split files a folder holds at a moment, to tell whether they have changed since. */
#pragma once

#include "common/error.h"

/* A text that names each split file and what stat() says of it, to be compared and freed.
 * Errors: those of opendir(); -ENOMEM. */
int snapshot_take(const char *folder, char **ret, struct error *why);
