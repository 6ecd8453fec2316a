/* SPDX-License-Identifier: Apache-2.0
 * A rule: which events of a sample count, and what frames they become. */
#include "client/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/failure.h"
#include "common/fraction.h"
#include "common/number.h"

enum { VOXEL = SLICE_DURATION + 1, N_SLICES, CHOICES_MAX = N_SLICES, NO_DEFAULT = -1 };

enum kind { NUMBER, CHOICE, FRACTION };

#define OF(slice) (1U << (slice))
enum {
    OF_ALL = OF(N_SLICES) - 1,
    OF_TIMES = OF(SLICE_TIMESTEP) | OF(SLICE_WINDOW) | OF(SLICE_DURATION),
    OF_BINS = OF(SLICE_TIMESTEP) | OF(SLICE_TIME_BINS) | OF(SLICE_EVENT_BINS) | OF(SLICE_NUMBER) |
              OF(SLICE_TIME) | OF(VOXEL),
    OF_RUNS = OF(SLICE_WINDOW) | OF(SLICE_EVENT_COUNT),
};

#define YES_NO      \
    {               \
        "no", "yes" \
    }

/* clang-format off */
static const struct row {
    const char *name;
    enum kind kind;
    unsigned of; /* slices that have it */
    int64_t min, max, standard;
    const char *choices[CHOICES_MAX];
    const char *help;
} rows[RULE_N_PARAMS] = {
    [RULE_STABILIZE]   = {"stabilize", CHOICE, OF_ALL, 0, 0, 0, YES_NO,
                          "filter: take the saccades' path off x and y (as Tonic's N-MNIST)"},
    [RULE_T0]          = {"t0", NUMBER, OF_ALL, 0, EVENT_T_MAX, 0, {0}, "filter: us, no event before"},
    [RULE_T1]          = {"t1", NUMBER, OF_ALL, 1, FILTER_T1_NONE, FILTER_T1_NONE, {0},
                          "filter: us, no event from then on"},
    [RULE_DENOISE]     = {"denoise", NUMBER, OF_ALL, 1, EVENT_T_MAX, 0, {0},
                          "filter: us, no event that had none of a neighbour's within (as Tonic's Denoise)"},
    [RULE_POLARITY]    = {"polarity", CHOICE, OF_ALL, 0, 0, 0, {"keep", "merge"},
                          "filter: keep it, or make all OFF, once for each time and place: one channel"},
    [RULE_SLICE]       = {"slice", CHOICE, OF_ALL, 0, 0, SLICE_TIMESTEP,
                          {[SLICE_TIMESTEP] = "timestep", [SLICE_WINDOW] = "window", [SLICE_TIME_BINS] = "time-bins",
                           [SLICE_EVENT_COUNT] = "event-count", [SLICE_EVENT_BINS] = "event-bins",
                           [SLICE_NUMBER] = "number", [SLICE_TIME] = "time", [SLICE_DURATION] = "duration",
                           [VOXEL] = "voxel"},
                          "how events find their frame: as lava-dl (timestep), as Tonic (the next four, and voxel), as SpikingJelly"},
    [RULE_TIMESTEP]    = {"timestep", NUMBER, OF_TIMES, 1, FRAMES_TIMESTEP_MAX_US, 1000, {0}, "us of a frame"},
    [RULE_BINS]        = {"bins", NUMBER, OF_BINS, 1, FRAMES_BINS_MAX, 300, {0}, "how many frames"},
    [RULE_BINNING]     = {"binning", CHOICE, OF(SLICE_TIMESTEP), 0, 0, FRAMES_ROUND,
                          {[FRAMES_ROUND] = "round", [FRAMES_FLOOR] = "floor"},
                          "how a time finds its frame; round is half to even"},
    [RULE_OVERLAP]     = {"overlap", CHOICE, OF(SLICE_TIMESTEP), 0, 0, FRAMES_OR,
                          {[FRAMES_OR] = "or", [FRAMES_SUM] = "sum"},
                          "1 where there is an event, or how many"},
    [RULE_STRIDE]      = {"stride", NUMBER, OF_RUNS, 1, EVENT_T_MAX, NO_DEFAULT, {0},
                          "from a frame's beginning to the next one's: us, or events of event-count"},
    [RULE_INCOMPLETE]  = {"incomplete", CHOICE, OF_RUNS, 0, 0, 0, YES_NO,
                          "whether there is a last frame that is not full"},
    [RULE_START]       = {"start", NUMBER, OF(SLICE_WINDOW), 0, EVENT_T_MAX, NO_DEFAULT, {0},
                          "us where the first frame begins; with end"},
    [RULE_END]         = {"end", NUMBER, OF(SLICE_WINDOW), 1, EVENT_T_MAX + 1, NO_DEFAULT, {0},
                          "us where the last frame ends; with start"},
    [RULE_BIN_OVERLAP] = {"bin_overlap", FRACTION, OF(SLICE_TIME_BINS), 0, 0, 0, {0},
                          "part of a frame that it shares with the next, from 0 to below 1"},
    [RULE_EVENTS]      = {"events", NUMBER, OF(SLICE_EVENT_COUNT), 1, EVENT_T_MAX, NO_DEFAULT, {0},
                          "events in a frame"},
};
/* clang-format on */

