/* SPDX-License-Identifier: Apache-2.0
 * A view's rule in words. */
#include "common/view_words.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

enum kind { NUMBER, CHOICE, LABELS };

static const struct {
    const char *name;
    enum kind kind;
    size_t at; /* in the rule */
    uint32_t min, max;
    const char *choices[3];
} rows[N_VIEW_WORDS] = {
#define AT(field) offsetof(struct view_rule, field)
    [VIEW_KIND] = {"kind", CHOICE, AT(kind), 0, 0, {"single", "pair", NULL}},
    [VIEW_ANY] = {"any", LABELS, AT(any), 0, GEOMETRY_LABELS_MAX - 1, {NULL}},
    [VIEW_ALL] = {"all", LABELS, AT(all), 0, GEOMETRY_LABELS_MAX - 1, {NULL}},
    [VIEW_NONE] = {"none", LABELS, AT(none), 0, GEOMETRY_LABELS_MAX - 1, {NULL}},
    [VIEW_FOLDS] = {"folds", NUMBER, AT(folds), VIEW_FOLDS_MIN, VIEW_FOLDS_MAX, {NULL}},
    [VIEW_FOLD] = {"fold", NUMBER, AT(fold), 0, VIEW_FOLDS_MAX - 1, {NULL}},
    [VIEW_PART] = {"part", CHOICE, AT(part), 0, 0, {"held", "rest", NULL}},
    [VIEW_PER_CLASS] = {"per_class", NUMBER, AT(per_class), 1, INT32_MAX, {NULL}},
    [VIEW_FOLD_SEED] = {"fold_seed", NUMBER, AT(fold_seed), 0, UINT32_MAX, {NULL}},
#undef AT
};

/* What a word cannot be without: one of `needs`. */
static const struct {
    enum view_word word;
    unsigned needs;
    const char *help;
} needs[] = {
    {VIEW_FOLD, VIEW_BIT(VIEW_FOLDS), "folds, which says how many there are"},
    {VIEW_PART, VIEW_BIT(VIEW_FOLDS), "folds, which says how many there are"},
    {VIEW_FOLDS, VIEW_BIT(VIEW_PART), "part, which is held or rest"},
    {VIEW_FOLD_SEED, VIEW_BIT(VIEW_FOLDS) | VIEW_BIT(VIEW_PER_CLASS), "folds or per_class"},
};

const char *view_word_name(enum view_word word)
{
    return rows[word].name;
}

enum view_word view_word_find(const char *name, size_t n)
{
    enum view_word word = 0;
    while (word < N_VIEW_WORDS &&
           (strlen(rows[word].name) != n || memcmp(rows[word].name, name, n) != 0))
        word++;
    return word;
}

static const void *field(const struct view_rule *rule, enum view_word word)
{
    return (const char *)rule + rows[word].at;
}

static int read_choice(enum view_word word, const char *text, size_t n, uint64_t *ret,
                       struct error *why)
{
    const char *const *choices = rows[word].choices;
    for (uint64_t i = 0; choices[i]; i++)
        if (strlen(choices[i]) == n && memcmp(choices[i], text, n) == 0) {
            *ret = i;
            return 0;
        }
    return error_set(why, -EINVAL, "%s is \"%.*s\"; it is one of %s, %s", rows[word].name,
                     n < 40 ? (int)n : 40, text, choices[0], choices[1]);
}

static int read_labels(enum view_word word, const char *text, size_t n, struct view_labels *ret,
                       struct error *why)
{
    const char *end = text + n;
    struct view_labels labels = {{0}};
    do {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        uint64_t label;
        int r = number_parse(rows[word].name, text, (size_t)(stop - text), 0, rows[word].max,
                             &label, why);
        if (r < 0)
            return r;
        view_labels_add(&labels, (uint32_t)label);
        text = stop + 1;
    } while (text <= end);
    *ret = labels;
    return 0;
}

