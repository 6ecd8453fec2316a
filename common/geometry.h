/* SPDX-License-Identifier: Apache-2.0
 * What the sensor saw and what it was told to see: pixels, polarities, labels. The one place that
 * says how large N-MNIST's are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* N-MNIST: the ATIS sensor's part that its recordings show, and the ten digits. For memory whose
 * size is fixed; what comes from a file or a server has its own geometry. */
enum {
    SENSOR_WIDTH = 34, /* pixels */
    SENSOR_HEIGHT = 34,
    SENSOR_POLARITIES = 2,
    N_DIGITS = 10,
};
#define SENSOR_NMNIST "34x34x2" /* the same, as a split's header says it */

struct geometry {
    uint32_t width, height; /* pixels */
    uint32_t n_labels;
};

/* Events have a byte for x and one for y. */
enum { GEOMETRY_SIDE_MAX = 256, GEOMETRY_LABELS_MAX = 256 };

static const struct geometry GEOMETRY_NMNIST = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS};

/* Width and height from "34x34x2"; n_labels is left as it is. False where it is not of that form,
 * or has not SENSOR_POLARITIES. */
bool geometry_read_sensor(const char *text, struct geometry *ret);

/* Whether its numbers are from 1 to those limits. */
bool geometry_is_valid(const struct geometry *geometry);

bool geometry_equal(const struct geometry *a, const struct geometry *b);
