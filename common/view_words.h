/* SPDX-License-Identifier: Apache-2.0
 * A view's rule in words, as they stand in a URL: "kind=pair&any=3,8&folds=10&fold=0&part=held". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/view.h"

/* A value as text, and all of them. */
enum { VIEW_VALUE_SIZE = 4 * GEOMETRY_LABELS_MAX + 1, VIEW_TEXT_SIZE = 4 * VIEW_VALUE_SIZE };

const char *view_word_name(enum view_word word);

/* The word whose name is the `n` characters at `name`, or N_VIEW_WORDS. */
enum view_word view_word_find(const char *name, size_t n);

/* Give the word the value that the `n` characters at `text` say. Errors: -EINVAL, -ERANGE. */
int view_set(struct view_rule *rule, enum view_word word, const char *text, size_t n,
             struct error *why);

/* Whether the words that were given go together; those that they leave open are set to what they
 * are then. Rules that say the same are equal from here on. Errors: -EINVAL, -ERANGE. */
int view_check(struct view_rule *rule, struct error *why);

/* A whole rule; "" keeps all. It is checked, but for its labels. Errors: -EINVAL, -ERANGE. */
int view_parse(const char *text, struct view_rule *ret, struct error *why);

/* The value of a word that was given; a rule that was checked, in one way. */
void view_word_text(const struct view_rule *rule, enum view_word word, char ret[VIEW_VALUE_SIZE]);
void view_text(const struct view_rule *rule, char ret[VIEW_TEXT_SIZE]);
