/* SPDX-License-Identifier: Apache-2.0
 * What may stand in a URL: query parameters and the variable parts of paths, with their ranges. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/error.h"

enum param {
    PARAM_ORDER,
    PARAM_TIMESTEP,
    PARAM_AS,
    PARAM_BINS,
    PARAM_BINNING,
    PARAM_OVERLAP,
    PARAM_AXES,
    PARAM_SLICE,
    PARAM_STRIDE,
    PARAM_INCOMPLETE,
    PARAM_START,
    PARAM_END,
    PARAM_BIN_OVERLAP,
    PARAM_EVENTS,
    PARAM_VALUES,
    PARAM_STABILIZE,
    PARAM_T0,
    PARAM_T1,
    PARAM_DENOISE,
    PARAM_POLARITY,
    PARAM_OFFSET,
    PARAM_LENGTH,
    PARAM_SORT,
    PARAM_SEED,
    PARAM_INDICES,
    PARAM_SIZE,
    PARAM_RANK,
    PARAM_WORLD,
    PARAM_LAST,
    /* of shards */
    PARAM_PER_SHARD,
    PARAM_MEMBER,
    /* of /splits and /rows, as clients of Hugging Face's server of datasets name things */
    PARAM_DATASET,
    PARAM_CONFIG,
    PARAM_SPLIT,
    /* of pictures */
    PARAM_SCALE,
    PARAM_STRIP,
    PARAM_FRAMES,
    /* of views, as enum view_word */
    PARAM_KIND,
    PARAM_ANY,
    PARAM_ALL,
    PARAM_NONE,
    PARAM_FOLDS,
    PARAM_FOLD,
    PARAM_PART,
    PARAM_PER_CLASS,
    PARAM_FOLD_SEED,
    N_PARAMS,
};

#define PARAM_BIT(param) (UINT64_C(1) << (param))

enum param_kind {
    PARAM_NUMBER,
    PARAM_CHOICE,
    PARAM_NUMBERS,
    PARAM_LABELS,
    PARAM_REAL, /* 0 to below 1; its value is that of param_of_real() */
    PARAM_NAME, /* of a split, which is found for it */
};

enum { PARAM_MAX_CHOICES = 9 };

struct param_row {
    const char *name;
    enum param_kind kind;
    uint64_t min, max, standard;
    const char *choices[PARAM_MAX_CHOICES + 1]; /* a choice's value is its place here */
    const char *help;
    const char *without; /* what holds without it, where that is not `standard` alone */
};

extern const struct param_row param_rows[N_PARAMS];

/* The variable parts of paths: `{name}` in a route's pattern. */
enum variable {
    VARIABLE_SPLIT,
    VARIABLE_SOURCE,
    VARIABLE_I,
    VARIABLE_K,
    VARIABLE_ORDER_SEED,
    VARIABLE_EPOCH,
    VARIABLE_SEED,
    VARIABLE_INDEX,
    VARIABLE_RECORDINGS,
    VARIABLE_FILE,
    VARIABLE_SHARD,
    N_VARIABLES,
};

enum variable_kind { VARIABLE_NAME, VARIABLE_NUMBER, VARIABLE_NUMBERS, VARIABLE_WORD };

struct variable_row {
    const char *name;
    enum variable_kind kind;
    uint64_t max;
    const char *help;
};

extern const struct variable_row variable_rows[N_VARIABLES];

/* A real number as a value of 64 bits, and back. */
static inline uint64_t param_of_real(double real)
{
    uint64_t value;
    memcpy(&value, &real, sizeof value);
    return value;
}

static inline double param_real(uint64_t value)
{
    double real;
    memcpy(&real, &value, sizeof real);
    return real;
}

/* The value of a parameter of any kind but numbers and names. Errors: -EINVAL, -ERANGE. */
int param_value(enum param param, const char *text, uint64_t *ret, struct error *why);

/* The parameter of that name, or N_PARAMS. */
enum param param_find(const char *name);

/* The variable whose name is the `n` characters at `name`, or N_VARIABLES. */
enum variable variable_find(const char *name, size_t n);