int view_set(struct view_rule *rule, enum view_word word, const char *text, size_t n,
             struct error *why)
{
    void *at = (char *)rule + rows[word].at;
    uint64_t value = 0;
    int r;
    if (rows[word].kind == LABELS)
        r = read_labels(word, text, n, at, why);
    else if (rows[word].kind == CHOICE)
        r = read_choice(word, text, n, &value, why);
    else
        r = number_parse(rows[word].name, text, n, rows[word].min, rows[word].max, &value, why);
    if (r < 0)
        return r;
    if (rows[word].kind != LABELS) {
        const uint32_t number = (uint32_t)value;
        memcpy(at, &number, sizeof number);
    }
    rule->given |= VIEW_BIT(word);
    return 0;
}

static_assert(sizeof(enum view_kind) == sizeof(uint32_t) &&
                  sizeof(enum view_part) == sizeof(uint32_t),
              "a choice is kept as a number is");

int view_check(struct view_rule *rule, struct error *why)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if ((rule->given & VIEW_BIT(needs[i].word)) && !(rule->given & needs[i].needs))
            return error_set(why, -EINVAL, "%s goes with %s", rows[needs[i].word].name,
                             needs[i].help);
    if (rule->folds && rule->fold >= rule->folds)
        return error_set(why, -EINVAL,
                         "fold is %" PRIu32 "; of %" PRIu32 " folds the last is %" PRIu32,
                         rule->fold, rule->folds, rule->folds - 1);
    if (rule->given & VIEW_BIT(VIEW_FOLDS))
        rule->given |= VIEW_BIT(VIEW_FOLD);
    if (rule->given & (VIEW_BIT(VIEW_FOLDS) | VIEW_BIT(VIEW_PER_CLASS)))
        rule->given |= VIEW_BIT(VIEW_FOLD_SEED);
    return 0;
}

/* One "name=value" of `n` characters. */
static int read_word(struct view_rule *rule, const char *text, size_t n, struct error *why)
{
    const char *equals = memchr(text, '=', n);
    size_t n_name = equals ? (size_t)(equals - text) : n;
    enum view_word word = view_word_find(text, n_name);
    if (!equals || word == N_VIEW_WORDS)
        return error_set(why, -EINVAL, "\"%.*s\" is no word of a view", n < 40 ? (int)n : 40, text);
    if (rule->given & VIEW_BIT(word))
        return error_set(why, -EINVAL, "%s is given twice", rows[word].name);
    return view_set(rule, word, equals + 1, n - n_name - 1, why);
}

int view_parse(const char *text, struct view_rule *ret, struct error *why)
{
    struct view_rule rule = {0};
    int r = 0;
    while (r == 0 && *text) {
        size_t n = strcspn(text, "&");
        r = read_word(&rule, text, n, why);
        text += n + (text[n] == '&');
    }
    if (r == 0)
        r = view_check(&rule, why);
    if (r == 0)
        *ret = rule;
    return r;
}

static void labels_text(const struct view_labels *labels, char ret[VIEW_VALUE_SIZE])
{
    size_t used = 0;
    ret[0] = '\0';
    for (uint32_t label = 0; label < GEOMETRY_LABELS_MAX; label++)
        if (view_labels_has(labels, label))
            used += (size_t)snprintf(ret + used, VIEW_VALUE_SIZE - used, "%s%" PRIu32,
                                     used ? "," : "", label);
}

void view_word_text(const struct view_rule *rule, enum view_word word, char ret[VIEW_VALUE_SIZE])
{
    uint32_t number;
    memcpy(&number, field(rule, word), sizeof number);
    if (rows[word].kind == LABELS)
        labels_text(field(rule, word), ret);
    else if (rows[word].kind == CHOICE)
        strcpy(ret, rows[word].choices[number]);
    else
        snprintf(ret, VIEW_VALUE_SIZE, "%" PRIu32, number);
}

void view_text(const struct view_rule *rule, char ret[VIEW_TEXT_SIZE])
{
    char *at = ret;
    *at = '\0';
    for (enum view_word word = 0; word < N_VIEW_WORDS; word++) {
        if (!(rule->given & VIEW_BIT(word)))
            continue;
        char value[VIEW_VALUE_SIZE];
        view_word_text(rule, word, value);
        at = stpcpy(stpcpy(stpcpy(stpcpy(at, at > ret ? "&" : ""), rows[word].name), "="), value);
    }
}
