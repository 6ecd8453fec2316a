/* SPDX-License-Identifier: Apache-2.0
 * What the sensor saw and what it was told to see: pixels, polarities, labels. */
#include "common/geometry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool geometry_read_sensor(const char *text, struct geometry *ret)
{
    uint32_t width, height, polarities;
    int n = 0;
    if (text[strspn(text, "0123456789x")] ||
        sscanf(text, "%9" SCNu32 "x%9" SCNu32 "x%9" SCNu32 "%n", &width, &height, &polarities,
               &n) != 3 ||
        text[n] || polarities != SENSOR_POLARITIES)
        return false;
    ret->width = width;
    ret->height = height;
    return true;
}

static bool is_within(uint32_t n, uint32_t max)
{
    return n >= 1 && n <= max;
}

bool geometry_is_valid(const struct geometry *geometry)
{
    return is_within(geometry->width, GEOMETRY_SIDE_MAX) &&
           is_within(geometry->height, GEOMETRY_SIDE_MAX) &&
           is_within(geometry->n_labels, GEOMETRY_LABELS_MAX);
}

bool geometry_equal(const struct geometry *a, const struct geometry *b)
{
    return a->width == b->width && a->height == b->height && a->n_labels == b->n_labels;
}
