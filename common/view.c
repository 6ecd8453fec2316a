/* SPDX-License-Identifier: Apache-2.0
 * A part of a split: the samples that a rule keeps. */
#include "common/view.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mt19937.h"
#include "common/view_words.h"

enum { WORDS = sizeof(struct view_labels) / sizeof(uint64_t), NO_SET = -1 };

/* ---- Sets of labels ---- */

void view_labels_add(struct view_labels *set, uint32_t label)
{
    set->words[label / 64] |= UINT64_C(1) << label % 64;
}

bool view_labels_has(const struct view_labels *set, uint32_t label)
{
    return set->words[label / 64] >> label % 64 & 1;
}

static bool same(const struct view_labels *a, const struct view_labels *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool meets(const struct view_labels *a, const struct view_labels *b)
{
    uint64_t both = 0;
    for (unsigned i = 0; i < WORDS; i++)
        both |= a->words[i] & b->words[i];
    return both;
}

static bool holds(const struct view_labels *set, const struct view_labels *part)
{
    uint64_t lacks = 0;
    for (unsigned i = 0; i < WORDS; i++)
        lacks |= part->words[i] & ~set->words[i];
    return !lacks;
}

static unsigned count(const struct view_labels *set)
{
    unsigned n = 0;
    for (unsigned i = 0; i < WORDS; i++)
        n += (unsigned)__builtin_popcountll(set->words[i]);
    return n;
}

static struct view_labels set_of(const struct view_of *of, uint32_t i)
{
    struct view_labels set = {{0}};
    const uint8_t *labels = of->labels + (size_t)i * of->n_labels;
    for (uint32_t label = 0; label < of->n_labels; label++)
        if (labels[label])
            view_labels_add(&set, label);
    return set;
}

bool view_equal(const struct view_rule *a, const struct view_rule *b)
{
    return a->given == b->given && a->kind == b->kind && same(&a->any, &b->any) &&
           same(&a->all, &b->all) && same(&a->none, &b->none) && a->folds == b->folds &&
           a->fold == b->fold && a->part == b->part && a->per_class == b->per_class &&
           a->fold_seed == b->fold_seed;
}

int view_check_labels(const struct view_rule *rule, uint32_t n_labels, struct error *why)
{
    const struct {
        enum view_word word;
        const struct view_labels *labels;
    } sets[] = {{VIEW_ANY, &rule->any}, {VIEW_ALL, &rule->all}, {VIEW_NONE, &rule->none}};
    for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++)
        for (uint32_t label = n_labels; label < GEOMETRY_LABELS_MAX; label++)
            if (view_labels_has(sets[i].labels, label))
                return error_set(why, -EINVAL, "%s names label %u; there are 0 to %u",
                                 view_word_name(sets[i].word), label, n_labels - 1);
    return 0;
}

/* ---- The place of each sample among those that show the same ---- */

/* Sets of labels that were met, by open addressing, with how often each was. */
struct sets {
    uint32_t mask; /* of a place in the table, whose size is a power of two */
    struct met {
        struct view_labels labels;
        uint32_t n; /* 0: a free place */
    } * table;
};

static int open_sets(uint32_t n, struct sets *ret)
{
    uint64_t size = 16;
    while (size < 2 * (uint64_t)n)
        size *= 2;
    *ret = (struct sets){.mask = (uint32_t)(size - 1), .table = calloc(size, sizeof *ret->table)};
    return ret->table ? 0 : -ENOMEM;
}

/* How often this set was met before. */
static uint32_t meet(struct sets *sets, const struct view_labels *labels)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < WORDS; i++)
        hash = (hash ^ labels->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(hash >> 32) & sets->mask;
    while (sets->table[at].n > 0 && !same(&sets->table[at].labels, labels))
        at = (at + 1) & sets->mask;
    sets->table[at].labels = *labels;
    return sets->table[at].n++;
}

static int fill_ranks(const struct view_of *of, uint32_t fold_seed, uint32_t *order,
                      uint32_t *ranks)
{
    struct mt19937 mt;
    struct sets sets;
    int r = open_sets(of->n, &sets);
    if (r < 0)
        return r;
    mt19937_init_by_array(&mt, &fold_seed, 1);
    mt19937_permutation(&mt, of->n, order);
    for (uint32_t i = 0; i < of->n; i++) {
        const struct view_labels labels = set_of(of, order[i]);
        ranks[order[i]] = meet(&sets, &labels);
    }
    free(sets.table);
    return 0;
}