struct tnm_rule {
    bool is_given[RULE_N_PARAMS];
    uint64_t values[RULE_N_PARAMS]; /* of a fraction its bits */
};

/* ---- From text ---- */

static int read_choice(const struct row *row, const char *text, uint64_t *ret, struct error *why)
{
    char possible[128] = "";
    for (uint64_t i = 0; i < CHOICES_MAX && row->choices[i]; i++) {
        if (strcmp(text, row->choices[i]) == 0) {
            *ret = i;
            return 0;
        }
        size_t used = strlen(possible);
        snprintf(possible + used, sizeof possible - used, "%s%s", i ? ", " : "", row->choices[i]);
    }
    return error_set(why, -EINVAL, "%s is \"%.40s\"; it is one of %s", row->name, text, possible);
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int read_fraction(const struct row *row, const char *text, uint64_t *ret, struct error *why)
{
    double value;
    int r = fraction_parse(row->name, text, strlen(text), &value, why);
    if (r == 0)
        memcpy(ret, &value, sizeof *ret);
    return r < 0 ? -EINVAL : 0;
}

static int read_number(const struct row *row, const char *text, uint64_t *ret, struct error *why)
{
    int r = number_parse(row->name, text, strlen(text), (uint64_t)row->min, (uint64_t)row->max, ret,
                         why);
    return r < 0 ? -EINVAL : 0;
}

static int (*const readers[])(const struct row *row, const char *text, uint64_t *ret,
                              struct error *why) = {
    [NUMBER] = read_number,
    [CHOICE] = read_choice,
    [FRACTION] = read_fraction,
};

int tnm_rule_new(tnm_rule **ret)
{
    tnm_rule *rule = calloc(1, sizeof *rule);
    if (!rule)
        return failure_set(-ENOMEM, "no memory for a rule");
    *ret = rule;
    return 0;
}

void tnm_rule_free(tnm_rule *rule)
{
    free(rule);
}

int tnm_rule_set(tnm_rule *rule, const char *name, const char *value)
{
    struct error why;
    if (!rule || !name)
        return failure_set(-EINVAL, "a parameter needs a rule and a name");
    for (size_t i = 0; i < RULE_N_PARAMS; i++) {
        if (strcmp(name, rows[i].name) != 0)
            continue;
        int r = value ? readers[rows[i].kind](&rows[i], value, &rule->values[i], &why) : 0;
        if (r < 0)
            return failure_keep(r, &why);
        rule->is_given[i] = value != NULL;
        return 0;
    }
    return failure_set(-EINVAL, "rules have no parameter \"%.64s\"", name);
}

const char *tnm_rule_name(size_t i)
{
    return i < RULE_N_PARAMS ? rows[i].name : NULL;
}

const char *tnm_rule_help(size_t i)
{
    return i < RULE_N_PARAMS ? rows[i].help : NULL;
}

/* ---- Checked ---- */

const struct rule rule_none = {
    .filter = {.t1_us = FILTER_T1_NONE},
    .slice = {.timestep_us = 1, .bins = 1, .stride_us = 1, .n_events = 1, .stride_events = 1},
};

static uint64_t value_of(const tnm_rule *rule, enum rule_param param)
{
    return rule->is_given[param] ? rule->values[param] : (uint64_t)rows[param].standard;
}

static const char *slice_name(const tnm_rule *rule)
{
    return rows[RULE_SLICE].choices[value_of(rule, RULE_SLICE)];
}

/* That one parameter is less than another, where both are there. */
static int check_below(const tnm_rule *rule, enum rule_param low, enum rule_param high,
                       struct error *why)
{
    uint64_t least = value_of(rule, low), most = value_of(rule, high);
    if (least < most)
        return 0;
    return error_set(why, -EINVAL, "%s is %" PRIu64 " and %s %" PRIu64 "; it has to be less",
                     rows[low].name, least, rows[high].name, most);
}

static int check_given(const tnm_rule *rule, struct error *why)
{
    for (size_t i = 0; i < RULE_N_PARAMS; i++)
        if (rule->is_given[i] && !(rows[i].of & OF(value_of(rule, RULE_SLICE))))
            return error_set(why, -EINVAL, "slice=%s has no parameter %s", slice_name(rule),
                             rows[i].name);
    if (value_of(rule, RULE_SLICE) == SLICE_EVENT_COUNT && !rule->is_given[RULE_EVENTS])
        return error_set(why, -EINVAL, "slice=%s needs the parameter events", slice_name(rule));
    if (rule->is_given[RULE_START] != rule->is_given[RULE_END])
        return error_set(why, -EINVAL, "start and end go together: both, or none of them");
    int r = check_below(rule, RULE_T0, RULE_T1, why);
    return r == 0 && rule->is_given[RULE_START] ? check_below(rule, RULE_START, RULE_END, why) : r;
}

static void set_filter(const tnm_rule *rule, struct filter *ret)
{
    *ret = (struct filter){
        .stabilize = value_of(rule, RULE_STABILIZE) != 0,
        .t0_us = (uint32_t)value_of(rule, RULE_T0),
        .t1_us = (uint32_t)value_of(rule, RULE_T1),
        .denoise_us = (uint32_t)value_of(rule, RULE_DENOISE),
        .merge_polarity = value_of(rule, RULE_POLARITY) != 0,
    };
}

static uint32_t stride_of(const tnm_rule *rule, enum rule_param length)
{
    return (uint32_t)value_of(rule, rule->is_given[RULE_STRIDE] ? RULE_STRIDE : length);
}

static void set_slice(const tnm_rule *rule, struct slice_rule *ret)
{
    bool is_voxel = value_of(rule, RULE_SLICE) == VOXEL;
    bool is_count = value_of(rule, RULE_SLICE) == SLICE_EVENT_COUNT;
    *ret = (struct slice_rule){
        .slice = is_voxel ? SLICE_TIME_BINS : (enum slice)value_of(rule, RULE_SLICE),
        .timestep_us = (uint32_t)value_of(rule, RULE_TIMESTEP),
        .bins = (uint32_t)value_of(rule, RULE_BINS),
        .binning = (enum frames_binning)value_of(rule, RULE_BINNING),
        .stride_us = is_count ? 1 : stride_of(rule, RULE_TIMESTEP),
        .has_range = rule->is_given[RULE_START],
        .start_us = (uint32_t)rule->values[RULE_START],
        .end_us = (uint32_t)rule->values[RULE_END],
        .n_events = is_count ? (uint32_t)rule->values[RULE_EVENTS] : 1,
        .stride_events = is_count ? stride_of(rule, RULE_EVENTS) : 1,
        .incomplete = value_of(rule, RULE_INCOMPLETE) != 0,
        .bin_overlap = double_of(value_of(rule, RULE_BIN_OVERLAP)),
    };
}

static void write_value(enum rule_param param, uint64_t value, char ret[RULE_TEXT])
{
    const struct row *row = &rows[param];
    if (row->kind == FRACTION)
        fraction_text(double_of(value), ret);
    else if (row->kind == CHOICE)
        snprintf(ret, RULE_TEXT, "%s", row->choices[value]);
    else
        snprintf(ret, RULE_TEXT, "%" PRIu64, value);
}

/* A filter that keeps all is none; and a timestep is what there was when there was no `slice`. */
static bool has_part(const tnm_rule *rule, enum rule_param param)
{
    if (param <= RULE_SLICE)
        return value_of(rule, param) != (uint64_t)rows[param].standard;
    return rows[param].of & OF(value_of(rule, RULE_SLICE)) &&
           value_of(rule, param) != (uint64_t)NO_DEFAULT;
}

static void write_texts(const tnm_rule *rule, size_t n_params, struct rule *ret)
{
    for (enum rule_param param = 0; param < n_params; param++)
        if (has_part(rule, param))
            write_value(param, value_of(rule, param), ret->texts[param]);
}

static void write_stride(struct rule *ret)
{
    bool is_count = ret->slice.slice == SLICE_EVENT_COUNT;
    if (is_count || (ret->slice.slice == SLICE_WINDOW))
        write_value(RULE_STRIDE, is_count ? ret->slice.stride_events : ret->slice.stride_us,
                    ret->texts[RULE_STRIDE]);
}

static int check_number(const struct rule *rule, struct error *why)
{
    uint32_t n;
    if (!rule->is_voxel && slices_are_fixed(&rule->slice, &n) && n > FRAMES_BINS_MAX)
        return error_set(why, -EINVAL,
                         "a rule that makes %" PRIu32 " frames; up to %d are possible", n,
                         FRAMES_BINS_MAX);
    return 0;
}

int rule_check(const tnm_rule *rule, struct rule *ret, struct error *why)
{
    struct rule made = rule_none;
    int r = check_given(rule, why);
    if (r < 0)
        return r;
    set_filter(rule, &made.filter);
    set_slice(rule, &made.slice);
    made.is_voxel = value_of(rule, RULE_SLICE) == VOXEL;
    made.overlap = made.slice.slice == SLICE_TIMESTEP
                       ? (enum frames_overlap)value_of(rule, RULE_OVERLAP)
                       : FRAMES_SUM;
    write_texts(rule, RULE_N_PARAMS, &made);
    write_stride(&made);
    r = check_number(&made, why);
    if (r == 0)
        *ret = made;
    return r;
}

int rule_check_filters(const tnm_rule *rule, struct rule *ret, struct error *why)
{
    struct rule made = rule_none;
    for (enum rule_param param = RULE_N_FILTERS; param < RULE_N_PARAMS; param++)
        if (rule->is_given[param])
            return error_set(why, -EINVAL, "%s is no filter", rows[param].name);
    int r = check_below(rule, RULE_T0, RULE_T1, why);
    if (r < 0)
        return r;
    set_filter(rule, &made.filter);
    write_texts(rule, RULE_N_FILTERS, &made);
    *ret = made;
    return 0;
}

struct rule rule_of_timestep(uint32_t timestep_us, uint32_t bins, enum frames_binning binning,
                             enum frames_overlap overlap)
{
    const tnm_rule given = {
        .is_given = {[RULE_TIMESTEP] = true,
                     [RULE_BINS] = true,
                     [RULE_BINNING] = true,
                     [RULE_OVERLAP] = true},
        .values = {[RULE_TIMESTEP] = timestep_us,
                   [RULE_BINS] = bins,
                   [RULE_BINNING] = binning,
                   [RULE_OVERLAP] = overlap},
    };
    struct rule made = rule_none;
    rule_check(&given, &made, NULL);
    return made;
}

bool rule_equal(const struct rule *a, const struct rule *b)
{
    return memcmp(a->texts, b->texts, sizeof a->texts) == 0;
}

bool rule_has_filters(const struct rule *rule)
{
    for (size_t i = 0; i < RULE_N_FILTERS; i++)
        if (rule->texts[i][0])
            return true;
    return false;
}

void rule_set_filters(struct rule *ret, const struct rule *from)
{
    ret->filter = from->filter;
    memcpy(ret->texts, from->texts, RULE_N_FILTERS * sizeof ret->texts[0]);
}

/* ---- To text ---- */

size_t rule_query(const struct rule *rule, char ret[RULE_QUERY_MAX])
{
    size_t used = 0;
    ret[0] = '\0';
    for (size_t i = 0; i < RULE_N_PARAMS; i++)
        if (rule->texts[i][0])
            used += (size_t)snprintf(ret + used, RULE_QUERY_MAX - used, "&%s=%s", rows[i].name,
                                     rule->texts[i]);
    return used;
}

void rule_meta(const struct rule *rule, struct meta ret[RULE_N_PARAMS])
{
    for (size_t i = 0; i < RULE_N_PARAMS; i++)
        ret[i] = (struct meta){rows[i].name, rule->texts[i][0] ? rule->texts[i] : NULL};
}

int tnm_rule_query(const tnm_rule *rule, char **ret)
{
    char query[RULE_QUERY_MAX];
    struct rule checked;
    struct error why;
    if (!rule)
        return failure_set(-EINVAL, "no rule");
    int r = rule_check(rule, &checked, &why);
    if (r < 0)
        return failure_keep(r, &why);
    rule_query(&checked, query);
    char *copy = strdup(query + 1); /* of every slice there is something to say */
    if (!copy)
        return failure_set(-ENOMEM, "no memory for a query");
    *ret = copy;
    return 0;
}
