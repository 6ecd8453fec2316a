/* SPDX-License-Identifier: Apache-2.0
 * What may stand in a URL: query parameters and the variable parts of paths, with their ranges. */
#include "server/param.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fraction.h"
#include "common/number.h"
#include "common/order.h"
#include "common/picture.h"
#include "common/shard.h"
#include "common/view.h"
#include "server/samples/encode.h"
#include "server/samples/form.h"
#include "server/samples/rows.h"

/* clang-format off */
const struct param_row param_rows[N_PARAMS] = {
    [PARAM_ORDER]    = {"order",    PARAM_CHOICE,  0, 0, 0, {[MIX_TIME] = "time", [MIX_PUBLISHED] = "published"},
                        "order of a sample's events", "as stored, time where it is mixed now"},
    [PARAM_TIMESTEP] = {"timestep", PARAM_NUMBER,  1, MIX_TIMESTEP_MAX_US, 1000, {0},
                        "us; events: times become its multiples; else: length of a frame", "as recorded, 1000 for frames"},
    [PARAM_AS]       = {"as",       PARAM_CHOICE,  0, 0, FORM_EVENTS,
                        {[FORM_EVENTS] = "events", [FORM_FRAMES] = "frames", [FORM_SPARSE] = "sparse", [FORM_BITS] = "bits"},
                        "packed events, dense frames, the places that are set in them, or a bit for each place", NULL},
    [PARAM_BINS]     = {"bins",     PARAM_NUMBER,  1, FRAMES_BINS_MAX, 300, {0}, "how many frames", NULL},
    [PARAM_BINNING]  = {"binning",  PARAM_CHOICE,  0, 0, FRAMES_ROUND, {[FRAMES_ROUND] = "round", [FRAMES_FLOOR] = "floor"},
                        "how a time finds its frame; round is half to even", NULL},
    [PARAM_OVERLAP]  = {"overlap",  PARAM_CHOICE,  0, 0, FRAMES_OR, {[FRAMES_OR] = "or", [FRAMES_SUM] = "sum"},
                        "1 where there is an event, or how many there are", NULL},
    [PARAM_AXES]     = {"axes",     PARAM_CHOICE,  0, 0, FRAMES_TCHW, {[FRAMES_TCHW] = "TCHW", [FRAMES_CHWT] = "CHWT"},
                        "dense frames: order of the axes", NULL},
    [PARAM_SLICE]    = {"slice",    PARAM_CHOICE,  0, 0, SLICE_TIMESTEP,
                        {[SLICE_TIMESTEP] = "timestep", [SLICE_WINDOW] = "window", [SLICE_TIME_BINS] = "time-bins",
                         [SLICE_EVENT_COUNT] = "event-count", [SLICE_EVENT_BINS] = "event-bins", [SLICE_NUMBER] = "number",
                         [SLICE_TIME] = "time", [SLICE_DURATION] = "duration", [FORM_SLICE_VOXEL] = "voxel"},
                        "how events find their frame", NULL},
    [PARAM_STRIDE]   = {"stride",   PARAM_NUMBER,  1, EVENT_T_MAX, 1, {0},
                        "us, or events: from one frame's begin to the next's", "as long as a frame is"},
    [PARAM_INCOMPLETE] = {"incomplete", PARAM_CHOICE, 0, 0, false, {[false] = "no", [true] = "yes"},
                        "the last frame, too, where it is not full", NULL},
    [PARAM_START]    = {"start",    PARAM_NUMBER,  0, EVENT_T_MAX, 0, {0}, "us; windows begin here; with end", "the first event"},
    [PARAM_END]      = {"end",      PARAM_NUMBER,  1, EVENT_T_MAX + 1, 1, {0}, "us; and end here", "the last event"},
    [PARAM_BIN_OVERLAP] = {"bin_overlap", PARAM_REAL, 0, 1, 0, {0}, "part of a frame that the next one has, too", NULL},
    [PARAM_EVENTS]   = {"events",   PARAM_NUMBER,  1, EVENT_T_MAX, 1, {0}, "how many a frame has", "none: event-count needs it"},
    [PARAM_VALUES]   = {"values",   PARAM_CHOICE,  0, 0, false, {[false] = "u8", [true] = "u16"},
                        "dense frames: their type; counts stop at 255, or 65,535", NULL},
    [PARAM_STABILIZE] = {"stabilize", PARAM_CHOICE, 0, 0, false, {[false] = "no", [true] = "yes"},
                        "the sensor's path is taken off x and y", NULL},
    [PARAM_T0]       = {"t0",       PARAM_NUMBER,  0, EVENT_T_MAX, 0, {0}, "us; events before are dropped", NULL},
    [PARAM_T1]       = {"t1",       PARAM_NUMBER,  1, FILTER_T1_NONE, FILTER_T1_NONE, {0}, "us; events from there on are dropped", NULL},
    [PARAM_DENOISE]  = {"denoise",  PARAM_NUMBER,  1, EVENT_T_MAX, 1, {0},
                        "us; an event stays if one of its 4 neighbours had one less than that before", "all stay"},
    [PARAM_POLARITY] = {"polarity", PARAM_CHOICE,  0, 0, false, {[false] = "keep", [true] = "merge"},
                        "merge: all become OFF, and repeats of (t, x, y) are dropped", NULL},
    [PARAM_OFFSET]   = {"offset",   PARAM_NUMBER,  0, INT32_MAX, 0, {0}, "first row of the page", NULL},
    [PARAM_LENGTH]   = {"length",   PARAM_NUMBER,  1, INT32_MAX, 100, {0}, "rows in the page", NULL},
    [PARAM_SORT]     = {"sort",     PARAM_CHOICE,  0, 0, 0,
                        {[ROWS_EVENTS] = "events", [ROWS_EVENTS_DOWN] = "-events",
                         [ROWS_DURATION] = "duration", [ROWS_DURATION_DOWN] = "-duration",
                         [ROWS_LABEL] = "label", [ROWS_LABEL_DOWN] = "-label"},
                        "order of the rows, or with - from the other end; ties go by the index", "as they are in the split"},
    [PARAM_SEED]     = {"seed",     PARAM_NUMBER,  0, UINT32_MAX, 0, {0}, "rows in the order of this seed's epoch 0", "as they are in the split"},
    [PARAM_INDICES]  = {"indices",  PARAM_NUMBERS, 0, INT32_MAX, 0, {0}, "samples, between commas", NULL},
    [PARAM_SIZE]     = {"size",     PARAM_NUMBER,  1, INT32_MAX, 64, {0}, "samples in a global batch", NULL},
    [PARAM_RANK]     = {"rank",     PARAM_NUMBER,  0, UINT16_MAX - 1, 0, {0}, "which share of the global batch", NULL},
    [PARAM_WORLD]    = {"world",    PARAM_NUMBER,  1, UINT16_MAX, 1, {0}, "how many shares there are", NULL},
    [PARAM_LAST]     = {"last",     PARAM_CHOICE,  0, 0, ORDER_SHORT,
                        {[ORDER_SHORT] = "short", [ORDER_DROP] = "drop", [ORDER_PAD] = "pad"},
                        "what becomes of a last batch that is not full", NULL},
    [PARAM_PER_SHARD] = {"per_shard", PARAM_NUMBER, 1, INT32_MAX, SHARD_PER_DEFAULT, {0}, "samples in a shard; of the last one the rest", NULL},
    [PARAM_MEMBER]   = {"member",   PARAM_CHOICE,  0, 0, SHARD_BIN, {[SHARD_BIN] = "bin", [SHARD_NPY] = "npy"},
                        "a shard's samples: the plain bytes, or NumPy's files", "bin for events, npy for all else"},
    [PARAM_DATASET]  = {"dataset",  PARAM_CHOICE,  0, 0, 0, {"2nmnist"}, "the only one that is here", NULL},
    [PARAM_CONFIG]   = {"config",   PARAM_CHOICE,  0, 0, 0, {"default"}, "the only one that the dataset has", NULL},
    [PARAM_SPLIT]    = {"split",    PARAM_NAME,    0, 0, 0, {0}, "a split, or split@revision", "none, and rows need it"},
    [PARAM_SCALE]    = {"scale",    PARAM_NUMBER,  1, PICTURE_SCALE_MAX, 8, {0},
                        "png: each pixel of the sensor is a square of so many", "8, of a contact sheet 3"},
    [PARAM_STRIP]    = {"strip",    PARAM_NUMBER,  1, PICTURE_STRIP_MAX, 1, {0},
                        "png: so many pictures side by side, of equal spans of time", NULL},
    [PARAM_FRAMES]   = {"frames",   PARAM_NUMBER,  1, PICTURE_FRAMES_MAX, 1, {0},
                        "png: an animation of so many pictures, of equal spans of time, ten times as slow as the sample", NULL},

    [PARAM_KIND]      = {"kind",      PARAM_CHOICE, 0, 0, 0, {[VIEW_SINGLE] = "single", [VIEW_PAIR] = "pair"},
                         "view: samples that show one digit, or two", "both"},
    [PARAM_ANY]       = {"any",       PARAM_LABELS, 0, GEOMETRY_LABELS_MAX - 1, 0, {0}, "view: samples that show one of these digits, between commas", NULL},
    [PARAM_ALL]       = {"all",       PARAM_LABELS, 0, GEOMETRY_LABELS_MAX - 1, 0, {0}, "view: samples that show all of these digits", NULL},
    [PARAM_NONE]      = {"none",      PARAM_LABELS, 0, GEOMETRY_LABELS_MAX - 1, 0, {0}, "view: samples that show none of these digits", NULL},
    [PARAM_FOLDS]     = {"folds",     PARAM_NUMBER, VIEW_FOLDS_MIN, VIEW_FOLDS_MAX, VIEW_FOLDS_MIN, {0},
                         "view: into so many folds the split is dealt, the samples of each label set in turn; part goes with it", "no folds"},
    [PARAM_FOLD]      = {"fold",      PARAM_NUMBER, 0, VIEW_FOLDS_MAX - 1, 0, {0}, "view: which fold, below folds", NULL},
    [PARAM_PART]      = {"part",      PARAM_CHOICE, 0, 0, VIEW_HELD, {[VIEW_HELD] = "held", [VIEW_REST] = "rest"},
                         "view: the samples of the fold, or those of all others", "none, and folds needs it"},
    [PARAM_PER_CLASS] = {"per_class", PARAM_NUMBER, 1, INT32_MAX, 1, {0}, "view: the first so many samples of each label set, in the order of the folds", "all"},
    [PARAM_FOLD_SEED] = {"fold_seed", PARAM_NUMBER, 0, UINT32_MAX, 0, {0}, "view: seed of the order of the folds", NULL},
};

