/* SPDX-License-Identifier: Apache-2.0
 * A part of a split: the samples that a rule keeps, which labels alone decide. Who has NumPy makes
 * the same list:
 *
 *     order = numpy.random.RandomState([fold_seed]).permutation(n)
 *     for each label set: members = order[label set of order == it]
 *         fold[members] = arange(len(members)) % folds; rank[members] = arange(len(members)) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/geometry.h"
#include "common/sha256.h"

/* A set of labels. */
struct view_labels {
    uint64_t words[GEOMETRY_LABELS_MAX / 64];
};

enum view_kind { VIEW_SINGLE, VIEW_PAIR }; /* shows one digit, or two */
enum view_part { VIEW_HELD, VIEW_REST };   /* of its fold, or of all others */

/* What a rule may be made of, in the order in which it is applied. */
enum view_word {
    VIEW_KIND,
    VIEW_ANY,
    VIEW_ALL,
    VIEW_NONE,
    VIEW_FOLDS,
    VIEW_FOLD,
    VIEW_PART,
    VIEW_PER_CLASS,
    VIEW_FOLD_SEED,
    N_VIEW_WORDS,
};

#define VIEW_BIT(word) (1u << (word))

enum { VIEW_FOLDS_MIN = 2, VIEW_FOLDS_MAX = 1000 };

/* Which samples are kept: those that pass all that was given. All zeros keeps all of them. */
struct view_rule {
    unsigned given; /* VIEW_BIT of each word */
    enum view_kind kind;
    struct view_labels any, all, none; /* one of them, all, none is among its labels */
    uint32_t folds, fold;
    enum view_part part;
    uint32_t per_class; /* the first so many of each label set, in the order of the folds */
    uint32_t fold_seed;
};

bool view_equal(const struct view_rule *a, const struct view_rule *b);

void view_labels_add(struct view_labels *set, uint32_t label);
bool view_labels_has(const struct view_labels *set, uint32_t label);

/* Does it name labels of which there are fewer? Errors: -EINVAL why says which. */
int view_check_labels(const struct view_rule *rule, uint32_t n_labels, struct error *why);

/* What is decided about: the labels of a split, multi-hot, [n][n_labels]. */
struct view_of {
    const char *name; /* of the split, for reasons */
    const uint8_t *labels;
    uint32_t n, n_labels;
};

/* The positions that the rule keeps, ascending, from malloc(); there is one at least. Any thread.
 * Errors: -EINVAL view_check_labels(), or nothing is kept (why says which word left nothing);
 * -ENOMEM. */
int view_positions(const struct view_rule *rule, const struct view_of *of, uint32_t **ret,
                   uint32_t *ret_n, struct error *why);

/* SHA-256 of positions as u64, little-endian, as they stand in an answer. */
int view_sha256(const uint32_t *positions, uint32_t n, char ret[SHA256_HEX + 1]);
