/* SPDX-License-Identifier: Apache-2.0
 * Prometheus' text format (version 0.0.4), written to a stream.
 *
 * `labels` is "" or what stands between the braces, as exposition_labels() makes it. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "server/metrics.h"

enum { EXPOSITION_LABELS_SIZE = 512 };

/* Begin a metric: its HELP and its TYPE. */
void exposition_begin(FILE *out, enum metric metric);

/* name="value" for each name of the metric's table, with the next of `values`; cut where it is
 * longer than can be. */
void exposition_labels(enum metric metric, const char *const *values,
                       char ret[EXPOSITION_LABELS_SIZE]);

void exposition_value(FILE *out, enum metric metric, const char *labels, uint64_t value);

/* A value in parts of a second, `parts` of them (a power of ten). */
void exposition_seconds(FILE *out, enum metric metric, const char *labels, uint64_t value,
                        uint64_t parts);

/* A histogram, from the cells of one series. */
void exposition_histogram(FILE *out, enum metric metric, const char *labels,
                          const struct metrics_histogram *histogram, unsigned cell);