const struct variable_row variable_rows[N_VARIABLES] = {
    [VARIABLE_SPLIT]      = {"split",      VARIABLE_NAME,    0,          "a split, or split@revision"},
    [VARIABLE_SOURCE]     = {"source",     VARIABLE_NAME,    0,          "a source split, or source@revision"},
    [VARIABLE_I]          = {"i",          VARIABLE_NUMBER,  UINT64_MAX, "a sample"},
    [VARIABLE_K]          = {"k",          VARIABLE_NUMBER,  UINT64_MAX, "a batch"},
    [VARIABLE_ORDER_SEED] = {"order_seed", VARIABLE_NUMBER,  UINT32_MAX, "seed of the epochs' orders"},
    [VARIABLE_EPOCH]      = {"epoch",      VARIABLE_NUMBER,  UINT32_MAX, "an epoch"},
    [VARIABLE_SEED]       = {"seed",       VARIABLE_NUMBER,  UINT64_MAX, "an endless set of fresh pairs"},
    [VARIABLE_INDEX]      = {"index",      VARIABLE_NUMBER,  UINT64_MAX, "a fresh pair of the set"},
    [VARIABLE_RECORDINGS] = {"recordings", VARIABLE_NUMBERS, INT32_MAX,  "recordings to mix, between commas"},
    [VARIABLE_SHARD]      = {"shard",      VARIABLE_WORD,    0,          "a shard, 2nmnist-{split}-{number, of six digits}"},
    [VARIABLE_FILE]       = {"file",       VARIABLE_WORD,    0,          "a file of the web page, without its ending"},
};
/* clang-format on */

