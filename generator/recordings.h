/* SPDX-License-Identifier: Apache-2.0
 * How the samples of a 2NMNIST split come from a source split. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "common/plan.h"
#include "common/split.h"
#include "generator/buffer.h"

/* A source split, and what each of its recordings shows. */
struct recordings {
    const struct split *source; /* borrowed */
    uint8_t *digits;            /* [split_n_samples(source)] */
};

/* The caller ends it with recordings_free(). Errors: -EBADMSG the split is not a source split, or a
 * recording has not just one label; -ENOMEM. */
int recordings_new(const struct split *source, struct recordings *ret, struct error *why);
void recordings_free(struct recordings *recordings);

/* Is the source the very file that `split` was mixed from? Errors: -EBADMSG, why shows both
 * revisions. */
int recordings_check_source(const struct recordings *recordings, const struct split *split,
                            struct error *why);

/* The split's plan; see plan_make(). */
int recordings_plan(const struct recordings *recordings, uint32_t seed, struct plan_row **ret,
                    size_t *ret_n_rows, struct error *why);

/* Errors: -EBADMSG a row that names no recording of the source, or two of one digit. */
int recordings_check_row(const struct recordings *recordings, const struct plan_row *row,
                         struct error *why);

/* Labels and events of a row that recordings_check_row() accepts. Errors: those of mixer_mix(). */
void recordings_labels(const struct recordings *recordings, const struct plan_row *row,
                       uint8_t ret[N_DIGITS]);
int recordings_mix(const struct recordings *recordings, const struct plan_row *row,
                   struct mixer *mixer, enum mix_order order, struct buffer *out,
                   struct error *why);

/* The same of `k` recordings' events. */
int recordings_mix_events(const struct event_span *parts, unsigned k, struct mixer *mixer,
                          enum mix_order order, struct buffer *out, struct error *why);

/* A mixer as the working memory of a pipeline's thread. */
int recordings_worker_new(void *user, void **ret);
void recordings_worker_free(void *user, void *worker);
