/* SPDX-License-Identifier: Apache-2.0
 * Where in a folder a pulled file is to be, and where it grows until it is whole:
 * .NAME.REVISION.part beside it, which belongs to who has it locked. */
#pragma once

#include "client/client.h"

struct place {
    char *folder, *name;
    char *path; /* of the file */
    char *part; /* of what grows; NULL before place_take() */
    int fd;     /* of that, locked */
};

/* The place of the split `name`; the folder is made where its parent has none of the name. The
 * caller ends it by place_free(). Errors, kept as the last error, here and below: -ENOTDIR no
 * folder and none to make; others of mkdir(); -ENOMEM. */
int place_find(const char *folder, const char *name, struct place *ret);
void place_free(struct place *place); /* unlocks; what grew stays */

/* Open what grows of that revision, or begin it, once nobody else has it locked. Errors:
 * -ECANCELED; those of open(). */
int place_take(struct place *place, tnm_client *client, const char *revision, uint64_t n_cancels);

/* Remove what is left of other revisions, and nobody writes. */
void place_drop_others(const struct place *place);

/* Put it in its place, for good. Errors: those of fsync() and rename(). */
int place_commit(struct place *place);