static int param_choice(const struct param_row *row, const char *text, uint64_t *ret,
                        struct error *why)
{
    char possible[128] = "";
    for (uint64_t i = 0; row->choices[i]; i++) {
        if (strcmp(text, row->choices[i]) == 0) {
            *ret = i;
            return 0;
        }
        size_t used = strlen(possible);
        snprintf(possible + used, sizeof possible - used, "%s%s", i ? ", " : "", row->choices[i]);
    }
    return error_set(why, -EINVAL, "%s is \"%.40s\"; it is one of %s", row->name, text, possible);
}

static int param_fraction(const struct param_row *row, const char *text, uint64_t *ret,
                          struct error *why)
{
    double value;
    int r = fraction_parse(row->name, text, strlen(text), &value, why);
    if (r == 0)
        *ret = param_of_real(value);
    return r;
}

int param_value(enum param param, const char *text, uint64_t *ret, struct error *why)
{
    const struct param_row *row = &param_rows[param];
    if (row->kind == PARAM_CHOICE)
        return param_choice(row, text, ret, why);
    if (row->kind == PARAM_REAL)
        return param_fraction(row, text, ret, why);
    return number_parse(row->name, text, strlen(text), row->min, row->max, ret, why);
}

enum param param_find(const char *name)
{
    enum param param = 0;
    while (param < N_PARAMS && strcmp(param_rows[param].name, name) != 0)
        param++;
    return param;
}

enum variable variable_find(const char *name, size_t n)
{
    enum variable variable = 0;
    while (variable < N_VARIABLES && (strlen(variable_rows[variable].name) != n ||
                                      memcmp(variable_rows[variable].name, name, n) != 0))
        variable++;
    return variable;
}
