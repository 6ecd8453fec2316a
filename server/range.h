/* SPDX-License-Identifier: Apache-2.0
 * A Range header with one range of bytes (RFC 9110, 14). */
#pragma once

#include <stdint.h>

enum range_result {
    RANGE_WHOLE,   /* no range, or one that is to be ignored */
    RANGE_PART,    /* *ret_first to *ret_last, both included */
    RANGE_OUTSIDE, /* none of it is in the file */
};

enum range_result range_parse(const char *header, uint64_t size, uint64_t *ret_first,
                              uint64_t *ret_last);
