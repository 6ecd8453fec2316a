/* SPDX-License-Identifier: Apache-2.0
 * An opened split: its description, pinned at a revision. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/cursor.h"
#include "client/document.h"
#include "client/rule.h"
#include "common/event.h"
#include "common/wire.h"

/* The form in which samples are asked for. */
struct form {
    int order; /* enum tnm_order */
    uint32_t timestep_us;
    struct rule filters;       /* of all samples */
    const struct rule *frames; /* as places of frames by this rule, borrowed; NULL: as events */
};

struct tnm_split {
    unsigned n_refs; /* under the client's lock, like `form` */
    struct form form;
    tnm_client *client;
    char name[WIRE_NAME_MAX + 1];
    char revision[WIRE_REVISION_MAX + 1];
    char *json;
    struct document *document;
    bool is_source;
    uint64_t n_samples, n_events, n_pairs;
    struct geometry geometry;
    uint8_t *labels; /* under the client's lock: [n_samples][n_labels], once they were asked for */
    uint64_t label_counts[GEOMETRY_LABELS_MAX]; /* [n_labels] */
};

/* 0 where the split may be used here; else -EINVAL or -ECHILD, kept as the last error. */
int split_check(const tnm_split *split);

/* Whether it is `name` or `name@revision`. Errors, kept as the last error: -EINVAL. */
int split_check_name(const char *name);

tnm_split *split_ref(tnm_split *split);
void split_unref(tnm_split *split); /* not in the loop's thread */

struct form split_form(tnm_split *split);
