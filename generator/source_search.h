/* SPDX-License-Identifier: Apache-2.0
 * Finds the files of a source: in folders and zip archives, wherever the archive was unpacked. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "generator/buffer.h"
#include "generator/faults.h"
#include "generator/listing.h"
#include "generator/spool.h"

/* What one source may hold: more than ten times N-MNIST, which has 70,000 files of 1.5 GB. */
enum { SEARCH_MAX_FILES = 1000000 };
#define SEARCH_MAX_BYTES UINT64_C(16000000000)

struct search {
    /* How: the caller sets either of the two. */
    const char *spool_folder; /* archives are unpacked into a spool there */
    struct faults *faults; /* all faults are listed, and what is in archives is checked at once */

    /* What was found. */
    char *root; /* the folder that holds Train and Test */
    struct listing listing;
    struct spool *spool;
    bool marked; /* as simulated: SOURCE_SYNTHETIC_MARK */

    /* While it is being looked for. */
    bool wanted[N_PARTS]; /* its folder or archive is there, so there must be something in it */
    uint64_t n_files, n_bytes;
};

/* Look for the files of what is at `path`, as source_open_files() says. The caller ends it with
 * search_free() in every case. Errors: those of source_open_files(); -EFBIG more than the limits
 * above. */
int search_run(struct search *search, const char *path, struct error *why);
void search_free(struct search *search);
