/* SPDX-License-Identifier: Apache-2.0
 * A hidden folder inside the output folder, in which everything is made: it comes out of it
 * together, or not at all. */
#pragma once

#include "common/error.h"

struct staging;

/* Make `folder` where it is missing, and the hidden one in it; hidden ones that runs left there
 * when they were killed are removed. Errors: those of mkdir(); -ENOMEM. */
int staging_open(const char *folder, struct staging **ret, struct error *why);

/* Remove what was not published, and the output folder if it was made for nothing. */
void staging_close(struct staging *staging);

/* The hidden folder itself. */
const char *staging_folder(const struct staging *staging);

/* Where to write the file or folder that shall be called `name` (kept, not copied). *ret dies with
 * staging. Errors: -ENOMEM. */
int staging_add(struct staging *staging, const char *name, const char **ret, struct error *why);

/* Move all into the output folder, over older files and empty folders, and sync it, and the one
 * above if the output folder is new; the files are on the disk by then. Errors: those of rename() and fsync(). */
int staging_publish(struct staging *staging, struct error *why);
