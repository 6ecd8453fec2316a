/* SPDX-License-Identifier: Apache-2.0
 * Numbers as decimal text, three digits at a time, for columns of thousands of them. */
#pragma once

#include <stdint.h>
#include <string.h>

enum {
    DECIMAL_GROUP = 1000,
    DECIMAL_U32_MAX = 10, /* characters of a uint32_t */
    DECIMAL_SLACK = 4,    /* that may be written past the last one */
};

/* "000" to "999", each with a byte behind it. */
extern const char decimal_groups[DECIMAL_GROUP * 4];

/* Three digits of a number below 1000. */
static inline char *decimal_put_group(char *at, uint32_t value)
{
    memcpy(at, &decimal_groups[value * 4], 4);
    return at + 3;
}

/* A number below 1000 without leading zeros. */
static inline char *decimal_put_small(char *at, uint32_t value)
{
    unsigned zeros = (unsigned)(value < 100) + (unsigned)(value < 10);
    memcpy(at, &decimal_groups[value * 4 + zeros], 4);
    return at + 3 - zeros;
}

/* Returns where the text ends, which is not terminated; DECIMAL_SLACK bytes behind it may have been
 * written. */
static inline char *decimal_put(char *at, uint32_t value)
{
    if (value < DECIMAL_GROUP)
        return decimal_put_small(at, value);
    return decimal_put_group(decimal_put(at, value / DECIMAL_GROUP), value % DECIMAL_GROUP);
}
