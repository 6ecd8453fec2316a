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
struct recipe {
    const struct split *source; /* borrowed */
    uint8_t *digits;            /* [split_n_samples(source)] */
};

/* The caller ends it with recipe_free(). Errors: -EBADMSG the split is not a source split, or a
 * recording has not just one label; -ENOMEM. */
int recipe_new(const struct split *source, struct recipe *ret, struct error *why);
void recipe_free(struct recipe *recipe);

/* Is the source the very file that `split` was mixed from? Errors: -EBADMSG, why shows both
 * digests. */
int recipe_check_source(const struct recipe *recipe, const struct split *split, struct error *why);

/* The split's plan; see plan_make(). */
int recipe_plan(const struct recipe *recipe, uint32_t seed, struct plan_row **ret,
                size_t *ret_n_rows, struct error *why);

/* Errors: -EBADMSG a row that names no recording of the source, or two of one digit. */
int recipe_check_row(const struct recipe *recipe, const struct plan_row *row, struct error *why);

/* The labels and the events of a row that recipe_check_row() accepts. Errors: see mixer_mix(). */
void recipe_labels(const struct recipe *recipe, const struct plan_row *row, uint8_t ret[N_DIGITS]);
int recipe_mix(const struct recipe *recipe, const struct plan_row *row, struct mixer *mixer,
               enum mix_order order, struct buffer *out, struct error *why);

/* A mixer as the working memory of a pipeline's thread. */
int recipe_worker_new(void *context, void **ret);
void recipe_worker_free(void *context, void *worker);
