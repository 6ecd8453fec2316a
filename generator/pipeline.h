/* SPDX-License-Identifier: Apache-2.0
 * Makes samples on several threads and takes them in order on the caller's: what comes out does not
 * depend on the number of threads. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "generator/buffer.h"

/* One sample on its way; its buffers are used again for later ones. */
struct work_item {
    struct buffer raw;    /* as it was read */
    struct buffer events; /* packed */
    struct error fault;   /* for verification: what is wrong with the sample, or "" */
};

struct pipeline {
    const char *label; /* for the progress bar */
    uint64_t n_items;
    unsigned n_threads; /* ≥ 1 */
    void *user;

    /* A thread's own working memory; both may be NULL. */
    int (*worker_new)(void *user, void **ret);
    void (*worker_free)(void *user, void *worker);

    /* Make item `i`; on any thread. */
    int (*make)(void *user, void *worker, uint64_t i, struct work_item *item, struct error *why);

    /* Take item `i`; on the caller's thread, in order. */
    int (*take)(void *user, uint64_t i, const struct work_item *item, struct error *why);
};

/* Make and take all items. The first failure, in the order of items, ends it and is returned.
 * Errors: those of the functions; -EINTR a signal asked to stop; -ENOMEM; -EAGAIN no thread. */
int pipeline_run(const struct pipeline *pipeline, struct error *why);