/* ---- The filters ---- */

/* One sample, and what the words look at. */
struct looked_at {
    struct view_labels labels;
    uint32_t rank;
};

/* The first word that the sample does not pass; N_VIEW_WORDS: it passes all. */
static enum view_word fails_at(const struct view_rule *rule, const struct looked_at *sample)
{
    const struct {
        enum view_word word;
        bool passes;
    } filters[] = {
        {VIEW_KIND, count(&sample->labels) == (rule->kind == VIEW_SINGLE ? 1 : 2)},
        {VIEW_ANY, meets(&sample->labels, &rule->any)},
        {VIEW_ALL, holds(&sample->labels, &rule->all)},
        {VIEW_NONE, !meets(&sample->labels, &rule->none)},
        {VIEW_FOLDS,
         rule->folds && (sample->rank % rule->folds == rule->fold) == (rule->part == VIEW_HELD)},
        {VIEW_PER_CLASS, sample->rank < rule->per_class},
    };
    for (unsigned i = 0; i < sizeof filters / sizeof *filters; i++)
        if ((rule->given & VIEW_BIT(filters[i].word)) && !filters[i].passes)
            return filters[i].word;
    return N_VIEW_WORDS;
}

static int nothing_left(const struct view_rule *rule, const char *name, enum view_word word,
                        struct error *why)
{
    char all[VIEW_TEXT_SIZE], value[VIEW_VALUE_SIZE];
    view_text(rule, all);
    view_word_text(rule, word, value);
    return error_set(why, -EINVAL, "the view %.400s of %s is empty: %s=%.200s leaves no sample",
                     all, name, view_word_name(word), value);
}

/* Which samples pass, into ret[n]. */
static int filter(const struct view_rule *rule, const struct view_of *of, const uint32_t *ranks,
                  uint32_t *ret, uint32_t *ret_n, struct error *why)
{
    enum view_word last = VIEW_KIND; /* the word that the farthest of those that fail came to */
    uint32_t n = 0;
    for (uint32_t i = 0; i < of->n; i++) {
        const struct looked_at sample = {.labels = set_of(of, i), .rank = ranks ? ranks[i] : 0};
        enum view_word word = rule->given ? fails_at(rule, &sample) : N_VIEW_WORDS;
        if (word == N_VIEW_WORDS)
            ret[n++] = i;
        else
            last = word > last ? word : last;
    }
    *ret_n = n;
    return n ? 0 : nothing_left(rule, of->name, last, why);
}

int view_positions(const struct view_rule *rule, const struct view_of *of, uint32_t **ret,
                   uint32_t *ret_n, struct error *why)
{
    int r = view_check_labels(rule, of->n_labels, why);
    if (r < 0)
        return r;
    bool ranked = rule->given & (VIEW_BIT(VIEW_FOLDS) | VIEW_BIT(VIEW_PER_CLASS));
    uint32_t *positions = calloc(of->n ? of->n : 1, sizeof *positions);
    uint32_t *ranks = ranked ? calloc(of->n ? of->n : 1, sizeof *ranks) : NULL;
    r = positions && (ranks || !ranked) ? 0 : -ENOMEM;
    if (r == 0 && ranked)
        r = fill_ranks(of, rule->fold_seed, positions, ranks);
    if (r < 0)
        error_set(why, r, "no memory for a view of %" PRIu32 " samples", of->n);
    else
        r = filter(rule, of, ranks, positions, ret_n, why);
    free(ranks);
    if (r < 0)
        free(positions);
    else
        *ret = positions;
    return r;
}

int view_sha256(const uint32_t *positions, uint32_t n, char ret[SHA256_HEX + 1])
{
    enum { AT_ONCE = 512 };
    uint64_t words[AT_ONCE];
    struct sha256 *hash;
    int r = sha256_new(&hash);
    if (r < 0)
        return r;
    for (uint32_t done = 0; done < n;) {
        uint32_t some = n - done < AT_ONCE ? n - done : AT_ONCE;
        for (uint32_t i = 0; i < some; i++)
            words[i] = htole64(positions[done + i]);
        sha256_add(hash, words, some * sizeof *words);
        done += some;
    }
    sha256_hex(hash, ret);
    sha256_free(hash);
    return 0;
}
